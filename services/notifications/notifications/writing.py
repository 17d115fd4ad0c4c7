"""Writes the SMS of a delivery from its notice, its recipient and the templates that hold.

The same rows and templates always give the same text. A template that is too long for one notice (its signature
grew, say) gives way to the next that fits: a notice that is not sent would be worse than one in other words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from contracts.base import Child
from notifications.domain import texts
from notifications.domain.delivery import ALERT_KINDS
from notifications.domain.ladder import Fitted
from notifications.domain.stages import ANY, STAGES
from notifications.domain.templates import Language, Template
from notifications.providers.protocol import TemplateCall
from notifications.settings import NotificationSettings
from notifications.templates import BUILT_IN, Key, Templates, key_of

Row = Mapping[str, Any]


class NoProviderTemplate(ValueError):
    """The route takes approved templates only, and none is named for this stage."""


def text_of(
    delivery: Row,
    notice: Row,
    settings: NotificationSettings,
    public_url: str,
    templates: Templates | None = None,
) -> str:
    """The text to send; `templates` are those of `templates.current`, the built-in ones without.

    A `category` of the delivery (its site's, or `unit`) chooses the wording. Raises: texts.TextTooLong.
    """
    return fitted(delivery, notice, settings, public_url, templates).text


def template_call_of(
    delivery: Row,
    notice: Row,
    settings: NotificationSettings,
    public_url: str,
    templates: Templates | None = None,
) -> TemplateCall:
    """The same notice for a route that takes approved templates only: the template's code and its values.

    The values are those that make our own text fit into one segment without a link, since such routes take no link
    as a value. In an exercise the case's value says so: an approved text has no place for our mark.
    Raises: NoProviderTemplate, if GUITU_ALIBABA_TEMPLATES names none; texts.TextTooLong.
    """
    stage, language = notice["kind"], delivery["language"]
    codes = settings.provider_templates
    code = codes.get(f"{stage}.{language}") or codes.get(stage)
    if not code:
        raise NoProviderTemplate(f"GUITU_ALIBABA_TEMPLATES names no template for stage {stage}.")
    route = dict(delivery) | {"url_ok": False}
    values = fitted(route, notice, settings, public_url, templates).chosen.values
    wanted = STAGES[_key(delivery, stage).stage]
    filled = {
        name: values.get(name) or _INSTEAD[language].get(name, "-")
        for name in sorted((wanted.known | wanted.maybe) - {"link"})
    }
    if notice["exercise"] or stage == "drill":
        mark = "【演练】" if language == "zh" else "EXERCISE "
        marked = "case" if "case" in filled else "code"
        filled[marked] = mark + filled[marked]
    return TemplateCall(code, filled)


def several_open_text(
    codes: Sequence[tuple[str, str]],
    language: Language,
    settings: NotificationSettings,
    templates: Templates | None = None,
) -> str:
    """The answer to an acknowledgement that fits several notices (case, code). Raises: texts.TextTooLong."""

    write = partial(texts.open_codes_text, codes, language, signature_of(settings))
    return _first_that_fits(templates, key_of(ANY, language, "several_open"), write).text


def signature_of(settings: NotificationSettings) -> texts.Signature:
    """Who sends."""
    return texts.Signature(settings.sms_signature_zh, settings.sms_signature_en)


def fitted(
    delivery: Row,
    notice: Row,
    settings: NotificationSettings,
    public_url: str,
    templates: Templates | None = None,
) -> Fitted:
    """The text with what was left out of it. Raises: texts.TextTooLong."""
    key = _key(delivery, notice["kind"])
    return _first_that_fits(templates, key, writer(delivery, notice, settings, public_url))


def _key(delivery: Row, stage: str) -> Key:
    # Rows of the database have no default: an older query may lack the column.
    category = delivery["category"] if "category" in delivery.keys() else None  # noqa: SIM118 - asyncpg.Record
    return key_of(category or ANY, delivery["language"], stage)


def _first_that_fits(templates: Templates | None, key: Key, write: Callable[[Template], Fitted]) -> Fitted:
    candidates = list((templates or BUILT_IN).candidates(key))
    for version in candidates[:-1]:
        try:
            return write(version.template)
        except texts.TextTooLong:
            continue
    return write(candidates[-1].template)


def writer(
    delivery: Row, notice: Row, settings: NotificationSettings, public_url: str
) -> Callable[[Template], Fitted]:
    """What writes this notice by any template of its language and stage."""
    language: Language = delivery["language"]
    signature, code, content = signature_of(settings), delivery["ack_code"], notice["content"]
    page = f"{public_url}/n/{delivery['page_token']}" if delivery["url_ok"] else ""
    if notice["kind"] in (*ALERT_KINDS, "nil_report"):
        alert = _alert(notice, content)
        return lambda template: texts.alert_text(alert, language, signature, code, page, template)
    if notice["kind"] == "stood_down":
        case, outcome, exercise = notice["case_code"], content["outcome"], notice["exercise"]
        return lambda template: texts.stand_down_text(case, outcome, exercise, language, signature, template)
    if notice["kind"] == "drill":
        return lambda template: texts.drill_text(language, signature, code, page, template)
    base = settings.order_base_url or public_url
    link = f"{base}{content['page_path']}" if delivery["url_ok"] else ""
    order = _order(notice, content)
    return lambda template: texts.order_text(order, language, signature, code, link, template)


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


_INSTEAD = {
    "zh": {"looks": "特征询110", "place": "地点询110", "height": "不详", "summary": "详询指挥中心"},
    "en": {"looks": "ask 110", "place": "ask 110", "height": "unknown", "summary": "ask the command centre"},
}
"""What an approved template says where our own text leaves something out; an empty value would be refused."""
