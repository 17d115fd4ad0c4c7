"""Writes the SMS of a delivery from its notice and its recipient; the same rows always give the same text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from contracts.base import Child
from notifications.domain import texts
from notifications.domain.delivery import ALERT_KINDS
from notifications.settings import NotificationSettings

Row = Mapping[str, Any]


def text_of(delivery: Row, notice: Row, settings: NotificationSettings, public_url: str) -> str:
    """The text to send. Raises: texts.TextTooLong."""
    signature = texts.Signature(settings.sms_signature_zh, settings.sms_signature_en)
    language = cast(texts.Language, delivery["language"])
    content = notice["content"]
    if notice["kind"] in ALERT_KINDS:
        link = f"{public_url}/n/{delivery['page_token']}" if delivery["url_ok"] else ""
        return texts.alert_text(_alert(notice, content), language, signature, delivery["ack_code"], link)
    if notice["kind"] == "stood_down":
        return texts.stand_down_text(
            notice["case_code"], content["outcome"], notice["exercise"], language, signature
        )
    if notice["kind"] == "drill":
        page = f"{public_url}/n/{delivery['page_token']}" if delivery["url_ok"] else ""
        return texts.drill_text(language, signature, delivery["ack_code"], page)
    base = settings.order_base_url or public_url
    link = f"{base}{content['page_path']}" if delivery["url_ok"] else ""
    return texts.order_text(_order(notice, content), language, signature, delivery["ack_code"], link)


def _alert(notice: Row, picture: Mapping[str, Any]) -> texts.AlertText:
    place = picture["last_seen_place"]
    return texts.AlertText(
        case_code=notice["case_code"],
        child=Child.model_validate(picture["child"]),
        place=place["name"],
        lon=place["position"]["lon"],
        lat=place["position"]["lat"],
        last_seen_at=datetime.fromisoformat(picture["last_seen_at"]),
        version=notice["version"],
        kind=notice["kind"],
        exercise=notice["exercise"],
    )


def _order(notice: Row, content: Mapping[str, Any]) -> texts.OrderText:
    if notice["kind"] == "order_stood_down":
        return texts.OrderText(notice["case_code"], notice["exercise"], stood_down=content["stood_down"])
    return texts.OrderText(
        notice["case_code"],
        notice["exercise"],
        content["place_zh"],
        content["place_en"],
        datetime.fromisoformat(content["arrive_by"]),
        content["summary"],
    )
