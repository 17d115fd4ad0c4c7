"""What tests and people may do to the simulator: look inside, play a phone, set limits, and break things.

None of this exists at Twilio; it is documented at `/docs`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice, takewhile
from typing import Annotated, Any, Literal

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.background import BackgroundTask
from starlette.responses import JSONResponse

from sms_simulator.call_control import calls_router
from sms_simulator.carrier import Carrier
from sms_simulator.faults import FaultKind, Rule
from sms_simulator.intake import BODY_MAX, E164, SENDER
from sms_simulator.limit import Mode, Rate
from sms_simulator.listener import Listener
from sms_simulator.mailbox import Mailbox
from sms_simulator.message import Message
from sms_simulator.rest import describe

Operation = Literal["create", "list", "fetch", "update", "delete"]
Phone = Annotated[str, Field(pattern=E164.pattern, examples=["+447700900123"])]
Ours = Annotated[str, Field(pattern=r"^\+?[A-Za-z0-9][A-Za-z0-9 _&-]{1,14}$", examples=["+12025550100"])]
WAIT_MAX_S = 30.0
DOWN_MAX_S = 600.0
RULES_MAX = 100
_UNREADABLE: dict[int | str, dict[str, Any]] = {400: {"description": "The body is no JSON at all."}}


class Body(BaseModel):
    """A request of the control API; a misspelt field is an error, not a silent no-op."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class MessageQuery(Body):
    """Which messages to show, and how long to wait for them."""

    to: str | None = None
    sender: str | None = Field(default=None, alias="from")
    since: AwareDatetime | None = Field(default=None, description="Accepted at or after (ISO 8601).")
    after_seq: int = Field(default=0, ge=0, description="Only messages after this number.")
    containing: str = ""
    at_least: int = Field(default=0, ge=0, le=100_000, description="Wait for so many.")
    wait_s: float = Field(default=0, ge=0, le=WAIT_MAX_S, description="How long to wait for them.")
    limit: int = Field(default=1_000, ge=1, le=100_000, description="The newest so many.")


class InboundText(Body):
    """A phone's text to one of our numbers; `to` defaults to the number that last wrote to this phone."""

    sender: Phone = Field(alias="from")
    to: Ours | None = None
    body: str = Field(max_length=BODY_MAX)


class FaultRule(Body):
    """One fault: of `kind`, with a probability or at most `count` times, for some numbers or for all."""

    kind: FaultKind
    probability: float = Field(default=1.0, ge=0, le=1)
    count: int | None = Field(default=None, ge=0)
    numbers: list[str] = Field(default=[], max_length=10_000, description="To numbers; empty means all.")
    senders: list[str] = Field(default=[], max_length=1_000, description="From numbers; empty means all.")
    on: list[Operation] = Field(default=["create"], description="Operations that the `_before` kinds spoil.")
    seconds: float = Field(default=1.0, ge=0, le=3600, description="Of hangs, lags and late callbacks.")
    status: int = Field(default=500, ge=500, le=599, description="HTTP status of the error kinds.")
    error_code: int = Field(default=30003, description="Of `undelivered` and `failed`.")
    status_word: str = Field(default="teleported", max_length=40, description="Of `strange_status`.")


class FaultPlan(Body):
    """All rules in force and the seed of their dice."""

    seed: int = 0
    rules: list[FaultRule] = Field(default=[], max_length=RULES_MAX)


class LimitChange(Body):
    """So many segments a second for one sender, or for all that have no limit of their own; null lifts it."""

    segments_per_s: float | None = Field(gt=0, le=1e6)
    burst: float | None = Field(
        default=None, ge=1, le=1e6, description="At once; default one second's worth."
    )
    mode: Mode = "reject"
    sender: str | None = None


class Delays(Body):
    """Milliseconds before each status, counted from the one before."""

    sending_ms: float = Field(ge=0, le=3_600_000)
    sent_ms: float = Field(ge=0, le=3_600_000)
    delivered_ms: float = Field(ge=0, le=3_600_000)


class NumberRoute(Body):
    """Where texts to one of our numbers go; empty forgets it."""

    inbound_url: str = Field(max_length=2000, pattern=r"^(https?://.+)?$")


class Downtime(Body):
    """How long every connection is refused."""

    seconds: float = Field(gt=0, le=DOWN_MAX_S)


def control_app(carrier: Carrier, listener: Listener) -> FastAPI:
    """Return the application that serves `/simulator`, `/health` and `/docs`."""
    app = FastAPI(title="Guitu SMS simulator", description=__doc__ or "", redoc_url=None)
    app.add_exception_handler(RequestValidationError, _say_what_is_wrong)
    app.include_router(_health())
    app.include_router(_looking(carrier), prefix="/simulator", tags=["look"])
    app.include_router(_playing(carrier), prefix="/simulator", tags=["play"], responses=_UNREADABLE)
    app.include_router(calls_router(carrier), prefix="/simulator", responses=_UNREADABLE)
    app.include_router(
        _breaking(carrier, listener), prefix="/simulator", tags=["break"], responses=_UNREADABLE
    )
    return app


async def _say_what_is_wrong(_: Request, error: Exception) -> JSONResponse:
    """FastAPI's own answer without the values: they may be phone numbers, or no text that can be sent back."""
    assert isinstance(error, RequestValidationError)
    said = [{"loc": e["loc"], "msg": e["msg"], "type": e["type"]} for e in error.errors()[:20]]
    return JSONResponse({"detail": said}, 422)


def _refused(where: str, says: str) -> RequestValidationError:
    return RequestValidationError([{"loc": (where,), "msg": says, "type": "value_error"}])


def _health() -> APIRouter:
    routes = APIRouter(prefix="/health", tags=["health"])

    @routes.get("/live")
    async def live() -> dict[str, str]:
        """The process answers."""
        return {"status": "live"}

    @routes.get("/ready")
    async def ready() -> dict[str, str]:
        """The journal is read and messages are taken."""
        return {"status": "ready"}

    return routes


def _looking(carrier: Carrier) -> APIRouter:
    routes = APIRouter()

    @routes.get("/messages")
    async def messages(asked: Annotated[MessageQuery, Query()]) -> dict[str, Any]:
        """Messages, oldest first; with `at_least` and `wait_s` it answers as soon as so many are there."""
        mailbox = carrier.mailbox

        def found() -> list[Message]:
            newest = mailbox.newest(asked.to, asked.sender)
            return list(islice((m for m in newest if _fits(m, asked)), max(asked.limit, asked.at_least)))

        if asked.at_least and asked.wait_s:
            await mailbox.pulse.until(_enough(mailbox, asked), asked.wait_s)
        return {"messages": [describe(m) for m in reversed(found())], "last_seq": mailbox.last_seq}

    @routes.get("/ledger")
    async def ledger(
        min_count: Annotated[int, Query(ge=1, description="2 shows the duplicates only.")] = 1,
        limit: Annotated[int, Query(ge=0, le=200_000)] = 10_000,
    ) -> dict[str, Any]:
        """How often each text was accepted for each number, whatever was deleted or redacted since."""
        mailbox = carrier.mailbox
        pairs = (
            {"to": to, "body": body, "count": n} for (to, body), n in mailbox.ledger.items() if n >= min_count
        )
        return {
            "accepted": mailbox.ledger.total(),
            "distinct": len(mailbox.ledger),
            "forgotten": mailbox.forgotten,
            "pairs": list(islice(pairs, limit)),
        }

    @routes.get("/idle")
    async def idle(wait_s: Annotated[float, Query(ge=0, le=WAIT_MAX_S)] = 0) -> dict[str, Any]:
        """Whether every status was reached and every callback made; waits up to `wait_s` for it."""
        reached = await carrier.mailbox.pulse.until(lambda: carrier.idle, wait_s)
        return {"idle": reached, "callbacks": dict(carrier.courier.counts)}

    return routes


def _playing(carrier: Carrier) -> APIRouter:
    routes = APIRouter()

    @routes.post("/inbound")
    async def inbound(text: InboundText) -> dict[str, Any]:
        """A phone sends a text; answers when our webhook has answered (status 0: it never did)."""
        ours = text.to or last_writer(carrier, text.sender)
        if ours is None:
            raise _refused("to", "Nobody has written to this phone yet; say which of our numbers in 'to'.")
        message, answer = await carrier.receive(text.sender, ours, text.body)
        return {"sid": message.sid, "to": ours, "webhook_status": None if answer is None else answer.status}

    @routes.get("/numbers")
    async def numbers() -> dict[str, Any]:
        """Our numbers' webhooks, and who told them to stop."""
        mailbox = carrier.mailbox
        stopped = [{"phone": phone, "ours": ours} for phone, ours in sorted(mailbox.opt_outs)]
        urls = {"default": carrier.default_inbound_url, **mailbox.inbound_urls}
        return {"inbound_urls": urls, "opted_out": stopped}

    @routes.put("/numbers/{number}")
    async def route_number(number: str, route: NumberRoute) -> dict[str, str]:
        """Say where texts to one of our numbers go; `default` is for all that have none of their own."""
        if number == "default":
            carrier.default_inbound_url = route.inbound_url
        elif SENDER.match(number):
            carrier.mailbox.set_inbound_url(number, route.inbound_url)
        else:
            raise _refused("number", "This is not a number that can receive texts.")
        return {"number": number, "inbound_url": route.inbound_url}

    @routes.post("/reset")
    async def reset() -> dict[str, str]:
        """Forget messages, ledger, opt-outs, limits and faults; webhooks and delays are as at the start."""
        carrier.reset()
        return {"status": "empty"}

    return routes


def _breaking(carrier: Carrier, listener: Listener) -> APIRouter:
    routes = APIRouter()

    @routes.get("/faults")
    async def faults() -> dict[str, Any]:
        """The rules in force, how often each was considered and struck."""
        return carrier.faults.report()

    @routes.put("/faults")
    async def set_faults(plan: FaultPlan) -> dict[str, Any]:
        """Replace all rules; counters and dice start afresh. An empty list mends everything."""
        carrier.faults.replace([_rule(rule) for rule in plan.rules], plan.seed)
        return carrier.faults.report()

    @routes.get("/limit")
    async def limit() -> dict[str, Any]:
        """The limits in force."""
        return carrier.limits.report()

    @routes.put("/limit")
    async def set_limit(change: LimitChange) -> dict[str, Any]:
        """Set or lift a limit; over it creates get 429 (`reject`) or wait their turn (`queue`)."""
        rate = None
        if change.segments_per_s is not None:
            rate = Rate(change.segments_per_s, change.burst or max(1.0, change.segments_per_s), change.mode)
        carrier.limits.set(rate, change.sender)
        return carrier.limits.report()

    @routes.put("/lifecycle")
    async def set_lifecycle(delays: Delays) -> Delays:
        """Set how fast messages accepted from now on move from status to status."""
        carrier.delays_s = (delays.sending_ms / 1000, delays.sent_ms / 1000, delays.delivered_ms / 1000)
        return delays

    @routes.put("/down")
    async def down(downtime: Downtime) -> JSONResponse:
        """Refuse every connection, this API's too, for so many seconds; open ones are closed."""
        refuse = BackgroundTask(listener.refuse_for, downtime.seconds)
        return JSONResponse({"down_s": downtime.seconds}, background=refuse)

    return routes


def last_writer(carrier: Carrier, phone: str) -> str | None:
    """Return which of our numbers last wrote to `phone`."""
    return next((m.sender for m in carrier.mailbox.newest(to=phone)), None)


def _enough(mailbox: Mailbox, asked: MessageQuery) -> Callable[[], bool]:
    """Whether so many are there; looks at each message once, since a beat comes with every message."""
    looked_until, count = asked.after_seq, 0

    def enough() -> bool:
        nonlocal looked_until, count
        new = takewhile(lambda m: m.seq > looked_until, mailbox.newest(asked.to, asked.sender))
        count += sum(_fits(m, asked) for m in new)
        looked_until = max(looked_until, mailbox.last_seq)
        return count >= asked.at_least

    return enough


def _fits(message: Message, asked: MessageQuery) -> bool:
    if message.seq <= asked.after_seq or asked.containing not in message.body:
        return False
    return asked.since is None or message.created_at >= asked.since.timestamp()


def _rule(asked: FaultRule) -> Rule:
    return Rule(
        kind=asked.kind,
        probability=asked.probability,
        count=asked.count,
        numbers=frozenset(asked.numbers),
        senders=frozenset(asked.senders),
        on=frozenset(asked.on),
        seconds=asked.seconds,
        status=asked.status,
        error_code=asked.error_code,
        status_word=asked.status_word,
    )
