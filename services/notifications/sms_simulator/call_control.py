"""What tests and people may do to calls: look at them, press keys, and say how a phone behaves when called."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from sms_simulator.carrier import Carrier
from sms_simulator.intake import E164
from sms_simulator.phone_call import described
from sms_simulator.switchboard import Does, Manners

Phone = Annotated[str, Path(pattern=E164.pattern, examples=["+447700900123"])]
KEYS = r"^[0-9*#]{0,30}$"
WAIT_MAX_S = 30.0


class PhoneManners(BaseModel):
    """How a phone behaves from the next call on."""

    model_config = ConfigDict(extra="forbid")

    does: Does = "answer"
    keys: str = Field(default="", pattern=KEYS, description="Pressed one at each question, e.g. 21.")
    listen_s: float = Field(
        default=0, ge=0, le=300, description="Waits so long at each question for a key that is pressed here."
    )


class Keys(BaseModel):
    """Keys to press now."""

    model_config = ConfigDict(extra="forbid")

    keys: str = Field(min_length=1, pattern=KEYS)


class CallQuery(BaseModel):
    """Which calls to show, and how long to wait for them."""

    model_config = ConfigDict(extra="forbid")

    to: str | None = None
    ended: bool = Field(default=False, description="Only calls that are over.")
    at_least: int = Field(default=0, ge=0, le=10_000, description="Wait for so many.")
    wait_s: float = Field(default=0, ge=0, le=WAIT_MAX_S)
    limit: int = Field(default=100, ge=1, le=10_000, description="The newest so many.")


def calls_router(carrier: Carrier) -> APIRouter:
    """GET /calls, POST /calls/{sid}/keys, PUT /phones/{number}."""
    routes = APIRouter(tags=["calls"])

    @routes.get("/calls")
    async def calls(asked: Annotated[CallQuery, Query()]) -> dict[str, Any]:
        """Calls, oldest first, with what was said and which keys were pressed."""

        def found() -> list[dict[str, Any]]:
            fitting = (c for c in carrier.calls.newest(asked.to) if c.over or not asked.ended)
            return [described(c) for c in islice(fitting, max(asked.limit, asked.at_least))]

        if asked.at_least and asked.wait_s:
            await carrier.calls.pulse.until(lambda: len(found()) >= asked.at_least, asked.wait_s)
        return {"calls": list(reversed(found()))}

    @routes.post("/calls/{sid}/keys", responses={404: {"description": "No call with this sid is going on."}})
    async def press(sid: str, pressed: Keys) -> dict[str, str]:
        """Press keys in a call that is going on."""
        call = carrier.calls.get(sid)
        if call is None or not carrier.calls.press(call, pressed.keys):
            raise HTTPException(404, "No call with this sid is going on.")
        return {"sid": sid, "keys": pressed.keys}

    @routes.put("/phones/{number}")
    async def behave(number: Phone, manners: PhoneManners) -> dict[str, Any]:
        """Say what a phone does when it is called."""
        carrier.calls.manners[number] = Manners(manners.does, manners.keys, manners.listen_s)
        return {"number": number, **manners.model_dump()}

    return routes
