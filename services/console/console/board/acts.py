"""Commands from the board: an order's next step by radio, and one delivery once more, to the next contact, by phone.

Each goes to its owner with the key that was made when the button was shown, so a nervous finger does nothing twice.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Header, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from console.board.case import region_and_exercise
from console.door.sessions import Visitor, visitor
from console.live.stream import access_case
from console.rendering import HEADERS, page
from console.upstream import Upstream
from guitu.service import Runtime

Actor = Annotated[Visitor, Depends(visitor("operator", "case_leader"))]
Key = Annotated[str, Form(min_length=8, max_length=100)]
Move = Literal["accepted", "in_position", "nothing_seen", "intercepted", "stand_down_acknowledged"]
DeliveryAct = Literal["resend", "next-contact", "call"]


def acts_router(runtime: Runtime) -> APIRouter:
    """POST routes under /cases/{case_id}; a browser is led back to the board, a script is told."""
    router = APIRouter(include_in_schema=False)

    @router.post("/cases/{case_id}/orders/{order_id}/moves")
    async def move(
        who: Actor,
        case_id: UUID,
        order_id: UUID,
        move: Annotated[Move, Form()],
        accept: Annotated[str, Header()] = "",
    ) -> Response:
        """What the unit answered by radio."""
        await access_case(runtime, who, case_id)
        await _upstream(runtime).send(who, "dispatch", "POST", f"/orders/{order_id}/moves", {"move": move})
        return answered(accept, f"/cases/{case_id}", "moved")

    @router.post("/cases/{case_id}/deliveries/{delivery_id}/{act}")
    async def deliver(
        request: Request,
        who: Actor,
        case_id: UUID,
        delivery_id: UUID,
        act: DeliveryAct,
        key: Key,
        accept: Annotated[str, Header()] = "",
    ) -> Response:
        """Send it once more, ask the next contact, or have them called; a call by hand leads to the phone numbers."""
        await access_case(runtime, who, case_id)
        path = f"/deliveries/{delivery_id}/{act}"
        said = await _upstream(runtime).send(who, "notifications", "POST", path, key=key)
        by_hand = isinstance(said, dict) and said.get("to") == "command_centre"
        if by_hand and "json" not in accept:
            there = f"/cases/{case_id}/deliveries/{delivery_id}/contacts"
            return RedirectResponse(there, 303, HEADERS)
        return answered(accept, f"/cases/{case_id}", "call_by_hand" if by_hand else act)

    @router.get("/cases/{case_id}/deliveries/{delivery_id}/contacts")
    async def contacts(
        request: Request, who: Actor, case_id: UUID, delivery_id: UUID, bare: bool = False
    ) -> Response:
        """Whom to call; notifications writes into its audit log that the numbers were read."""
        _, exercise = await region_and_exercise(runtime, who, case_id)
        said = await _upstream(runtime).get(who, "notifications", f"/deliveries/{delivery_id}/contacts")
        template = "board/_contacts.html" if bare else "board/contacts.html"
        return page(
            request, template, who, exercise=exercise, bare=bare, case_id=case_id, contacts=said["contacts"]
        )

    return router


def answered(accept: str, back_to: str, done: str) -> Response:
    """For a script what was done; for a browser the way back, where it is said in words."""
    if "json" in accept:
        return JSONResponse({"done": done}, headers=HEADERS)
    return RedirectResponse(f"{back_to}?done={done}", 303, HEADERS)


def _upstream(runtime: Runtime) -> Any:
    upstream: Upstream = runtime.state["upstream"]
    return upstream
