"""The commander's hand: pin a unit to a place or rule one out, after its price was seen; or take a command back.

The price is dispatch's (`POST /cases/{id}/what-if`, which changes nothing), so it is shown by GET; only the button
below it commands.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from console.board.case import region_and_exercise
from console.county.directory import Directory, directory_of
from console.door.sessions import Visitor, visitor
from console.live.stream import access_case
from console.rendering import HEADERS, page
from console.upstream import Upstream
from guitu.problem import Problem
from guitu.service import Runtime

Json = dict[str, Any]
Actor = Annotated[Visitor, Depends(visitor("operator", "case_leader"))]
Kind = Literal["pin", "forbid"]
Note = Annotated[str, Form(max_length=200)]


@dataclass(frozen=True)
class Wish:
    """What the form asks for; complete enough for a price, or still being filled in."""

    kind: Kind | None
    unit_id: UUID | None
    place_id: UUID | None
    note: str = ""

    @property
    def is_whole(self) -> bool:
        """A pin needs a unit and a place; to rule something out, one of the two will do."""
        if self.kind == "pin":
            return self.unit_id is not None and self.place_id is not None
        return self.kind is not None and (self.unit_id is not None or self.place_id is not None)

    def body(self) -> Json:
        """As dispatch takes it."""
        ids = {"unit_id": self.unit_id, "place_id": self.place_id}
        return {name: str(one) for name, one in ids.items() if one} | {"note": self.note}


def command_router(runtime: Runtime) -> APIRouter:
    """/cases/{case_id}/command: the form with its price, the command, and taking one back."""
    router = APIRouter(include_in_schema=False)

    @router.get("/cases/{case_id}/command")
    async def ask(
        request: Request,
        who: Actor,
        case_id: UUID,
        kind: Kind | None = None,
        unit_id: Annotated[str, Query(max_length=36)] = "",
        place_id: Annotated[str, Query(max_length=36)] = "",
        note: Annotated[str, Query(max_length=200)] = "",
        withdraw: UUID | None = None,
    ) -> Response:
        """The form; with its fields filled in, what that would cost, or why it can't be done.

        Nothing is chosen beforehand: a unit and a place make sense either way, and the two commands are opposites.
        """
        wish = Wish(kind, _id(unit_id), _id(place_id), note)
        return await _shown(runtime, request, who, case_id, wish, withdraw)

    @router.post("/cases/{case_id}/command")
    async def give(
        request: Request,
        who: Actor,
        case_id: UUID,
        kind: Annotated[Kind, Form()],
        unit_id: Annotated[str, Form(max_length=36)] = "",
        place_id: Annotated[str, Form(max_length=36)] = "",
        note: Note = "",
    ) -> Response:
        """Give the command; the same one again changes nothing."""
        await access_case(runtime, who, case_id)
        wish = Wish(kind, _id(unit_id), _id(place_id), note)
        path = f"/cases/{case_id}/{kind}s"
        try:
            await _upstream(runtime).send(who, "dispatch", "POST", path, wish.body())
        except Problem as refused:
            return await _shown(runtime, request, who, case_id, wish, None, refused)
        return RedirectResponse(f"/cases/{case_id}?done={kind}", 303, HEADERS)

    @router.post("/cases/{case_id}/command/withdraw")
    async def withdraw(
        who: Actor, case_id: UUID, kind: Annotated[Kind, Form()], command_id: Annotated[UUID, Form()]
    ) -> Response:
        """Take it back."""
        await access_case(runtime, who, case_id)
        path = f"/cases/{case_id}/{kind}s/{command_id}"
        await _upstream(runtime).send(who, "dispatch", "DELETE", path)
        return RedirectResponse(f"/cases/{case_id}?done=withdrawn", 303, HEADERS)

    return router


async def _shown(
    runtime: Runtime,
    request: Request,
    who: Visitor,
    case_id: UUID,
    wish: Wish,
    withdraw: UUID | None,
    refused: Problem | None = None,
) -> Response:
    """The form as it stands, with the price of what it asks for."""
    region, exercise = await region_and_exercise(runtime, who, case_id)
    upstream = _upstream(runtime)
    directory, county, standing = await asyncio.gather(
        directory_of(upstream, who, region),
        upstream.ask(who, "dispatch", "GET", f"/networks/{region}/map"),
        upstream.get(who, "dispatch", f"/cases/{case_id}/commands"),
    )
    asked: Json | None = None
    if withdraw is not None:
        asked = {"withdraw": [str(withdraw)]}
    elif wish.is_whole:
        asked = {f"{wish.kind}s": [wish.body()]}
    price = None
    if asked and refused is None:
        try:
            price = await upstream.send(who, "dispatch", "POST", f"/cases/{case_id}/what-if", asked)
        except Problem as cannot:
            refused = cannot
    commands = standing["commands"]
    return page(
        request,
        "board/command.html",
        who,
        status=refused.status if refused else 200,
        exercise=exercise,
        case_id=case_id,
        wish=wish,
        spots=places_of(county.content, who),
        units=units_of(directory, who),
        unit_names=_unit_names(directory, who),
        commands=commands,
        withdrawn=next((one for one in commands if one["command_id"] == str(withdraw)), None),
        price=price,
        refused=refused,
    )


def places_of(county: bytes, who: Visitor) -> list[tuple[str, str]]:
    """The places of the county's network as options, by name."""
    name = "name_zh" if who.language == "zh-CN" else "name_en"
    said = [one["properties"] for one in json.loads(county)["features"]]
    return sorted(
        ((one["place_id"], one[name]) for one in said if one["layer"] == "place"), key=lambda one: one[1]
    )


def units_of(directory: Directory, who: Visitor) -> list[tuple[str, str]]:
    """The units as options, by code; who is off duty is not offered."""
    on_duty = sorted((unit for unit in directory.units.values() if unit.on_duty), key=lambda unit: unit.code)
    names = _unit_names(directory, who)
    return [(str(unit.unit_id), f"{unit.code} {names[str(unit.unit_id)]}") for unit in on_duty]


def _unit_names(directory: Directory, who: Visitor) -> Mapping[str, str]:
    zh = who.language == "zh-CN"
    return {str(unit.unit_id): unit.name_zh if zh else unit.name_en for unit in directory.units.values()}


def _id(text: str) -> UUID | None:
    """A chosen id; nothing chosen is nothing. Raises: Problem 422."""
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Problem(
            422,
            "no_such_choice",
            "That is no unit or place of the list.",
            "所选警力或卡点无效。",
            "Choose one of the list.",
        ) from None


def _upstream(runtime: Runtime) -> Upstream:
    upstream: Upstream = runtime.state["upstream"]
    return upstream
