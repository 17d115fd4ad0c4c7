"""The simulator's phones: what was sent to whom, and an answer as a phone would give it. Only where one is in use.

A phone is named by a message of it and never by its number, so that no address and no log holds one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from console.door.sessions import Visitor, visitor
from console.rendering import HEADERS, page
from console.settings import console_settings
from console.upstream import Owner, Upstream
from console.words import marked
from guitu.auth import in_scope
from guitu.problem import Problem

Desk = Annotated[Visitor, Depends(visitor("operator", "case_leader"))]
Text = Annotated[str, Form()]
OWNER: Owner = "sms-simulator"
SHOWN_MAX = 200
THREAD_MAX = 1_000
Message = dict[str, Any]
STATES = {
    "accepted": ("wait", marked("accepted")),
    "queued": ("wait", marked("accepted")),
    "sending": ("going", marked("on its way")),
    "sent": ("going", marked("sent")),
    "delivered": ("good", marked("delivered")),
    "undelivered": ("bad", marked("not delivered")),
    "failed": ("bad", marked("failed")),
    "canceled": ("off", marked("cancelled")),
    "received": ("info", marked("reply")),
}
UNKNOWN = ("off", marked("unknown"))


def inbox_router() -> APIRouter:
    """Every phone, one phone, an answer."""
    router = APIRouter(include_in_schema=False)

    @router.get("/inbox")
    async def newest(request: Request, who: Desk) -> Response:
        """The newest messages of all phones."""
        messages = await _messages(request, who, SHOWN_MAX)
        return page(request, "inbox/list.html", who, messages=messages, states=STATES, unknown=UNKNOWN)

    @router.get("/inbox/{sid}")
    async def phone(request: Request, who: Desk, sid: str) -> Response:
        """All that the phone of a message got and sent."""
        return _thread(request, who, sid, await _messages(request, who, THREAD_MAX))

    @router.post("/inbox/{sid}")
    async def answer(request: Request, who: Desk, sid: str, body: Text = "") -> Response:
        """Answer as this phone; what was refused stays in the form."""
        messages = await _messages(request, who, THREAD_MAX)
        theirs, ours = _ends(messages, sid)
        try:
            reply = {"from": theirs, "to": ours, "body": body}
            said = await _owners(request).send(who, OWNER, "POST", "/simulator/inbound", reply)
        except Problem as refused:
            return _thread(request, who, sid, messages, body=body, refused=refused)
        return RedirectResponse(f"/inbox/{said['sid']}", 303, HEADERS)

    return router


def _owners(request: Request) -> Upstream:
    """The way to the services, which is open as long as the process runs."""
    upstream: Upstream = request.app.state.runtime.state["upstream"]
    return upstream


async def _messages(request: Request, who: Visitor, limit: int) -> list[Message]:
    """The newest messages first. Raises: Problem 404, where messages go to a real provider; 403 for another region."""
    _access_inbox(request, who)
    if not console_settings(request.app.state.runtime.settings).sms_simulator_url:
        raise Problem(
            404,
            "no_simulator",
            "Messages go to a real provider here: there is no inbox to look into.",
            "短信由真实服务商发送,此处没有模拟收件箱。",
        )
    said = await _owners(request).get(who, OWNER, "/simulator/messages", limit=limit)
    newest_first = reversed(said["messages"])
    return [one | {"accepted_at": datetime.fromtimestamp(one["accepted_at"], UTC)} for one in newest_first]


def _access_inbox(request: Request, who: Visitor) -> None:
    """The simulator knows no regions, so its phones are this node's. Raises: Problem 403."""
    home = request.app.state.runtime.settings.region_code
    if not in_scope(who.principal, home):
        raise Problem(
            403,
            "region_refused",
            f"The simulator's phones belong to region {home}; your account covers {who.principal.region_code}.",
            f"模拟收件箱属于{home}辖区,您的账号辖区为{who.principal.region_code}。",
        )


def _ends(messages: Sequence[Message], sid: str) -> tuple[str, str]:
    """The phone of a message and our number. Raises: Problem 404, if the simulator has forgotten it."""
    for one in messages:
        if one["sid"] == sid:
            came = one["direction"] == "inbound"
            return (one["from"], one["to"]) if came else (one["to"], one["from"])
    raise Problem(
        404,
        "no_such_message",
        "The simulator has no such message any more.",
        "模拟器中已没有这条短信。",
        "GET /inbox.",
    )


def _thread(
    request: Request,
    who: Visitor,
    sid: str,
    messages: Sequence[Message],
    *,
    body: str = "",
    refused: Problem | None = None,
) -> Response:
    phone, _ = _ends(messages, sid)
    theirs = [one for one in messages if phone in (one["to"], one["from"])]
    said = {"sid": sid, "phone": phone, "messages": theirs, "body": body, "refused": refused}
    states = {"states": STATES, "unknown": UNKNOWN}
    return page(request, "inbox/phone.html", who, status=refused.status if refused else 200, **said, **states)
