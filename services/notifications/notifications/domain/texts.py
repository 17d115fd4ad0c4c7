"""What goes into one SMS: never a name, never two segments unless an order's link needs them, never cut blindly.

A text that is too long is written again with less, in fixed steps: without the link, without the height, with
fewer phrases of the appearance, with a shorter place. If nothing fits it is refused. One character too many
would make two segments, which halves the speed of a whole fan-out (a US long code sends one segment a second).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Literal

from contracts.base import Child, Sex
from notifications.segments import is_gsm7, segmentation

Language = Literal["zh", "en"]
BEIJING = timezone(timedelta(hours=8))
ORDER_SEGMENTS_MAX = 4
"""A signed order link alone fills two segments; more than four would be refused by carriers as too long."""

PHRASES_MAX = 12
_PHRASE = re.compile(r"[,,、;;。.\s]+")
_PLACE_PREFIX = re.compile(r"^(?:重庆市|重庆)?(?:云阳县|云阳)?(?=.{2})")


class TextTooLong(Exception):
    """No step made the text fit; says how long the shortest was, in units."""


@dataclass(frozen=True)
class Signature:
    """Who sends, in both languages."""

    zh: str
    en: str


@dataclass(frozen=True)
class AlertText:
    """What a text about an alert is made of."""

    case_code: str
    child: Child
    place: str
    lon: float
    lat: float
    last_seen_at: datetime
    version: int
    kind: str
    exercise: bool


def alert_text(alert: AlertText, language: Language, signature: Signature, ack_code: str, link: str) -> str:
    """One segment that a person at a bus station can act on. Raises: TextTooLong."""
    write = _alert_zh if language == "zh" else _alert_en
    return _first_that_fits(write(alert, signature, ack_code, link), segments_max=1)


def _alert_zh(alert: AlertText, signature: Signature, ack_code: str, link: str) -> Iterator[str]:
    head = f"{_mark_zh(alert.exercise)}【{signature.zh}】{alert.case_code}{_update_zh(alert)}"
    child = f"{_SEX_ZH[alert.child.sex]}{alert.child.age_years}岁"
    height = f"{alert.child.height_cm}cm" if alert.child.height_cm else ""
    at = beijing(alert.last_seen_at)
    for url in dict.fromkeys((link, "")):
        end = f",签收码{ack_code} {url}" if url else f",见到拨110,签收码{ack_code}"
        for place in _places_zh(alert):
            for looks in _shorter_looks(
                _phrases_zh(alert.child.appearance), "、", "" if url else "特征询110"
            ):
                for tall in dict.fromkeys((height, "")):
                    yield f"{head}{child}{tall}{looks},{at}{place}走失{end}"


def _alert_en(alert: AlertText, signature: Signature, ack_code: str, link: str) -> Iterator[str]:
    update = f" update {alert.version}" if alert.kind == "updated" else ""
    head = f"{_mark_en(alert.exercise)}[{signature.en}] {alert.case_code}{update}: missing"
    child = f"{_SEX_EN[alert.child.sex]} {alert.child.age_years}"
    height = f" {alert.child.height_cm}cm" if alert.child.height_cm else ""
    at = beijing(alert.last_seen_at)
    spot = f"{alert.lat:.3f},{alert.lon:.3f}"
    places = dict.fromkeys((alert.place if is_gsm7(alert.place) and alert.place else spot, spot))
    for url in dict.fromkeys((link, "")):
        end = f" {url}" if url else ""
        for place in places:
            for looks in _shorter_looks(
                _phrases_en(alert.child.appearance), ", ", "" if url else "ask 110 for looks"
            ):
                for tall in dict.fromkeys((height, "")):
                    yield f"{head} {child}{tall}, {looks}, {at} {place}. Seen? Call 110. Ack {ack_code}{end}"


def stand_down_text(
    case_code: str, outcome: str, exercise: bool, language: Language, signature: Signature
) -> str:
    """One segment: it is over, why, and thank you. Raises: TextTooLong."""
    if language == "zh":
        why = _OVER_ZH.get(outcome, "警情已结束")
        text = f"{_mark_zh(exercise)}【{signature.zh}】{case_code}{why},协查解除,谢谢配合。"
    else:
        why = _OVER_EN.get(outcome, "alert over")
        text = f"{_mark_en(exercise)}[{signature.en}] {case_code}: {why}. Stand down, thank you."
    return _first_that_fits(iter((text,)), segments_max=1)


def drill_text(language: Language, signature: Signature, ack_code: str, link: str) -> str:
    """One segment that tests the way to somebody; always marked as an exercise. Raises: TextTooLong."""
    ends = dict.fromkeys((f" {link}" if link else "", ""))
    if language == "zh":
        head = f"{_mark_zh(True)}【{signature.zh}】线路测试,无需查找。请回复签收码{ack_code}"
    else:
        head = f"{_mark_en(True)}[{signature.en}] Test of this line, no child is missing. Reply {ack_code}"
    return _first_that_fits((head + end for end in ends), segments_max=1)


@dataclass(frozen=True)
class OrderText:
    """What a text about an order is made of; `stood_down` is its reason, empty for a new order."""

    case_code: str
    exercise: bool
    place_zh: str = ""
    place_en: str = ""
    arrive_by: datetime | None = None
    summary: str = ""
    stood_down: str = ""


def order_text(order: OrderText, language: Language, signature: Signature, ack_code: str, link: str) -> str:
    """The order with its page's link where the route takes one, else one segment. Raises: TextTooLong."""
    variants = _order_zh if language == "zh" else _order_en
    limit = ORDER_SEGMENTS_MAX if link else 1
    return _first_that_fits(variants(order, signature, ack_code, link), segments_max=limit)


def _order_zh(order: OrderText, signature: Signature, ack_code: str, link: str) -> Iterator[str]:
    head = f"{_mark_zh(order.exercise)}【{signature.zh}】{order.case_code}"
    end = f" {link}" if link else f",签收码{ack_code}"
    if order.stood_down:
        yield f"{head}指令解除({_ORDER_OVER_ZH.get(order.stood_down, '结束')}),可撤离{end}"
        return
    by = beijing(order.arrive_by) if order.arrive_by else ""
    for summary in dict.fromkeys((order.summary, "")):
        said = f",{summary}" if summary else ""
        yield f"{head}堵截指令:{by}前到{order.place_zh}{said}{end}"
    yield f"{head}堵截指令:{by}前到位,地点询指挥中心{end}"


def _order_en(order: OrderText, signature: Signature, ack_code: str, link: str) -> Iterator[str]:
    head = f"{_mark_en(order.exercise)}[{signature.en}] {order.case_code}"
    end = f" {link}" if link else f". Ack {ack_code}"
    if order.stood_down:
        yield f"{head}: order over ({order.stood_down.replace('_', ' ')}), you may leave{end}"
        return
    by = beijing(order.arrive_by) if order.arrive_by else ""
    for summary in dict.fromkeys((order.summary if is_gsm7(order.summary) else "", "")):
        said = f", {summary}" if summary else ""
        yield f"{head}: go to {order.place_en} by {by}{said}{end}"
    yield f"{head}: interception order by {by}, call the command centre{end}"


def open_codes_text(codes: list[tuple[str, str]], language: Language, signature: Signature) -> str:
    """The answer to an acknowledgement that fits several notices: which codes are open (case, code)."""
    listed = [f"{case}:{code}" for case, code in codes]
    variants = []
    for count in range(len(listed), 0, -1):
        some = " ".join(listed[:count])
        zh = f"【{signature.zh}】有多条待签收,请回复签收码:{some}"
        variants.append(
            zh if language == "zh" else f"[{signature.en}] Several are open. Reply with a code: {some}"
        )
    return _first_that_fits(iter(variants), segments_max=1)


def beijing(moment: datetime) -> str:
    """The clock time that people in the county read, HH:MM."""
    return moment.astimezone(BEIJING).strftime("%H:%M")


def _first_that_fits(variants: Iterator[str], *, segments_max: int) -> str:
    shortest = 0
    for text in variants:
        if segmentation(text).segments <= segments_max:
            return text
        shortest = len(text)
    raise TextTooLong(
        f"The shortest text has {shortest} characters and needs more than {segments_max} segment(s); "
        "shorten GUITU_SMS_SIGNATURE_ZH or GUITU_SMS_SIGNATURE_EN."
    )


def _shorter_looks(phrases: list[str], joint: str, last: str) -> Iterator[str]:
    """All phrases of the appearance, then without the last one, and so on; the first says most.

    After them comes `last`, if given: with a link the words must say something, since the page says the rest.
    """
    for count in range(min(len(phrases), PHRASES_MAX), 0, -1):
        yield joint.join(phrases[:count])
    if last:
        yield last


def _phrases_zh(appearance: str) -> list[str]:
    return [part for part in _PHRASE.split(appearance) if part]


def _phrases_en(appearance: str) -> list[str]:
    """Only phrases of the 7-bit alphabet: one Chinese character would turn the whole text to 70 units."""
    parts = (part.strip() for part in re.split(r"[,,、;;。.]+", appearance))
    return [part for part in parts if part and is_gsm7(part)]


def _places_zh(alert: AlertText) -> Iterator[str]:
    """The place as it was said, without the county that everybody knows, then its last part alone."""
    without_county = _PLACE_PREFIX.sub("", alert.place)
    last_part = re.split(r"[\s,,、/]+", without_county.strip())[-1]
    spot = f"{alert.lat:.3f},{alert.lon:.3f}"
    yield from dict.fromkeys(place for place in (without_county, last_part, spot) if place)


def _update_zh(alert: AlertText) -> str:
    return f"更新{alert.version}" if alert.kind == "updated" else ""


def _mark_zh(exercise: bool) -> str:
    return "【演练】" if exercise else ""


def _mark_en(exercise: bool) -> str:
    return "EXERCISE " if exercise else ""


_SEX_ZH = {Sex.male: "男", Sex.female: "女", Sex.unknown: "儿童"}
_SEX_EN = {Sex.male: "boy", Sex.female: "girl", Sex.unknown: "child"}
_OVER_ZH = {"found": "孩子已找到", "false_alarm": "警情撤销", "merged": "已并案", "exercise_over": "演练结束"}
_OVER_EN = {
    "found": "child found",
    "false_alarm": "false alarm",
    "merged": "merged",
    "exercise_over": "exercise over",
}
_ORDER_OVER_ZH = {
    "found": "孩子已找到",
    "false_alarm": "警情撤销",
    "merged": "已并案",
    "exercise_over": "演练结束",
    "replanned": "方案调整",
    "overdue": "超时未接令",
}
