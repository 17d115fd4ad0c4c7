"""A county in the middle of a case, for looking at pages: orders in every state, sites that answered, a sighting, DNA.

The same things happen each time, with the same people; ids and codes are new, as in life.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import numpy as np

from demo.case import Case, Json
from demo.cast import Cast
from demo.scripted import LAST_SEEN, SIGHTING, WITNESS
from harness.families import family_drawn

KIT = "VeriFiler Plus"
SEED = 20261201
DRILL_AT = "Yunyang Town bus station"
CHILD = {"sex": "female", "age_years": 6, "height_cm": 116, "appearance": "红色羽绒服,蓝色书包,短发"}


@dataclass(frozen=True)
class Scene:
    """What pages can be about."""

    case: Case
    drill: Case
    order_page: str
    notice_page: str
    child: Json
    """A specimen of a child of unknown origin, with a lead to the case's parents."""
    lead: Json
    gate_request: Json


async def busy_county(cast: Cast) -> Scene:
    """Raise a case and an exercise, and let everybody do what they do in the first minutes."""
    case = await cast.command_centre.raises_alert(cast.book.site(LAST_SEEN), **CHILD)
    await cast.command_centre.weighed_plan(case)
    (order_page, notice_page), (child, lead, gate_request) = await asyncio.gather(
        _the_net_closes(cast, case), _blood_is_compared(cast, case)
    )
    drill = await cast.command_centre.raises_alert(cast.book.site(DRILL_AT), exercise=True, **CHILD)
    await cast.command_centre.weighed_plan(drill)
    return Scene(case, drill, order_page, notice_page, child, lead, gate_request)


async def _the_net_closes(cast: Cast, case: Case) -> tuple[str, str]:
    """Units accept, take their places and see nothing; a site acknowledges, another reports a sighting."""
    orders = await cast.command_centre.new_orders(case)
    third = max(1, len(orders) // 3)
    await cast.units_press(case, orders[:third], "accept", "in-position")
    await cast.units_press(case, orders[:1], "nothing-seen")
    await cast.units_press(case, orders[third : 2 * third], "accept")
    station, witness = cast.terminal(LAST_SEEN), cast.terminal(WITNESS)
    await station.expects_sms(case)
    await station.replies("1")
    notice = await station.opens_notice(case)
    before = (await cast.command_centre.plan(case))["plan"]["plan_number"]
    await witness.expects_sms(case)
    await witness.replies(SIGHTING)
    await cast.command_centre.plan(case, at_least=before + 1, trigger="sighting")
    await cast.command_centre.weighed_plan(case)
    unit = await cast.police.unit_with(case, orders[-1])
    return unit.link, notice.url


async def _blood_is_compared(cast: Cast, case: Case) -> tuple[Json, Json, Json]:
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
    return child, leads[0], asked
