"""Sites that are told: the directory, one site with its contacts and drills, and its tables as files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from console.door.sessions import Visitor, visitor
from console.files import table_of
from console.rendering import page
from console.typed import NOTHING, Typed, file_of, may, no_file, see, typed, upstream_of
from guitu.problem import Problem

Staff = Annotated[Visitor, Depends(visitor("operator", "case_leader", "auditor"))]
Acting = Annotated[Visitor, Depends(visitor("operator", "case_leader"))]
Administrator = Annotated[Visitor, Depends(visitor("admin"))]
SHOWN_MAX = 1000
Json = dict[str, Any]


def sites_router() -> APIRouter:
    """/sites."""
    router = APIRouter(include_in_schema=False)
    _add_tables(router)

    @router.get("/sites")
    async def sites(request: Request, who: Staff, category: str = "", q: str = "") -> Response:
        """The directory, by category and name, each site with its last drill."""
        upstream = upstream_of(request)
        listed = (await upstream.get(who, "notifications", "/sites", limit=SHOWN_MAX))["sites"]
        kinds = (await upstream.get(who, "notifications", "/directory/categories"))["categories"]
        drills = (await upstream.get(who, "notifications", "/drills", limit=SHOWN_MAX))["drills"]
        return page(
            request,
            "sites/list.html",
            who,
            sites=[one for one in listed if _wanted(one, category, q.strip().lower())],
            all=len(listed),
            capped=len(listed) >= SHOWN_MAX,
            categories=kinds,
            names={one["category"]: one for one in kinds},
            last=last_drills(drills),
            category=category,
            q=q,
            may_import=may(who),
        )

    @router.get("/sites/{site_id}")
    async def site(request: Request, who: Staff, site_id: UUID, done: str = "") -> Response:
        """One site, whom it would be told through in that order, and how its drills went."""
        return await _one(request, who, site_id, done=done)

    @router.post("/sites/{site_id}/drill")
    async def drill(request: Request, who: Acting, site_id: UUID) -> Response:
        """One SMS, marked as an exercise, to the contact on duty; the owner allows one in five minutes."""
        try:
            await upstream_of(request).send(who, "notifications", "POST", f"/sites/{site_id}/drill")
        except Problem as refused:
            return await _one(request, who, site_id, refused=refused)
        return see(f"/sites/{site_id}", done="drilled")

    return router


def _wanted(site: Json, category: str, text: str) -> bool:
    names = f"{site['name_zh']} {site['name_en']}".lower()
    return category in ("", site["category"]) and text in names


def last_drills(drills: Iterable[Json]) -> dict[str, Json]:
    """The newest drill of each site; they come newest first."""
    found: dict[str, Json] = {}
    for one in drills:
        found.setdefault(one["site_id"], one)
    return found


async def _one(
    request: Request, who: Visitor, site_id: UUID, *, done: str = "", refused: Problem | None = None
) -> Response:
    upstream = upstream_of(request)
    found = await upstream.get(who, "notifications", f"/sites/{site_id}")
    drills = (await upstream.get(who, "notifications", "/drills", limit=SHOWN_MAX))["drills"]
    return page(
        request,
        "sites/site.html",
        who,
        status=refused.status if refused else 200,
        site=found,
        drills=[one for one in drills if one["site_id"] == str(site_id)][:20],
        done=done,
        refused=refused,
        may_drill=may(who, "operator", "case_leader"),
    )


def _add_tables(router: APIRouter) -> None:
    @router.get("/sites/import")
    async def ask(request: Request, who: Administrator) -> Response:
        """Choose the files."""
        return _tables(request, who)

    @router.post("/sites/import")
    async def take(request: Request, who: Administrator) -> Response:
        """Look first what the files would do, or do it: all rows or, with every error named, none."""
        sent = await typed(request)
        given = {name: await file_of(request, name) for name in ("sites", "contacts")}
        files = {name: file for name, file in given.items() if file}
        query = {
            "dry_run": str(sent("act") != "take").lower(),
            "replace": str(sent.ticked("replace")).lower(),
        }
        try:
            if not files:
                raise no_file()
            answer = await upstream_of(request).ask(
                who, "notifications", "POST", "/directory/import", query=query, files=files
            )
        except Problem as refused:
            return _tables(request, who, sent=sent, refused=refused)
        return _tables(request, who, sent=sent, told=answer.json())

    @router.get("/sites/export/{table}")
    async def export(request: Request, who: Staff, table: Literal["sites", "contacts"]) -> Response:
        """A table as it can be imported again; whole phone numbers for the administrator alone."""
        answer = await upstream_of(request).ask(
            who, "notifications", "GET", "/directory/export", query={"table": table}
        )
        return table_of(answer, f"{table}.csv")


def _tables(
    request: Request,
    who: Visitor,
    *,
    sent: Typed = NOTHING,
    refused: Problem | None = None,
    told: Json | None = None,
) -> Response:
    return page(
        request,
        "sites/import.html",
        who,
        status=refused.status if refused else 200,
        typed=sent,
        refused=refused,
        errors=refused.extra.get("errors", []) if refused else [],
        told=told,
    )
