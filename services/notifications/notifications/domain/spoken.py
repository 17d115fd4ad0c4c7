"""What a call says: short sentences that are understood at the first hearing, and the keys that answer.

Never a name. A case code is read character by character: a number read as "four hundred and seventy-two" can't be
compared with the one in an SMS. The texts of SMS are in `texts.py`; a voice has no segments but a listener forgets.
"""

from __future__ import annotations

import re
from datetime import datetime

from contracts.base import Sex
from notifications.domain.texts import BEIJING, AlertText, Language, OrderText, Signature
from notifications.segments import is_gsm7

PHRASES_MAX = 4
"""Of the appearance; nobody keeps more in mind while looking for a pen."""
_BETWEEN = re.compile(r"[,,、;;。.]+")

MENU: dict[Language, str] = {
    "zh": "签收请按1。重听请按2。请指挥中心联系您,请按9。",
    "en": "Press 1 to acknowledge. Press 2 to hear it again. Press 9 to be called by the command centre.",
}
THANKS: dict[Language, str] = {"zh": "已签收。谢谢您。", "en": "Acknowledged. Thank you."}
ANSWERED: dict[Language, str] = {
    "zh": "这条通知已经签收。谢谢您。",
    "en": "This notice is already acknowledged. Thank you.",
}
ASKED: dict[Language, str] = {
    "zh": "已转告指挥中心,请等候来电。",
    "en": "The command centre has been told. Please wait for its call.",
}
GOODBYE: dict[Language, str] = {"zh": "没有收到按键。再见。", "en": "No key was pressed. Goodbye."}
UNKNOWN: dict[Language, str] = {
    "zh": "没有这条通知。如有疑问,请拨打110。再见。",
    "en": "There is no such notice. If in doubt, call 110. Goodbye.",
}


def spelled(code: str) -> str:
    """A code as single letters and digits; what only joins them is silent."""
    return ", ".join(character for character in code if character.isalnum())


def alert_spoken(alert: AlertText, language: Language, signature: Signature) -> str:
    """Who calls, about which case, whom to look for, where and when last seen, and what to do."""
    return _alert_zh(alert, signature) if language == "zh" else _alert_en(alert, signature)


def order_spoken(order: OrderText, language: Language, signature: Signature) -> str:
    """Who calls, about which case, where to be and by when; or that the order is over."""
    return _order_zh(order, signature) if language == "zh" else _order_en(order, signature)


def drill_spoken(language: Language, signature: Signature) -> str:
    """A test notice: nobody is missing."""
    if language == "zh":
        return f"这是演练。这里是{signature.zh}。本次来电仅测试通知是否送达。"
    return f"This is an exercise. This is {signature.en}. This call only tests that notices arrive."


def over_spoken(case_code: str, exercise: bool, language: Language, signature: Signature) -> str:
    """The case or the order is over, and thanks."""
    if language == "zh":
        return f"{_head_zh(case_code, exercise, signature)}协查已解除。谢谢您。"
    return f"{_head_en(case_code, exercise, signature)} This is over. You may stop looking. Thank you."


def _alert_zh(alert: AlertText, signature: Signature) -> str:
    child = f"{_SEX_ZH[alert.child.sex]},{alert.child.age_years}岁"
    tall = f",身高{alert.child.height_cm}厘米" if alert.child.height_cm else ""
    looks = "、".join(_phrases(alert.child.appearance)) or "特征请询110"
    update = f"这是第{alert.version}版更新。" if alert.kind == "updated" else ""
    return (
        f"{_head_zh(alert.case_code, alert.exercise, signature)}{update}有儿童走失。{child}{tall}。{looks}。"
        f"{_clock_zh(alert.last_seen_at)},在{alert.place}走失。请查找。看到请拨打1、1、0。"
    )


def _alert_en(alert: AlertText, signature: Signature) -> str:
    child = f"A {_SEX_EN[alert.child.sex]}, {alert.child.age_years} years old"
    tall = f", {alert.child.height_cm} centimetres tall" if alert.child.height_cm else ""
    looks = ", ".join(part for part in _phrases(alert.child.appearance) if is_gsm7(part))
    update = f" This is update {alert.version}." if alert.kind == "updated" else ""
    where = f", at {alert.place}" if alert.place and is_gsm7(alert.place) else ""
    return (
        f"{_head_en(alert.case_code, alert.exercise, signature)}{update} A child is missing. {child}{tall}."
        f"{f' {looks}.' if looks else ''} Last seen at {_clock(alert.last_seen_at)}{where}."
        " Please look for the child. If seen, call 1, 1, 0."
    )


def _order_zh(order: OrderText, signature: Signature) -> str:
    head = _head_zh(order.case_code, order.exercise, signature)
    if order.stood_down:
        return f"{head}指令解除,可以撤离。谢谢您。"
    by = f"{_clock_zh(order.arrive_by)}前" if order.arrive_by else "立即"
    return f"{head}堵截指令。请{by}到{order.place_zh}。"


def _order_en(order: OrderText, signature: Signature) -> str:
    head = _head_en(order.case_code, order.exercise, signature)
    if order.stood_down:
        return f"{head} The order is over. You may leave. Thank you."
    by = f"by {_clock(order.arrive_by)}" if order.arrive_by else "now"
    return f"{head} Interception order. Go to {order.place_en} {by}."


def _head_zh(case_code: str, exercise: bool, signature: Signature) -> str:
    return f"{'这是演练。' if exercise else ''}这里是{signature.zh}。案件编号:{spelled(case_code)}。"


def _head_en(case_code: str, exercise: bool, signature: Signature) -> str:
    mark = "This is an exercise. " if exercise else ""
    return f"{mark}This is {signature.en}. Case number: {spelled(case_code)}."


def _clock_zh(moment: datetime) -> str:
    local = moment.astimezone(BEIJING)
    return f"{local.hour}点{local.minute:02}分" if local.minute else f"{local.hour}点整"


def _clock(moment: datetime) -> str:
    return moment.astimezone(BEIJING).strftime("%H:%M")


def _phrases(appearance: str) -> list[str]:
    parts = (part.strip() for part in _BETWEEN.split(appearance))
    return [part for part in parts if part][:PHRASES_MAX]


_SEX_ZH = {Sex.male: "男孩", Sex.female: "女孩", Sex.unknown: "儿童"}
_SEX_EN = {Sex.male: "boy", Sex.female: "girl", Sex.unknown: "child"}
