"""Tells offices' systems of decisions: claim, commit, look once more, post, record.

At least once, with the same delivery id on every try: who dies between the answer and its record is followed by who
claims the delivery when the lease is over. Never twice at once: a claim is a lease under a number of its own, and who
slept past it does not begin. A decision that is no longer so is not sent, whatever was queued.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from dna_intake import store_gate, store_webhooks, webhooks
from dna_intake.domain.gate import SAYS_EN, SAYS_ZH
from dna_intake.domain.webhook_retry import pause_after, verdict_on
from dna_intake.gate import standing_of
from dna_intake.metrics_gate import GATE_DELIVERIES
from dna_intake.models_gate import DeliveryRow, GateRow, SubscriptionRow
from dna_intake.settings import DnaSettings, dna_settings
from guitu import vault
from guitu.one_shot_http import AmbiguousOutcome, NoBytesSent, OneShotHttp, open_one_shot
from guitu.public_addresses import PrivateAddress, PublicOnly, refusal_of
from guitu.service import Runtime
from guitu.webhook_signature import signed_by_all

PLACES, PLACES_EACH = 32, 4
"""Calls at a time, and of one subscription: a slow receiver leaves places to the others (our own choice)."""
ANSWER_BYTES_MAX = 64 * 1024
"""Nobody reads the answer's body; a longer one is cut off and counts as none."""
CONNECT_TIMEOUT_S = 3.0
LEASE_MORE = timedelta(seconds=20)
"""How much longer than the call a lease is: the look before it and the record after it."""
NOT_CURRENT_PAUSE = timedelta(seconds=5)
SWEEP = "gate_tell"


@dataclass(frozen=True)
class Letter:
    """A delivery that may go now: where to, with what."""

    url: str
    headers: dict[str, str]
    body: bytes


Fate = Literal["superseded", "stopped", "wait"]


class GateSender:
    """The telling part of one process; any number of processes share the queue."""

    def __init__(self, runtime: Runtime, settings: DnaSettings, http: OneShotHttp) -> None:
        self._runtime, self._settings, self._http = runtime, settings, http
        self._actor = f"guitu.{runtime.service}"
        self._calls: set[asyncio.Task[None]] = set()

    async def pump(self) -> int:
        """Claim as many due deliveries as there are free places, and begin their calls; returns how many."""
        free = PLACES - len(self._calls)
        if free <= 0:
            return 0
        timeout = timedelta(seconds=self._settings.gate_webhook_timeout_s)
        async with self._runtime.tx(actor=self._actor) as tx:
            until = tx.now + timeout + LEASE_MORE
            claimed = await store_webhooks.claim(tx.conn, tx.now, until, free, PLACES_EACH)
        for delivery in claimed:
            call = asyncio.create_task(self._one(delivery, until - timeout))
            self._calls.add(call)
            call.add_done_callback(self._ended)
        return len(claimed)

    def _ended(self, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        if SWEEP in self._runtime.wakes:
            self._runtime.wakes[SWEEP].set()

    async def drain(self) -> None:
        """Wait for the calls that are out; each is bounded by its timeout."""
        while self._calls:
            await asyncio.wait(self._calls)

    async def _one(self, delivery: DeliveryRow, begin_by: datetime) -> None:
        try:
            letter = await self._letter(delivery)
            if not isinstance(letter, Letter):
                return await self._leave(delivery, letter)
            # Who was stopped here (SIGSTOP, a frozen virtual machine) has lost the lease: another may be sending.
            if self._runtime.clock.now() > begin_by:
                return
            await self._record(delivery, await self._post(letter))
        except Exception as error:
            # The lease runs out, and the delivery is tried again.
            GATE_DELIVERIES.labels("failed_here").inc()
            self._runtime.log.error(
                "gate.delivery_failed_here", delivery_id=str(delivery.id), error=type(error).__name__
            )

    async def _letter(self, delivery: DeliveryRow) -> Letter | Fate:
        """What to send, looked at once more; a `clear` only goes while it is so."""
        async with self._runtime.read() as conn:
            subscription = await store_webhooks.subscription(conn, delivery.subscription_id)
            row = await store_gate.request(conn, delivery.request_id)
            newest = await store_webhooks.is_newest(conn, delivery)
            assert subscription is not None, "A delivery refers to its subscription."
            assert row is not None, "A delivery refers to its request."
            if subscription.ended_at is not None:
                return "stopped"
            if not newest or row.closed_at is not None:
                return "superseded"
            if row.decision == "clear":
                told = await standing_of(conn, row, self._settings, self._runtime)
                if told.decision != "clear":
                    return "wait"
        return self._written(delivery, row, subscription)

    def _written(self, delivery: DeliveryRow, row: GateRow, subscription: SubscriptionRow) -> Letter:
        master, now = vault.master_key(self._runtime.settings.vault_key), self._runtime.clock.now()
        body = body_of(delivery, row)
        secrets = webhooks.secrets_of(subscription, master, now)
        headers = signed_by_all(secrets, str(delivery.id), body, now)
        headers["Content-Type"] = "application/cloudevents+json; charset=utf-8"
        return Letter(subscription.url, headers, body)

    async def _leave(self, delivery: DeliveryRow, fate: Fate) -> None:
        async with self._runtime.tx(actor=self._actor) as tx:
            if fate == "wait":
                await store_webhooks.put_back(tx.conn, delivery, tx.now + NOT_CURRENT_PAUSE)
            else:
                await store_webhooks.record(tx.conn, delivery, fate, "", tx.now, None)

    async def _post(self, letter: Letter) -> int | str:
        """The status of the answer, or why there is none."""
        refused = refusal_of(letter.url, private_ok=self._settings.gate_webhook_private_ok)
        if refused:
            return refused
        try:
            answer = await self._http.request("POST", letter.url, body=letter.body, headers=letter.headers)
        except PrivateAddress:
            return "private_address"
        except (NoBytesSent, AmbiguousOutcome) as error:
            return str(error)
        return answer.status

    async def _record(self, delivery: DeliveryRow, answer: int | str) -> None:
        verdict = verdict_on(answer) if isinstance(answer, int) else "again"
        GATE_DELIVERIES.labels(verdict).inc()
        said = f"http_{answer}" if isinstance(answer, int) else answer
        async with self._runtime.tx(actor=self._actor) as tx:
            if verdict == "delivered":
                await store_webhooks.record(tx.conn, delivery, "delivered", said, tx.now, None)
            elif verdict == "gone" or delivery.attempts >= delivery.tries_max:
                if await store_webhooks.record(tx.conn, delivery, "failed", said, tx.now, None):
                    tx.audit("dna.gate_delivery_failed", subject=delivery.id, answer=said)
            else:
                due = tx.now + pause_after(delivery.attempts, delivery.id)
                await store_webhooks.record(tx.conn, delivery, "queued", said, tx.now, due)
            if verdict == "gone":
                await webhooks.end_because(tx, delivery.subscription_id, "gone")


def body_of(delivery: DeliveryRow, row: GateRow) -> bytes:
    """The decision as a CloudEvent (1.0, structured mode): ids, words and times, nothing of a person."""
    event = {
        "specversion": "1.0",
        "id": str(delivery.id),
        "source": "/guitu/dna-intake",
        "type": "guitu.gate_decision.v1",
        "time": row.decided_at.isoformat(),
        "datacontenttype": "application/json",
        "data": {
            "request_id": str(row.id),
            "specimen_id": str(row.specimen_id),
            "office_reference": row.office_reference,
            "sequence": row.seq,
            "decision": row.decision,
            "reason": row.reason,
            "reason_en": SAYS_EN[row.reason],
            "reason_zh": SAYS_ZH[row.reason],
            "index_generation": row.generation,
            "decided_at": row.decided_at.isoformat(),
            "deadline": row.deadline.isoformat() if row.deadline else None,
            "valid_until": row.valid_until.isoformat() if row.valid_until else None,
            "exercise": row.exercise,
        },
    }
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


@asynccontextmanager
async def telling_offices(runtime: Runtime) -> AsyncIterator[GateSender]:
    """The telling part with its session; at the end its calls are waited for."""
    settings = dna_settings(runtime.settings)
    async with open_one_shot(
        connect_timeout_s=CONNECT_TIMEOUT_S,
        total_timeout_s=settings.gate_webhook_timeout_s,
        connections_max=PLACES,
        resolver=None if settings.gate_webhook_private_ok else PublicOnly(),
        answer_bytes_max=ANSWER_BYTES_MAX,
    ) as http:
        sender = GateSender(runtime, settings, http)
        runtime.state["gate_sender"] = sender
        try:
            yield sender
        finally:
            await sender.drain()


async def tell_due(runtime: Runtime) -> int:
    """Sweep: begin the calls that are due."""
    sender: GateSender = runtime.state["gate_sender"]
    return await sender.pump()
