"""The notice page: what the staff of a site see when they open the link in their SMS.

Works without JavaScript and stays under 25 KB; reading it never acknowledges, since phones open links by
themselves to preview them.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from notifications.domain.texts import BEIJING
from notifications.store import Row

PAGE_BYTES_MAX = 25_000
HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
}
_SEX = {"male": "男 boy", "female": "女 girl", "unknown": "不详 unknown"}
SAID = {
    "ack": ("已签收,谢谢。", "Acknowledged, thank you."),
    "sighting": ("线索已送出,谢谢。", "The sighting was sent, thank you."),
}
REFUSED = {
    "no_note": ("请写下看到了什么。", "Please write what you saw."),
    "long_note": ("写得太长,最多1000字。", "That is too long: 1000 characters at most."),
    "bad_time": (
        "时间格式应为 时:分,例如 14:20;刚才看到就不填。",
        "The time must be HH:MM; leave it empty if it was just now.",
    ),
}
"""Why a sighting was not taken; what was typed is still on the page."""
_pages = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
)


def notice_page(
    row: Row, home: str, said: str = "", refused: str = "", typed: tuple[str, str] = ("", "")
) -> HTMLResponse:
    """The page of a delivery (`row` of `store.by_page`), zh first; with `refused` it answers 422.

    `home` is the path that our pages lie under for the outside world; it is empty where they have a host of
    their own.
    """
    html = _pages.get_template("notice.html").render(
        case_code=row["case_code"],
        exercise=row["exercise"],
        drill=row["kind"] == "drill",
        over=row["stood_down_at"] is not None,
        acknowledged=row["acknowledged_at"] is not None,
        here=f"{home}/n/{row['page_token']}",
        facts=_facts(row),
        said=SAID.get(said),
        refused=REFUSED.get(refused),
        typed=typed,
    )
    assert len(html.encode()) < PAGE_BYTES_MAX, "The notice page must load on a bad connection."
    return HTMLResponse(html, 422 if refused else 200, HEADERS)


def no_such_notice() -> HTMLResponse:
    """The page for a link that is wrong or over; it does not say which."""
    return HTMLResponse(_pages.get_template("no_notice.html").render(), 404, HEADERS)


def _facts(row: Row) -> list[tuple[str, str, str]]:
    content = row["content"]
    if "child" not in content:
        return [("任务", "Order", content.get("place_zh") or "见指令页面 see the order page")]
    return _child(content["child"]) + _last_seen(content)


def _child(child: dict[str, Any]) -> list[tuple[str, str, str]]:
    facts = [("性别", "Sex", _SEX[child["sex"]]), ("年龄", "Age", f"{child['age_years']}岁")]
    if child.get("height_cm"):
        facts.append(("身高", "Height", f"{child['height_cm']} cm"))
    return [*facts, ("特征", "Appearance", child["appearance"])]


def _last_seen(content: dict[str, Any]) -> list[tuple[str, str, str]]:
    place, seen = content["last_seen_place"], datetime.fromisoformat(content["last_seen_at"])
    position = place["position"]
    facts = [
        ("最后地点", "Last seen", place["name"] or f"{position['lat']:.4f}, {position['lon']:.4f}"),
        ("最后时间", "At", f"{seen.astimezone(BEIJING):%Y-%m-%d %H:%M} (北京时间 UTC+8)"),
    ]
    return [*facts, ("车辆", "Vehicle", content["vehicle"])] if content.get("vehicle") else facts
