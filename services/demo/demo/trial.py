"""After the script it is the visitor's turn: an open case of his own, the links of its people, and a login a role.

Every login and link is used once before it is shown: what a visitor is handed works.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from console.door.account_cli import new_login_link
from demo.case import Case
from demo.cast import Cast
from demo.paper import Page
from demo.scripted import DEMO_NOTE
from demo.stage import Stage
from guitu import auth

LAST_SEEN = "Yunyang Town bus station"
CHILD: dict[str, Any] = {
    "sex": "male",
    "age_years": 4,
    "height_cm": 104,
    "appearance": "蓝色外套,白色运动鞋,戴黄色帽子",
}


@dataclass(frozen=True)
class Login:
    """A role's token, who has it, an address that it opens, and a link that logs in to the console once."""

    role: auth.Role
    who: str
    token: str
    opens: str
    console_link: str


@dataclass(frozen=True)
class Trial:
    """An open case, a unit's and a site's page of it, and the logins."""

    case: Case
    order_page: str
    notice_page: str
    logins: tuple[Login, ...]


# Units and sites have no login: the link of their SMS is theirs.
ROLES: tuple[tuple[auth.Role, str, str, str], ...] = (
    ("operator", "指挥中心值班员", "alerts", "/cases"),
    ("case_leader", "专案组组长", "alerts", "/cases/{case_id}"),
    ("laboratory", "DNA 实验室", "dna-intake", "/requests?case_id={case_id}"),
    ("registry", "户籍民警", "dna-intake", "/requests?case_id={case_id}"),
    ("auditor", "督查", "notifications", "/notices?case_id={case_id}"),
    ("admin", "系统管理员", "dispatch", "/orders?case_id={case_id}"),
)


async def open_trial(stage: Stage) -> Trial:
    """Raise a second alert and leave it open. Raises: NeverCame, Refused, where something does not work."""
    cast = Cast(stage)
    case = await cast.command_centre.raises_alert(cast.book.site(LAST_SEEN), note=DEMO_NOTE, **CHILD)
    await cast.command_centre.weighed_plan(case)
    await cast.command_centre.all_notices_sent(case, ("raised", "order"))
    order = (await cast.command_centre.new_orders(case))[0]
    unit = await cast.police.unit_with(case, order)
    await unit.page()
    notice = await cast.terminal(LAST_SEEN).opens_notice(case)
    logins = [await _login(stage, case, *each) for each in ROLES]
    return Trial(case, unit.link, _as_sent(stage, notice), tuple(logins))


async def _login(stage: Stage, case: Case, role: auth.Role, who: str, service: str, path: str) -> Login:
    """Make a login and use it once."""
    path = path.format(case_id=case.case_id)
    await stage.ask(service, "GET", path, role=role)
    link = await new_login_link(stage.settings, stage.urls["console"], role)
    return Login(role, who, stage.token(role), f"{stage.urls[service]}{path}", link)


def _as_sent(stage: Stage, page: Page) -> str:
    """The address as it would stand in an SMS that has room for it."""
    return page.url.replace(stage.urls["notifications"], stage.public_url("notifications"), 1)
