"""Units (警力): whether each can be sent, from where, what it can do, when it is on shift; its table as a file."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from console.door.sessions import Visitor, visitor
from console.files import table_of
from console.rendering import page
from console.typed import NOTHING, Typed, file_of, may, no_file, see, typed, upstream_of
from console.words import marked
from guitu.problem import Problem

Staff = Annotated[Visitor, Depends(visitor("operator", "case_leader", "auditor"))]
Acting = Annotated[Visitor, Depends(visitor("operator", "case_leader"))]
Administrator = Annotated[Visitor, Depends(visitor("admin"))]
Json = dict[str, Any]
STATUSES: dict[str, tuple[str, str]] = {
    "available": ("good", marked("Available")),
    "busy": ("going", marked("Other task")),
    "off_duty": ("off", marked("Off duty")),
    "broken_down": ("bad", marked("Broken down")),
}
CAPABILITIES: dict[str, str] = {
    "road": marked("Stops vehicles"),
    "passengers": marked("Checks passengers"),
}
"""What the county's files call a unit's abilities; one that is not named here is shown as it is written."""
STARTS: dict[str, str] = {
    "base": marked("from its base"),
    "post": marked("from its post"),
    "position": marked("from its position"),
}


def units_router() -> APIRouter:
    """/units."""
    router = APIRouter(include_in_schema=False)
    _add_tables(router)
    _add_changes(router)

    @router.get("/units")
    async def units(request: Request, who: Staff, show: str = "", q: str = "") -> Response:
        """Every unit of the region: state, shift, where it starts from, what it is busy with."""
        found: list[Json] = await upstream_of(request).get(who, "dispatch", "/units")
        return page(
            request,
            "units/list.html",
            who,
            units=[one for one in found if _wanted(one, show, q.strip().lower())],
            all=len(found),
            ready=sum(map(_can_be_sent, found)),
            statuses=STATUSES,
            starts=STARTS,
            capabilities=CAPABILITIES,
            show=show,
            q=q,
            may_act=may(who, "operator", "case_leader"),
            may_import=may(who),
        )

    @router.get("/units/{unit_id}")
    async def unit(request: Request, who: Staff, unit_id: UUID, done: str = "") -> Response:
        """One unit, and what may be entered of it."""
        return await _one(request, who, unit_id, done=done)

    return router


def _can_be_sent(unit: Json) -> bool:
    return bool(unit["on_duty"] and unit["status"] == "available" and unit["busy_order_id"] is None)


def _wanted(unit: Json, show: str, text: str) -> bool:
    names = f"{unit['code']} {unit['name_zh']} {unit['name_en']}".lower()
    if text not in names:
        return False
    if show == "ready":
        return _can_be_sent(unit)
    if show == "ordered":
        return unit["busy_order_id"] is not None
    return show == "" or show == unit["status"]


def _add_changes(router: APIRouter) -> None:
    @router.post("/units/{unit_id}/status")
    async def status(request: Request, who: Acting, unit_id: UUID) -> Response:
        """Can it be sent? An open order of one that can't is replaced at once, by the owner."""
        sent = await typed(request)
        body = sent.some("status") | {"note": sent("note")}
        return await _put(request, who, unit_id, "status", body, sent)

    @router.post("/units/{unit_id}/position")
    async def position(request: Request, who: Acting, unit_id: UUID) -> Response:
        """Where it was, and when: as heard on the radio."""
        sent = await typed(request)
        body = sent.some("lon", "lat") | {"at": sent.moment("at") or _now(request)}
        return await _put(request, who, unit_id, "position", body, sent)

    @router.post("/units/{unit_id}/capabilities")
    async def capabilities(request: Request, who: Acting, unit_id: UUID) -> Response:
        """What it can do now; `listed` goes back to what the county's table says."""
        sent = await typed(request)
        if sent("act") == "listed":
            return await _put(request, who, unit_id, "capabilities", None, sent)
        body = {"capabilities": sent.every("capability")}
        return await _put(request, who, unit_id, "capabilities", body, sent)


async def _put(
    request: Request, who: Visitor, unit_id: UUID, what: str, body: Json | None, sent: Typed
) -> Response:
    method = "DELETE" if body is None else "PUT"
    try:
        told = await upstream_of(request).send(who, "dispatch", method, f"/units/{unit_id}/{what}", body)
    except Problem as refused:
        return await _one(request, who, unit_id, sent=sent, refused=refused)
    replanned = "replanned" if told.get("cases_replanned") else "saved"
    return see(f"/units/{unit_id}", done=replanned)


def _now(request: Request) -> str:
    moment: str = request.app.state.runtime.clock.now().isoformat()
    return moment


async def _one(
    request: Request,
    who: Visitor,
    unit_id: UUID,
    *,
    done: str = "",
    sent: Typed = NOTHING,
    refused: Problem | None = None,
) -> Response:
    units: list[Json] = await upstream_of(request).get(who, "dispatch", "/units")
    found = next((one for one in units if one["unit_id"] == str(unit_id)), None)
    if found is None:
        raise _no_unit()
    known = {ability for one in units for ability in one["capabilities"]} | set(CAPABILITIES)
    return page(
        request,
        "units/unit.html",
        who,
        status=refused.status if refused else 200,
        unit=found,
        known=sorted(known),
        statuses=STATUSES,
        starts=STARTS,
        capabilities=CAPABILITIES,
        done=done,
        typed=sent,
        refused=refused,
        may_act=may(who, "operator", "case_leader"),
    )


def _no_unit() -> Problem:
    return Problem(
        404,
        "no_such_unit",
        "There is no such unit in your region.",
        "辖区内没有该警力。",
        "The list shows the units there are.",
    )


def _add_tables(router: APIRouter) -> None:
    @router.get("/units/import")
    async def ask(request: Request, who: Administrator) -> Response:
        """Choose the file."""
        return _table(request, who)

    @router.post("/units/import")
    async def take(request: Request, who: Administrator) -> Response:
        """Look first what the file would do, or do it: all rows or, with every error named, none."""
        sent, file = await typed(request), await file_of(request, "units")
        query = region_asked(request, who) | {
            "dry_run": str(sent("act") != "take").lower(),
            "replace": str(sent.ticked("replace")).lower(),
        }
        try:
            if file is None:
                raise no_file()
            answer = await upstream_of(request).ask(
                who, "dispatch", "POST", "/units/import", query=query, files={"units": file}
            )
        except Problem as refused:
            return _table(request, who, sent=sent, refused=refused)
        return _table(request, who, sent=sent, told=answer.json())

    @router.get("/units/export")
    async def export(request: Request, who: Staff) -> Response:
        """The table as it can be imported again."""
        answer = await upstream_of(request).ask(
            who, "dispatch", "GET", "/units/export", query=region_asked(request, who)
        )
        return table_of(answer, "units.csv")


def region_asked(request: Request, who: Visitor) -> dict[str, Any]:
    """Somebody of every region means this console's own county; anybody else's region is in their token."""
    home: str = request.app.state.runtime.settings.region_code
    return {"region_code": home} if who.principal.region_code == "*" else {}


def _table(
    request: Request,
    who: Visitor,
    *,
    sent: Typed = NOTHING,
    refused: Problem | None = None,
    told: Json | None = None,
) -> Response:
    return page(
        request,
        "units/import.html",
        who,
        status=refused.status if refused else 200,
        typed=sent,
        refused=refused,
        errors=refused.extra.get("errors", []) if refused else [],
        told=told,
    )
