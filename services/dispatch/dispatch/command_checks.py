"""Whether a command can be carried out: each reason against it is a sentence with its mend, in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.base import UnitId
from dispatch.domain.constraints import is_forbidden
from dispatch.domain.orders import HELD_STATES, OrderState
from dispatch.domain.positions import capabilities_of, snap_to_road
from dispatch.domain.problem import Place, PlaceId
from dispatch.live import forbidden_of, place_by_hand_id, with_places_by_hand
from dispatch.models import Case, County, OrderRow, UnitNow
from dispatch.models_live import ByHand, Command, Live, PutForbid, PutPin
from dispatch.settings import DispatchSettings
from dispatch.times import minute_of_day
from guitu.problem import Problem


@dataclass(frozen=True)
class Scene:
    """A case with everything that a command is checked against; `commands` are those that stand."""

    case: Case
    county: County
    units: tuple[UnitNow, ...]
    orders: tuple[OrderRow, ...]
    live: Live
    commands: tuple[Command, ...]
    settings: DispatchSettings

    @property
    def places(self) -> dict[UUID, Place]:
        """Listed places and those set up by hand."""
        county = with_places_by_hand(self.county, self.commands)
        return {place.place_id: place for place in county.places}


def pin_of(scene: Scene, asked: PutPin, command_id: UUID, actor: str, now: datetime) -> Command:
    """The command that is asked for. Raises: Problem, if there is no such unit or place."""
    unit = _unit(scene, asked.unit_id)
    node_id, name, needs, place_id = None, "", "", asked.place_id
    if asked.by_hand is not None:
        place_id, node_id, name, needs = _by_hand(scene, asked.by_hand, unit)
    else:
        listed = _place(scene, asked.place_id)
        known = next((c for c in scene.commands if c.place_id == listed.place_id and c.by_hand_node), None)
        if known is not None:
            node_id, name, needs = known.by_hand_node, known.by_hand_name, known.by_hand_needs
    return Command(
        command_id=command_id,
        case_id=scene.case.case_id,
        region_code=scene.case.region_code,
        kind="pin",
        unit_id=asked.unit_id,
        place_id=place_id,
        by_hand_node=node_id,
        by_hand_name=name,
        by_hand_needs=needs,
        note=asked.note,
        set_by=actor,
        set_at=now,
    )


def forbid_of(scene: Scene, asked: PutForbid, command_id: UUID, actor: str, now: datetime) -> Command:
    """The command that is asked for. Raises: Problem, if there is no such unit or place."""
    if asked.unit_id is not None:
        _unit(scene, asked.unit_id)
    if asked.place_id is not None:
        _place(scene, asked.place_id)
    return Command(
        command_id=command_id,
        case_id=scene.case.case_id,
        region_code=scene.case.region_code,
        kind="forbid",
        unit_id=asked.unit_id,
        place_id=asked.place_id,
        by_hand_node=None,
        by_hand_name="",
        by_hand_needs="",
        note=asked.note,
        set_by=actor,
        set_at=now,
    )


def refuse_pin(scene: Scene, wanted: Command, now: datetime) -> None:
    """Raises: Problem 409, if the unit cannot or must not stand there."""
    assert wanted.unit_id is not None, "A pin names a unit."
    assert wanted.place_id is not None, "A pin names a place."
    unit = _unit(scene, wanted.unit_id)
    _refuse_unit(scene, unit, now)
    place = with_places_by_hand(scene.county, (*scene.commands, wanted)).places
    there = next(one for one in place if one.place_id == wanted.place_id)
    _refuse_place(scene, unit, there)
    if is_forbidden(forbidden_of(scene.commands), UnitId(wanted.unit_id), there.place_id):
        raise Problem(
            409,
            "forbidden_by_command",
            f"A command rules out unit {unit.row.code} at {there.name_en or there.name_zh}.",
            f"已有指令禁止{unit.row.code}到{there.name_zh}。",
            "Take that command back first: DELETE /cases/{case_id}/forbids/{command_id}.",
        )
    _refuse_taken(scene, unit, there)


def refuse_forbid(scene: Scene, wanted: Command) -> None:
    """Raises: Problem 409, if a pin that stands asks for the opposite."""
    pair = {(UnitId(wanted.unit_id) if wanted.unit_id else None, _place_id(wanted.place_id))}
    for one in scene.commands:
        if one.kind != "pin" or not (one.unit_id and one.place_id):
            continue
        if is_forbidden(pair, UnitId(one.unit_id), PlaceId(one.place_id)):
            raise Problem(
                409,
                "pinned_by_command",
                f"A command sends unit {one.unit_id} to place {one.place_id}; this one would rule that out.",
                "已有指令指定该警力到该卡点,与此禁令矛盾。",
                "Take that command back first: DELETE /cases/{case_id}/pins/{command_id}.",
            )


def in_words(scene: Scene, one: Command) -> str:
    """The command in a sentence of each language, for the plan and the orders that follow from it."""
    unit = next((unit.row.code for unit in scene.units if unit.row.unit_id == one.unit_id), "")
    place = scene.places.get(one.place_id) if one.place_id else None
    zh, en = (place.name_zh, place.name_en or place.name_zh) if place else ("", "")
    if one.kind == "pin":
        return f"指挥员指定{unit}到{zh}。By command: unit {unit} to {en}."[:200]
    if not place:
        return f"指挥员:{unit}不参与本案。By command: unit {unit} not for this case."[:200]
    if not unit:
        return f"指挥员:不用{zh}卡点。By command: {en} is not used."[:200]
    return f"指挥员:{unit}不得派往{zh}。By command: unit {unit} never to {en}."[:200]


def no_network(region_code: str, mend: str) -> Problem:
    """409: nothing can be planned there yet."""
    what = f"Region {region_code} has no road network yet."
    return Problem(409, "no_network", what, "本辖区尚未导入路网。", mend)


def no_such(what_en: str, what_zh: str, wanted: object) -> Problem:
    """404, in the words of all routes."""
    return Problem(
        404,
        "not_found",
        f"There is no {what_en} {wanted} in your region.",
        f"您的辖区内没有{what_zh} {wanted}。",
        "Check the id, or ask an operator of the other region.",
    )


def _unit(scene: Scene, unit_id: UUID) -> UnitNow:
    found = next((unit for unit in scene.units if unit.row.unit_id == unit_id), None)
    if found is None:
        raise no_such("unit", "警力", unit_id)
    return found


def _place(scene: Scene, place_id: UUID | None) -> Place:
    found = scene.places.get(place_id) if place_id else None
    if found is None:
        raise no_such("place", "卡点", place_id)
    return found


def _place_id(place_id: UUID | None) -> PlaceId | None:
    return PlaceId(place_id) if place_id else None


def _by_hand(scene: Scene, asked: ByHand, unit: UnitNow) -> tuple[UUID, str | None, str, str]:
    """Place, node, name and need: the listed place at that node if the unit can work there, else one of its own.

    A unit closes a node of the network and nothing beside it, so a place far from every node would promise what
    it can't keep.
    """
    snapped = snap_to_road(scene.county.network, asked.lon, asked.lat)
    limit_m = scene.settings.by_hand_snap_max_m
    if snapped is None or snapped.distance_m > limit_m:
        away = "no road" if snapped is None else f"{snapped.distance_m:.0f} m from the nearest junction"
        raise Problem(
            422,
            "place_off_network",
            f"That place is {away} of the network; at most {limit_m:.0f} m can be bridged.",
            f"该位置不在路网上(距最近路口超过{limit_m:.0f}米)。",
            "Choose a point at a junction, or a listed place.",
        )
    able = capabilities_of(unit.row, scene.live.state_of(unit.row.unit_id))
    for place in sorted(scene.county.places, key=lambda place: place.place_id.int):
        if place.node == snapped.node and place.needs in able:
            return place.place_id, None, "", ""
    needs = "road" if "road" in able else min(able, default="road")
    node_id = scene.county.network.nodes.ids[snapped.node]
    return place_by_hand_id(scene.case.case_id, node_id), node_id, asked.name, needs


def _refuse_unit(scene: Scene, unit: UnitNow, now: datetime) -> None:
    code, state = unit.row.code, scene.live.state_of(unit.row.unit_id)
    if state.status != "available":
        raise Problem(
            409,
            "unit_not_available",
            f"Unit {code} is {state.status.replace('_', ' ')}.",
            f"{code}目前不可用。",
            "Send another unit, or set its status with PUT /units/{unit_id}/status.",
        )
    if not unit.row.shift.covers(minute_of_day(now)):
        raise Problem(
            409,
            "unit_off_duty",
            f"Unit {code} is not on duty at this hour.",
            f"{code}现不在班。",
            "Send a unit that is on duty; GET /units shows them.",
        )
    if unit.busy_case_id not in (None, scene.case.case_id):
        raise Problem(
            409,
            "unit_busy",
            f"Unit {code} has an order of another case.",
            f"{code}正在执行另一案件的指令。",
            "Rule it out there first (POST /cases/{case_id}/forbids), or send another unit.",
        )
    if any(row.unit_id == unit.row.unit_id and row.state == OrderState.intercepted for row in scene.orders):
        raise Problem(
            409,
            "unit_has_intercepted",
            f"Unit {code} has intercepted and stays with the child.",
            f"{code}已拦截,须留守保护孩子。",
            "Send another unit.",
        )


def _refuse_place(scene: Scene, unit: UnitNow, place: Place) -> None:
    code = unit.row.code
    if unit.row.post_place_id not in (None, place.place_id):
        raise Problem(
            409,
            "unit_at_post",
            f"{code} are staff of a station and stand at their post only.",
            f"{code}为场站人员,只能在本岗位。",
            "Send a police unit there.",
        )
    if place.needs not in capabilities_of(unit.row, scene.live.state_of(unit.row.unit_id)):
        raise Problem(
            409,
            "unit_cannot",
            f"{place.name_en or place.name_zh} needs '{place.needs}', which unit {code} cannot do.",
            f"{place.name_zh}需要“{place.needs}”能力,{code}不具备。",
            "Send a unit that can, or mend what it can do with PUT /units/{unit_id}/capabilities.",
        )


def _refuse_taken(scene: Scene, unit: UnitNow, place: Place) -> None:
    """One unit a place: neither beside another pin nor beside a unit that has accepted."""
    nodes = {place_id: one.node for place_id, one in scene.places.items()}
    others = [
        one.unit_id
        for one in scene.commands
        if one.kind == "pin" and one.unit_id != unit.row.unit_id and one.place_id
        if nodes.get(one.place_id) == place.node
    ]
    others += [
        row.unit_id
        for row in scene.orders
        if row.state in HELD_STATES and row.unit_id != unit.row.unit_id
        if nodes.get(row.place_id) == place.node
    ]
    if others:
        raise Problem(
            409,
            "place_taken",
            f"Unit {others[0]} has {place.name_en or place.name_zh} already.",
            f"{place.name_zh}已有警力。",
            "Rule that unit out there or take its pin back first, then send this one.",
        )
