"""A county in the middle of a case, for looking at pages: orders in every state, sites that answered, a sighting, DNA.

The same things happen each time, with the same people; ids and codes are new, as in life.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from uuid import uuid4

import numpy as np

from console.door.account_cli import new_login_link
from demo.case import Case
from demo.cast import Cast
from demo.scripted import LAST_SEEN, SIGHTING, WITNESS
from harness.families import family_drawn

KIT = "VeriFiler Plus"
SEED = 20261201
DRILL = "ferry-escape"
DRILL_AT = "Yunyang Town bus station"
CHILD = {"sex": "female", "age_years": 6, "height_cm": 116, "appearance": "红色羽绒服,蓝色书包,短发"}


@dataclass(frozen=True)
class Scene:
    """What pages can be about: ids by the names that routes give them, and the links that SMS brought."""

    case: Case
    ids: dict[str, str]
    links: dict[str, str]


async def busy_county(cast: Cast) -> Scene:
    """Raise a case and exercises, and let everybody do what they do in the first minutes."""
    case = await cast.command_centre.raises_alert(cast.book.site(LAST_SEEN), **CHILD)
    await cast.command_centre.weighed_plan(case)
    links, dna = await asyncio.gather(_the_net_closes(cast, case), _blood_is_compared(cast, case))
    drill = await cast.command_centre.raises_alert(cast.book.site(DRILL_AT), exercise=True, **CHILD)
    await cast.command_centre.weighed_plan(drill)
    ids = {"case_id": case.case_id, "drill_id": drill.case_id, "region_code": cast.stage.settings.region_code}
    ids |= {"kind": "hotel", "language": "zh", "stage": "raised"} | dna | await _ids_of(cast, case)
    ids |= {"run_id": await _drill_runs(cast), "token": await _login_token(cast)}
    return Scene(case, ids, links)


async def _ids_of(cast: Cast, case: Case) -> dict[str, str]:
    """An order, a unit, a site, a delivery and a message of the case."""
    order = (await cast.command_centre.orders(case))[0]
    delivery = next(each for each in await cast.command_centre.notices(case) if each["acknowledged_at"])
    message = (await cast.phones.got(case))[0]
    return {
        "order_id": order["order_id"],
        "unit_id": order["unit_id"],
        "site_id": delivery["site_id"],
        "delivery_id": delivery["id"],
        "sid": message["sid"],
    }


async def _login_token(cast: Cast) -> str:
    link = await new_login_link(cast.stage.settings, cast.stage.urls["console"], "operator")
    return link.rpartition("/")[2]


async def _drill_runs(cast: Cast) -> str:
    """Start a scripted case at the console's own page; returns the run's id."""
    http, console = cast.stage.http, cast.stage.urls["console"]
    cookies = (await http.post(f"{console}/login", data={"token": cast.stage.token("operator")})).cookies
    page = await http.get(f"{console}/drill", cookies=cookies, headers={"Accept": "text/html"})
    csrf = page.text.split('data-csrf="', 1)[1].split('"', 1)[0]
    form = {"csrf": csrf, "key": str(uuid4()), "scenario": DRILL, "speed": "1", "anyway": "yes"}
    answer = await http.post(f"{console}/drill", data=form, cookies=cookies)
    assert answer.is_redirect, answer.text[:300]
    return str(answer.headers["location"].rpartition("/")[2])


async def _the_net_closes(cast: Cast, case: Case) -> dict[str, str]:
    """Units accept, take their places and see nothing; a site acknowledges, another reports a sighting."""
    orders = await cast.command_centre.new_orders(case)
    third = max(1, len(orders) // 3)
    await cast.units_press(case, orders[:third], "accept", "in-position")
    await cast.units_press(case, orders[:1], "nothing-seen")
    await cast.units_press(case, orders[third : 2 * third], "accept")
    station, witness = cast.terminal(LAST_SEEN), cast.terminal(WITNESS)
    await station.expects_sms(case)
    # By its page: of several open cases an SMS of `1` alone does not say which is meant.
    notice = await station.opens_notice(case)
    await notice.press("ack")
    before = (await cast.command_centre.plan(case))["plan"]["plan_number"]
    await witness.expects_sms(case)
    await witness.replies(SIGHTING)
    await cast.command_centre.plan(case, at_least=before + 1, trigger="sighting")
    await cast.command_centre.weighed_plan(case)
    unit = await cast.police.unit_with(case, orders[-1])
    return {"order": unit.link, "notice": notice.url}


async def _blood_is_compared(cast: Cast, case: Case) -> dict[str, str]:
    """The parents' specimens and a child's of unknown origin are read; the search finds them together."""
    family = family_drawn(KIT, np.random.default_rng(SEED))
    laboratory = cast.laboratory
    await laboratory.requests(case)
    for relation, sex in (("father", "male"), ("mother", "female")):
        parent = await laboratory.takes(
            "parent_of_missing_child", case_id=case.case_id, relation=relation, registered_sex=sex
        )
        await laboratory.reads(parent, KIT, family.of(relation))
    child = await laboratory.takes("unknown_origin", registered_sex=family.child_sex)
    asked = await cast.registry.asks_the_gate(child, f"YY-{child['barcode'][:5]}")
    await laboratory.reads(child, KIT, family.of("child"))
    leads = await laboratory.leads_on(child)
    searches = await cast.stage.ask("dna-intake", "GET", "/searches", role="laboratory")
    return {
        "specimen_id": child["id"],
        "candidate_id": leads[0]["id"],
        "request_id": asked["request_id"],
        "search_id": searches["searches"][0]["id"],
    }
