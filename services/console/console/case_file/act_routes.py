"""The routes that command: POST /cases/{id}/tier, stand-down, sightings, notes, updates, merge and the file's own.

A form posts its fields with `csrf`, `key` (made when it was rendered) and `to` (where to go afterwards). People are
led back with 303; a script that asks for JSON gets the owner's answer. What is refused is shown with the form as it
was typed, under the same key.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response, UploadFile
from fastapi.responses import JSONResponse, RedirectResponse

from console.case_file import forms
from console.case_file.acts import ACTS, Act
from console.case_file.near import places_of_case
from console.case_file.offering import for_forms
from console.door.sessions import Visitor, visitor
from console.refusals import wants_page
from console.rendering import HEADERS, page
from guitu.problem import Problem
from guitu.service import Runtime

Desk = Annotated[Visitor, Depends(visitor("operator", "case_leader"))]
Leader = Annotated[Visitor, Depends(visitor("case_leader"))]
PHOTO_BYTES_MAX = 3 * 1024 * 1024
"""Alerts keep it in base64 in a bounded field; a phone's picture after its own compression has 2.2 MB."""


def case_acts_router(runtime: Runtime) -> APIRouter:
    """One route an act."""
    router = APIRouter(include_in_schema=False)
    for act in ACTS:
        _add(router, runtime, act)
    _add_photo(router, runtime)
    return router


def _add(router: APIRouter, runtime: Runtime, act: Act) -> None:
    async def desk(who: Desk, case_id: UUID, request: Request, item: UUID | None = None) -> Response:
        return await _do(runtime, request, who, act, case_id, item)

    async def leader(who: Leader, case_id: UUID, request: Request, item: UUID | None = None) -> Response:
        return await _do(runtime, request, who, act, case_id, item)

    path = f"/cases/{{case_id}}/{act.path}"
    router.post(path, name=act.form)(leader if act.leader_only else desk)


async def _do(
    runtime: Runtime, request: Request, who: Visitor, act: Act, case_id: UUID, item: UUID | None
) -> Response:
    """Forward one command and lead back. Raises: Problem, for a script; a person gets the form again."""
    form = dict(await request.form())
    path = f"/cases/{case_id}/{act.owner_path or act.path}".replace("{item}", str(item))
    key = forms.text(form, "key") or request.headers.get("Idempotency-Key") or None
    try:
        forms.check_filled(form, act.needed)
        body = act.body(form, runtime.clock.now())
        said = await runtime.state["upstream"].send(who, "alerts", act.method, path, body, key)
    except Problem as refused:
        if not wants_page(request):
            raise
        return await _again(runtime, request, who, act, case_id, form, refused)
    return led_back(request, form, case_id, act.form, said)


def led_back(request: Request, form: forms.Form, case_id: UUID, done: str, said: Any) -> Response:
    """303 to where the form came from, with what was done; for a script the owner's answer."""
    if not wants_page(request):
        return JSONResponse(said if isinstance(said, dict) else {"done": done}, headers=HEADERS)
    path, _, mark = forms.inside(forms.text(form, "to"), f"/cases/{case_id}/file").partition("#")
    joined = f"{path}{'&' if '?' in path else '?'}done={done}{'#' if mark else ''}{mark}"
    return RedirectResponse(joined, 303, HEADERS)


async def _again(
    runtime: Runtime,
    request: Request,
    who: Visitor,
    act: Act,
    case_id: UUID,
    form: dict[str, Any],
    refused: Problem,
) -> Response:
    """The form once more: why it was refused, and everything that was typed."""
    return page(
        request,
        "case_file/again.html",
        who,
        status=refused.status,
        refused=refused,
        act=act,
        action=request.url.path,
        path=f"/cases/{case_id}/file",
        typed=form,
        to=forms.inside(forms.text(form, "to"), f"/cases/{case_id}/file"),
        **await _choices(runtime, who, case_id, act),
        **for_forms(who),
    )


async def _choices(runtime: Runtime, who: Visitor, case_id: UUID, act: Act) -> dict[str, Any]:
    """What a form's lists offer; empty if the owners do not answer now, for the words must not be lost over it."""
    offered: dict[str, Any] = {"near": [], "others": [], "case": None}
    if act.form not in ("sighting", "update", "merge", "stand_down", "tier"):
        return offered
    try:
        case = await runtime.state["upstream"].get(who, "alerts", f"/cases/{case_id}")
        offered |= {"case": case, "others": case["possible_duplicates"]}
        return offered | {"near": await places_of_case(runtime.state["upstream"], who, case)}
    except Problem:
        return offered


def _add_photo(router: APIRouter, runtime: Runtime) -> None:
    @router.post("/cases/{case_id}/photo")
    async def photo(who: Desk, case_id: UUID, request: Request) -> Response:
        """Hand the chosen picture to alerts, which looks at it before it is kept."""
        form = await request.form()
        chosen = form.get("photo")
        if not isinstance(chosen, UploadFile) and not hasattr(chosen, "read"):
            raise no_photo_chosen()
        picture = await chosen.read()  # type: ignore[union-attr]
        if not picture or len(picture) > PHOTO_BYTES_MAX:
            raise no_photo_chosen()
        path = f"/cases/{case_id}/photo"
        await runtime.state["upstream"].ask(who, "alerts", "PUT", path, content=picture)
        return led_back(request, dict(form), case_id, "photo", None)


def no_photo_chosen() -> Problem:
    """Nothing was stored."""
    return Problem(
        422,
        "photo_missing",
        f"Choose a picture of at most {PHOTO_BYTES_MAX // 2**20} MB.",
        f"请选择不超过 {PHOTO_BYTES_MAX // 2**20} MB 的照片。",
        "Phones make smaller pictures by themselves when a picture is sent to somebody.",
    )
