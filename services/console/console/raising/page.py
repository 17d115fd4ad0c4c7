"""The page that raises an alert (`N`): one screen, five facts, a preview beside them, and 30 s to take it back.

It works as a plain form. `static/raise.mjs` adds the type-ahead, the live preview, the draft that survives a reload,
and the alert that waits for a connection; `static/raise_worker.js` keeps this one page for when there is none.
"""

from __future__ import annotations

import base64
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse
from starlette.datastructures import FormData, UploadFile

from console.door.sessions import Visitor, visitor
from console.places.find import Place
from console.places.page import places_for, shown
from console.raising import form as raise_form
from console.raising import raising
from console.raising.form import Asked, FieldError, read_form
from console.refusals import wants_page
from console.rendering import ENVIRONMENT, HEADERS, new_key, page
from console.words import Words, words
from guitu.problem import Problem, answer
from guitu.service import Runtime

WORKER = Path(__file__).parent.parent / "static" / "raise_worker.js"
Desk = Annotated[Visitor, Depends(visitor("operator", "case_leader"))]


def raise_router(runtime: Runtime) -> APIRouter:
    """`/alerts/new`, its preview, and the script that keeps it for when there is no connection."""
    router = APIRouter(include_in_schema=False)

    @router.get("/alerts/new")
    async def ask(request: Request, who: Desk) -> Response:
        """The empty form."""
        return _form(request, who, {}, new_key())

    @router.post("/alerts/new")
    async def raise_it(request: Request, who: Desk) -> Response:
        """Raise the alert, or say what is missing and keep what was typed."""
        typed, asked = await _read(request, who, runtime, await places_for(runtime, who))
        if asked.errors:
            return _not_yet(request, who, typed, asked)
        key = str(typed.get("key") or new_key())
        try:
            raised = await raising.raise_alert(runtime.state["upstream"], who, asked.body, key)
        except Problem as refused:
            return _refused(request, who, typed, refused)
        to = f"/alerts/raised/{raised['case_id']}"
        if wants_page(request):
            return RedirectResponse(to, 303, HEADERS)
        return JSONResponse({"to": to, "case_id": raised["case_id"]}, 201, HEADERS)

    @router.post("/alerts/preview")
    async def preview(request: Request, who: Desk) -> Response:
        """What it would set going: a part of the page for the script, or the whole page with it."""
        typed, asked = await _read(request, who, runtime, await places_for(runtime, who))
        found = await raising.preview(runtime.state["upstream"], who, asked.body)
        if wants_page(request):
            key = str(typed.get("key") or new_key())
            return _form(request, who, typed, key, found=found, choices=asked.choices)
        html = _part(who, "raise/_preview.html", found=found, body=asked.body, now=runtime.clock.now())
        return JSONResponse({"html": html, "now": runtime.clock.now().isoformat()}, headers=HEADERS)

    @router.get("/alerts/worker.js")
    async def worker() -> Response:
        """The service worker; from here, so that it has to do with this page and no other."""
        return FileResponse(
            WORKER, media_type="text/javascript", headers=HEADERS | {"Cache-Control": "no-cache"}
        )

    return router


async def _read(
    request: Request, who: Visitor, runtime: Runtime, places: tuple[Place, ...]
) -> tuple[dict[str, str], Asked]:
    """What was typed, and what it says."""
    form = await request.form()
    typed = {name: said for name, said in form.items() if isinstance(said, str)}
    said = words(who.language)
    photo, trouble = await _photo(form, said)
    asked = read_form(typed | photo, places, runtime.clock.now(), said)
    return typed, Asked(asked.body, (*asked.errors, *trouble), asked.choices)


async def _photo(form: FormData, _: Words) -> tuple[dict[str, str], list[FieldError]]:
    """The photo as alerts takes it, if one was chosen; the file itself is nowhere kept."""
    file = form.get("photo")
    if not isinstance(file, UploadFile) or not file.filename:
        return {}, []
    raw = await file.read(raise_form.PHOTO_BYTES_MAX + 1)
    if len(raw) > raise_form.PHOTO_BYTES_MAX:
        return {}, [
            FieldError("photo", _("The photo is over 2 MB. Send a smaller one, or add it afterwards."))
        ]
    return {raise_form.PHOTO_FIELD: base64.b64encode(raw).decode()}, []


def _form(request: Request, who: Visitor, typed: dict[str, str], key: str, **more: Any) -> Response:
    said: dict[str, Any] = {
        "found": None,
        "errors": (),
        "choices": (),
        "refused": None,
        "status": 200,
        "body": {},
    } | more
    wrong = {each.field: each.says for each in said["errors"]}
    return page(
        request,
        "raise/new.html",
        who,
        wrong=wrong,
        typed=typed,
        key=key,
        owner=sha256(who.principal.subject.encode()).hexdigest()[:16],
        minutes_ago=raise_form.MINUTES_AGO,
        minutes_usual=raise_form.MINUTES_AGO_USUAL,
        modes=raise_form.MODES,
        sexes=raise_form.SEXES,
        **said,
    )


def _not_yet(request: Request, who: Visitor, typed: dict[str, str], asked: Asked) -> Response:
    """Something is missing: said beside the field, and nothing is lost."""
    if wants_page(request):
        key = str(typed.get("key") or new_key())
        return _form(request, who, typed, key, errors=asked.errors, choices=asked.choices, status=422)
    fields = [{"field": each.field, "says": each.says} for each in asked.errors]
    choices = [shown(one, who.language) for one in asked.choices]
    return answer(
        422, "not_complete", "Some fields are missing.", "有内容未填写。", fields=fields, choices=choices
    )


def _refused(request: Request, who: Visitor, typed: dict[str, str], refused: Problem) -> Response:
    """What alerts said against it; the form stays as it was, with the same key."""
    if not wants_page(request):
        raise refused
    key = str(typed.get("key") or new_key())
    return _form(request, who, typed, key, refused=refused, status=refused.status)


def _part(who: Visitor, template: str, **said: Any) -> str:
    around = {"_": words(who.language), "language": who.language}
    return ENVIRONMENT.get_template(template).render(around | said)
