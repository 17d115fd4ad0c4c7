"""The notice page: what the staff of a site see when they open the link in their SMS.

Works without JavaScript and stays under 25 KB with its photo; reading it never acknowledges, since phones open links
by themselves to preview them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from guitu.phone import Kit
from notifications.domain.page_sighting import AGO, WHAT, Typed
from notifications.domain.texts import BEIJING
from notifications.store import Row

PAGE_BYTES_MAX = 25_000
_HERE = Path(__file__).parent
_SEX = {"male": "男 boy", "female": "女 girl", "unknown": "不详 unknown"}
SAID = {
    "ack": ("已签收,谢谢。", "Acknowledged, thank you."),
    "sighting": (
        "线索已送出,谢谢。孩子还在眼前就立即拨打110,并保持电话畅通。",
        "The sighting was sent, thank you. If the child is still in sight call 110 now, and keep your phone free.",
    ),
}
REFUSED = {
    "no_note": ("请点选或写下看到了什么。", "Please choose or write what you saw."),
    "long_note": ("写得太长,最多1000字。", "That is too long: 1000 characters at most."),
    "bad_time": (
        "时间格式应为 时:分,例如 14:20;刚才看到就不填。",
        "The time must be HH:MM; leave it empty if it was just now.",
    ),
}
"""Why a sighting was not taken; what was typed is still on the page."""
KIT = Kit((_HERE / "notice.css").read_text(encoding="utf-8"))
_pages = Environment(
    loader=FileSystemLoader(_HERE),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_pages.globals |= {"kit": KIT, "what_chips": WHAT, "ago_chips": AGO}


def notice_page(
    request: Request,
    row: Row,
    home: str,
    days: int = 30,
    *,
    said: str = "",
    number: str = "",
    refused: str = "",
    typed: Typed | None = None,
    photo: bool = False,
) -> HTMLResponse:
    """The page of a delivery (`row` of `store.by_page`), zh first; with `refused` it answers 422.

    `home` is the path that our pages lie under for the outside world; it is empty where they have a host of
    their own. `days` is how long the link opens.
    """
    over, acknowledged_at = row["stood_down_at"] is not None, row["acknowledged_at"]
    html = _pages.get_template("notice.html").render(
        case_code=row["case_code"],
        exercise=row["exercise"],
        drill=row["kind"] == "drill",
        over=over,
        acknowledged=acknowledged_at is not None,
        acknowledged_at=f"{acknowledged_at.astimezone(BEIJING):%m-%d %H:%M}" if acknowledged_at else "",
        home=home,
        here=f"{home}/n/{row['page_token']}",
        facts=_facts(row),
        said=SAID.get(said),
        number=number if said == "sighting" else "",
        refused=REFUSED.get(refused),
        typed=typed or Typed(),
        key=uuid4().hex,
        photo=photo and not over,
        told=(row["name_zh"], row["name_en"]) if row["site_id"] else None,
        opens_until=f"{(row['queued_at'] + timedelta(days=days)).astimezone(BEIJING):%Y-%m-%d}",
        version=f"{over} {acknowledged_at is not None} {photo}",
    )
    assert len(html.encode()) < PAGE_BYTES_MAX, "The notice page must load on a bad connection."
    return KIT.page(html, 422 if refused else 200, request)


def no_such_notice(request: Request, status: int = 404) -> HTMLResponse:
    """The page for a link that is wrong or over; it does not say which."""
    return KIT.page(_pages.get_template("no_notice.html").render(), status, request)


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
        ("最后时间", "At", f"{_clock(seen)} (北京时间 UTC+8)"),
    ]
    return [*facts, ("车辆", "Vehicle", content["vehicle"])] if content.get("vehicle") else facts


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(BEIJING):%Y-%m-%d %H:%M}"
