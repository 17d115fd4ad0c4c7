"""What recipients read: every template, tried before it holds, changed by administrators, and the way back.

Notifications decides what a template may say; here it is asked, shown and forwarded.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from console.door.sessions import Visitor, visitor
from console.rendering import HEADERS, page
from console.upstream import Owner, Upstream
from console.words import marked
from guitu.problem import Problem

Reader = Annotated[Visitor, Depends(visitor("operator", "case_leader"))]
Changer = Annotated[Visitor, Depends(visitor("admin"))]
Text = Annotated[str, Form()]
OWNER: Owner = "notifications"
ADDRESS = "/texts/{kind}/{language}/{stage}"
STAGES = {
    "raised": marked("Alert raised"),
    "updated": marked("Alert changed"),
    "widened": marked("Ring widened"),
    "order": marked("Interception order"),
    "order_stood_down": marked("Order over"),
    "stood_down": marked("Stand-down"),
    "several_open": marked("Which case do you mean?"),
    "nil_report": marked("Ask for a nil report"),
    "drill": marked("Drill of a site"),
}
KINDS = {
    "any": marked("Everybody"),
    "unit": marked("Police units"),
    "bus_station": marked("Bus stations"),
    "ferry_terminal": marked("Ferry terminals"),
    "hotel": marked("Hotels"),
    "entertainment_venue": marked("Entertainment venues"),
    "hospital": marked("Hospitals"),
    "school": marked("Schools"),
    "urban_management": marked("Urban management"),
    "liaison": marked("Liaison officers"),
}
LANGUAGES = {"zh": marked("Chinese"), "en": marked("English")}

SAMPLES = {
    "short": marked("Short"),
    "typical": marked("Typical"),
    "worst": marked("Longest"),
    "worst_with_link": marked("Longest, with a link"),
    "yours": marked("Yours"),
}
NAMES: dict[str, Any] = {"stage_names": STAGES, "kinds": KINDS, "languages": LANGUAGES, "samples": SAMPLES}
DONE = {"saved": marked("Saved: it holds from now on."), "restored": marked("The built-in text holds again.")}


def texts_router() -> APIRouter:
    """List, look, try, change, go back."""
    router = APIRouter(include_in_schema=False)

    @router.get("/texts")
    async def listed(request: Request, who: Reader) -> Response:
        """Every text that holds, by stage."""
        said = await _owners(request).get(who, OWNER, "/templates")
        return page(request, "texts/list.html", who, stages=_by_stage(said["templates"]), **NAMES)

    @router.get(ADDRESS)
    async def one(
        request: Request, who: Reader, kind: str, language: str, stage: str, done: str = ""
    ) -> Response:
        """One text with what it makes, and every version that there was."""
        held = await _owners(request).get(who, OWNER, _path(kind, language, stage))
        tried = await _try(request, who, held, held["body"])
        return _shown(request, who, held, held["body"], tried, done=DONE.get(done, ""))

    @router.post(ADDRESS + "/preview")
    async def preview(
        request: Request, who: Reader, kind: str, language: str, stage: str, body: Text = ""
    ) -> Response:
        """What a changed text would make: the fragment for scripts, the whole page without."""
        held = {"recipient_kind": kind, "language": language, "stage": stage}
        tried = await _try(request, who, held, body)
        if "application/json" in request.headers.get("accept", ""):
            return page(request, "texts/_preview.html", who, tried=tried, **NAMES)
        held = await _owners(request).get(who, OWNER, _path(kind, language, stage))
        return _shown(request, who, held, body, tried)

    @router.post(ADDRESS)
    async def change(
        request: Request, who: Changer, kind: str, language: str, stage: str, body: Text = "", note: Text = ""
    ) -> Response:
        """A new version; a refused one stays in the form, with the reasons."""
        path = _path(kind, language, stage)
        try:
            await _owners(request).send(who, OWNER, "PUT", path, {"body": _lines(body), "note": note})
        except Problem as refused:
            held = await _owners(request).get(who, OWNER, path)
            tried = await _try(request, who, held, body)
            return _shown(request, who, held, body, tried, note=note, refused=refused)
        return _to(kind, language, stage, "saved")

    @router.post(ADDRESS + "/restore")
    async def restore(request: Request, who: Changer, kind: str, language: str, stage: str) -> Response:
        """Retire what was changed here."""
        await _owners(request).send(who, OWNER, "DELETE", _path(kind, language, stage))
        return _to(kind, language, stage, "restored")

    return router


def _owners(request: Request) -> Upstream:
    """The way to the services, which is open as long as the process runs."""
    upstream: Upstream = request.app.state.runtime.state["upstream"]
    return upstream


def _path(kind: str, language: str, stage: str) -> str:
    """The owner's address; a name that is none of ours reaches no other page of it. Raises: Problem 404."""
    if kind not in KINDS or language not in LANGUAGES or stage not in STAGES:
        raise Problem(
            404, "no_such_text", "There is no such text.", "没有这条短信模板。", "GET /texts lists them."
        )
    return f"/templates/{kind}/{language}/{stage}"


def _lines(body: str) -> str:
    """A browser sends line ends as CR LF (HTML, 4.10.22.8), which would cost a unit each."""
    return body.replace("\r\n", "\n").strip("\n")


async def _try(request: Request, who: Visitor, held: dict[str, Any], body: str) -> dict[str, Any]:
    """What the owner makes of a text, or why it refuses to try."""
    asked = {name: held[name] for name in ("recipient_kind", "language", "stage")}
    tried: dict[str, Any] = await _owners(request).send(
        who, OWNER, "POST", "/templates/preview", asked | {"body": _lines(body)}
    )
    return tried


def _by_stage(templates: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The texts of each stage: those for everybody, and those that are different for somebody."""
    return {
        stage: [
            one
            for one in templates
            if one["stage"] == stage and (one["recipient_kind"] == "any" or one["written_for"] != "any")
        ]
        for stage in STAGES
    }


def _shown(
    request: Request,
    who: Visitor,
    held: dict[str, Any],
    body: str,
    tried: dict[str, Any],
    *,
    note: str = "",
    done: str = "",
    refused: Problem | None = None,
) -> Response:
    said = NAMES | {
        "held": held,
        "body": body,
        "tried": tried,
        "note": note,
        "done": done,
        "refused": refused,
    }
    return page(request, "texts/one.html", who, status=refused.status if refused else 200, **said)


def _to(kind: str, language: str, stage: str, done: str) -> Response:
    return RedirectResponse(f"/texts/{kind}/{language}/{stage}?done={done}", 303, HEADERS)
