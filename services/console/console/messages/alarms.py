"""What needs a person: calls that nobody else can make, and what is wrong with the sending of messages."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from console.door.sessions import Visitor, visitor
from console.rendering import HEADERS, page
from console.upstream import Owner, Upstream
from console.words import marked
from guitu.problem import Problem

Desk = Annotated[Visitor, Depends(visitor("operator", "case_leader"))]
Text = Annotated[str, Form()]
OWNER: Owner = "notifications"
RESULTS = {
    "reached_acknowledged": marked("Reached: they know"),
    "reached_sighting": marked("Reached: they saw something"),
    "not_reached": marked("Not reached"),
    "other": marked("Something else"),
    "acknowledged_after_all": marked("They answered by themselves"),
    "stood_down": marked("The case is over"),
}
BY_PERSON = ("reached_acknowledged", "reached_sighting", "not_reached", "other")
DONE = {
    "taken": marked("You take care of the alarm. It closes when its cause is gone."),
    "done": marked("Recorded. The task is done."),
}
SUBJECT_ROLES = {"operator", "case_leader"}


def alarms_router() -> APIRouter:
    """Tasks and alarms, and what is done about them."""
    router = APIRouter(include_in_schema=False)

    @router.get("/alarms")
    async def listed(request: Request, who: Desk, all: bool = False, done: str = "") -> Response:
        """What is open, or with `all` what was, too."""
        return await _shown(request, who, everything=all, done=DONE.get(done, ""))

    @router.post("/alarms/{alarm_id}/acknowledge")
    async def take(request: Request, who: Desk, alarm_id: UUID) -> Response:
        """Say that one takes care of it."""
        try:
            await _owners(request).send(who, OWNER, "POST", f"/alarms/{alarm_id}/acknowledge")
        except Problem as refused:
            return await _shown(request, who, refused=refused)
        return RedirectResponse("/alarms?done=taken", 303, HEADERS)

    @router.post("/tasks/{task_id}/done")
    async def finish(
        request: Request, who: Desk, task_id: UUID, result: Text = "", note: Text = ""
    ) -> Response:
        """Record what came of a task; what was typed stays if it is refused."""
        typed = {"id": str(task_id), "result": result, "note": note}
        try:
            await _owners(request).send(
                who, OWNER, "POST", f"/tasks/{task_id}/done", {"result": result, "note": note}
            )
        except Problem as refused:
            return await _shown(request, who, refused=refused, typed=typed)
        return RedirectResponse("/alarms?done=done", 303, HEADERS)

    return router


def _owners(request: Request) -> Upstream:
    """The way to the services, which is open as long as the process runs."""
    upstream: Upstream = request.app.state.runtime.state["upstream"]
    return upstream


async def _shown(
    request: Request,
    who: Visitor,
    *,
    everything: bool = False,
    done: str = "",
    refused: Problem | None = None,
    typed: dict[str, Any] | None = None,
) -> Response:
    asked = "false" if everything else "true"
    tasks = await _owners(request).get(who, OWNER, "/tasks", open=asked)
    alarms = await _owners(request).get(who, OWNER, "/alarms", open=asked)
    return page(
        request,
        "alarms/list.html",
        who,
        status=refused.status if refused else 200,
        tasks=tasks["tasks"],
        alarms=alarms["alarms"],
        everything=everything,
        done=done,
        refused=refused,
        typed=typed or {"id": "", "result": "", "note": ""},
        results=RESULTS,
        by_person=BY_PERSON,
        may_act=who.principal.role in SUBJECT_ROLES,
    )
