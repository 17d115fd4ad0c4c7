"""What goes into one SMS: never a name, never two segments unless an order's link needs them, never cut blindly.

The words are templates (`domain/templates.py`); here are the values for their holes and the order in which a text
that is too long says less: without the height, with fewer phrases of the appearance, with a shorter place, without
spare words, without the link, at last without appearance and place. If nothing fits it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from contracts.base import Child, Sex
from notifications.domain.ladder import Fitted, Step, TextTooLong, fit, with_spare
from notifications.domain.lookalikes import plain
from notifications.domain.templates import Language, Template
from notifications.segments import is_gsm7

__all__ = ["AlertText", "Language", "OrderText", "Signature", "TextTooLong", "beijing"]

BEIJING = timezone(timedelta(hours=8))
ORDER_SEGMENTS_MAX = 4
"""A signed order link alone fills two segments; more than four would be refused by carriers as too long."""

PHRASES_MAX = 12
_COMMAS = r",\uff0c、;\uff1b。."
"""What parts one phrase of an appearance from the next; full-width ones as Chinese keyboards type them."""
_PHRASE_ZH = re.compile(rf"[{_COMMAS}\s]+")
_PHRASE_EN = re.compile(rf"[{_COMMAS}]+")
_PLACE_PREFIX = re.compile(r"^(?:重庆市|重庆)?(?:云阳县|云阳)?(?=.{2})")


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


def head(signature: Signature, exercise: bool, language: Language) -> str:
    """What every text begins with: the exercise mark and who sends."""
    if language == "zh":
        return f"{'【演练】' if exercise else ''}【{plain(signature.zh, 'zh')}】"
    return f"{'EXERCISE ' if exercise else ''}[{plain(signature.en, 'en')}] "


def alert_text(
    alert: AlertText, language: Language, signature: Signature, ack_code: str, link: str, template: Template
) -> Fitted:
    """One segment that a person at a bus station can act on. Raises: TextTooLong."""
    begin = head(signature, alert.exercise, language)
    return fit(template, _alert_steps(alert, language, ack_code, link, template), begin)


def _alert_steps(
    alert: AlertText, language: Language, ack_code: str, link: str, template: Template
) -> Iterator[Step]:
    """With the link the appearance must say something, since the page says the rest; without it may say nothing."""
    known = _of_alert(alert, language, ack_code)
    tall = f"{alert.child.height_cm}cm" if alert.child.height_cm else ""
    phrases = _phrases(alert.child.appearance, language)
    places = _places(alert, language)
    for url, least, spare in _passes(link, template):
        for place in places:
            for looks in _shorter(phrases, "、" if language == "zh" else ", ", least):
                for height in dict.fromkeys((tall, "")):
                    yield Step(known | {"link": url, "place": place, "looks": looks, "height": height}, spare)
    yield Step(known, spare=False)


def _passes(link: str, template: Template) -> Iterator[tuple[str, int, bool]]:
    """Link, fewest phrases of the appearance, spare words: the appearance says more than spare words do."""
    spares = (True, False) if template.has_spare else (False,)
    for url in dict.fromkeys((link, "")):
        if url or template.has_spare:
            yield from ((url, 1, spare) for spare in spares)
        if not url:
            yield from ((url, 0, spare) for spare in spares)


def _of_alert(alert: AlertText, language: Language, ack_code: str) -> dict[str, str]:
    age = alert.child.age_years
    return {
        "case": alert.case_code,
        "update": str(alert.version),
        "child": f"{_SEX_ZH[alert.child.sex]}{age}岁"
        if language == "zh"
        else f"{_SEX_EN[alert.child.sex]} {age}",
        "at": beijing(alert.last_seen_at),
        "code": ack_code,
    }


def stand_down_text(
    case_code: str,
    outcome: str,
    exercise: bool,
    language: Language,
    signature: Signature,
    template: Template,
) -> Fitted:
    """One segment: it is over, why, and thank you. Raises: TextTooLong."""
    words, otherwise = (_OVER_ZH, "警情已结束") if language == "zh" else (_OVER_EN, "alert over")
    values = {"case": case_code, "outcome": words.get(outcome, otherwise)}
    return fit(template, with_spare([values], template), head(signature, exercise, language))


def order_text(
    order: OrderText, language: Language, signature: Signature, ack_code: str, link: str, template: Template
) -> Fitted:
    """The order with its page's link where the route takes one, else one segment. Raises: TextTooLong."""
    steps = with_spare(_order_values(order, language, ack_code, link), template)
    limit = ORDER_SEGMENTS_MAX if link else 1
    return fit(template, steps, head(signature, order.exercise, language), limit)


def _order_values(order: OrderText, language: Language, ack_code: str, link: str) -> Iterator[dict[str, str]]:
    known = {"case": order.case_code, "code": ack_code, "link": link}
    if order.stood_down:
        reason = order.stood_down.replace("_", " ")
        if language == "zh":
            reason = _ORDER_OVER_ZH.get(order.stood_down, "结束")
        yield known | {"reason": reason}
        return
    known["by"] = beijing(order.arrive_by) if order.arrive_by else ""
    place = plain(order.place_zh if language == "zh" else order.place_en, language)
    summary = plain(order.summary, language)
    if language == "en" and not is_gsm7(summary):
        summary = ""
    for said in dict.fromkeys((summary, "")):
        yield known | {"place": place, "summary": said}
    yield known


def open_codes_text(
    codes: Sequence[tuple[str, str]], language: Language, signature: Signature, template: Template
) -> Fitted:
    """The answer to an acknowledgement that fits several notices: which codes are open (case, code)."""
    listed = [f"{case}:{code}" for case, code in codes]
    values = ({"codes": " ".join(listed[:count])} for count in range(len(listed), 0, -1))
    return fit(template, with_spare(values, template), head(signature, False, language))


def drill_text(
    language: Language, signature: Signature, ack_code: str, link: str, template: Template
) -> Fitted:
    """One segment that tests the way to somebody; always marked as an exercise. Raises: TextTooLong."""
    values = [{"code": ack_code, "link": url} for url in dict.fromkeys((link, ""))]
    return fit(template, with_spare(values, template), head(signature, True, language))


def beijing(moment: datetime) -> str:
    """The clock time that people in the county read, HH:MM."""
    return moment.astimezone(BEIJING).strftime("%H:%M")


def _shorter(phrases: Sequence[str], joint: str, least: int) -> Iterator[str]:
    """All phrases of the appearance, then without the last one, and so on; the first says most."""
    for count in range(min(len(phrases), PHRASES_MAX), least - 1, -1):
        yield joint.join(phrases[:count])


def _phrases(appearance: str, language: Language) -> list[str]:
    """In English only those of the 7-bit alphabet: one Chinese character would turn the whole text to 70 units."""
    split = _PHRASE_ZH if language == "zh" else _PHRASE_EN
    parts = (plain(part, language).strip() for part in split.split(appearance))
    return [part for part in parts if part and (language == "zh" or is_gsm7(part))]


def _places(alert: AlertText, language: Language) -> list[str]:
    """The place as it was said, in Chinese without the county that everybody knows, then its last part; its spot."""
    spot, said = f"{alert.lat:.3f},{alert.lon:.3f}", plain(alert.place, language)
    if language == "en":
        return list(dict.fromkeys((said if said and is_gsm7(said) else spot, spot)))
    without_county = _PLACE_PREFIX.sub("", said)
    last_part = re.split(r"[\s,\uff0c、/]+", without_county.strip())[-1]
    return list(dict.fromkeys(place for place in (without_county, last_part, spot) if place))


_SEX_ZH = {Sex.male: "男", Sex.female: "女", Sex.unknown: "儿童"}
_SEX_EN = {Sex.male: "boy", Sex.female: "girl", Sex.unknown: "child"}
_OVER_ZH = {"found": "孩子已找到", "false_alarm": "警情撤销", "merged": "已并案", "exercise_over": "演练结束"}
_OVER_EN = {
    "found": "child found",
    "false_alarm": "false alarm",
    "merged": "merged",
    "exercise_over": "exercise over",
}
_ORDER_OVER_ZH = _OVER_ZH | {"replanned": "方案调整", "overdue": "超时未接令"}
