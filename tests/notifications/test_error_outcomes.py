"""Every code of the policy table has a stated outcome for the delivery: who is tried next, if anybody."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import pytest

from contracts.notice import NoticeEscalated, NoticeFailed
from guitu.service import Runtime
from harness.ground import SettableClock, facts, react
from harness.notice_stories import Carrier, contact, fill, raised, site
from notifications import answers, escalating
from notifications.agents import REACTIONS
from notifications.domain.delivery import NOT_THIS_SENDER, Outcome
from notifications.providers.adapter import _outcome
from notifications.providers.error_policy import UNKNOWN, ErrorClass, policies
from notifications.providers.protocol import Rejected
from notifications.senders import Line, Senders
from notifications.service import sending_with
from notifications.settings import NotificationSettings

TWO = json.dumps([{"name": name, "provider": "twilio"} for name in ("first", "second")])
REFUSALS = sorted(code for code, policy in policies().items() if policy.seen_in == "http" and code.isdigit())
FAILURES = sorted(code for code, policy in policies().items() if policy.seen_in == "callback")
AGAIN = frozenset({ErrorClass.transient_safe, ErrorClass.transient_sender, ErrorClass.transient_unknown})
NEVER_SEEN = "29999"


def stated(error_class: ErrorClass) -> str:
    """What docs/routes.md and docs/providers.md say of a refusal of this class, with a second sender at hand."""
    if error_class in NOT_THIS_SENDER:
        return "second sender"
    return "first sender later" if error_class in AGAIN else "next contact"


class Refusing(Carrier):
    """A sender that refuses with one code."""

    outcome: Outcome

    async def send(self, sms: object) -> Outcome:
        """Refuse."""
        return self.outcome


async def told(run: Runtime) -> None:
    """One site with two contacts is told."""
    await fill(run, [site(1, 1)], [contact(1, 1), contact(2, 1, 2)])
    await react(run, REACTIONS, raised(run.clock.now()))


@pytest.mark.parametrize("code", [*REFUSALS, NEVER_SEEN])
async def test_a_refusal_has_the_outcome_that_its_class_states(
    runtime_for: Callable[[str], Awaitable[Runtime]], code: str
) -> None:
    run = await runtime_for("notifications")
    await told(run)
    settings = NotificationSettings(**(run.settings.model_dump() | {"senders": TWO}))
    error_class = policies()[code].error_class if code in policies() else UNKNOWN["http"]
    first, second = Refusing(), Carrier()
    first.outcome = _outcome(Rejected(code, error_class))
    lines = [Line(s, way) for s, way in zip(settings.sender_specs, (first, second), strict=True)]
    async with sending_with(run, Senders(lines), settings) as sender:
        await sender._pump(lines[0])
        await sender.drain()
        row = await run.pool.fetchrow(
            "select state, refused_by, next_at > $1 as later from delivery", run.clock.now()
        )
        await sender._pump(lines[1])
        await sender.drain()
    await escalating.escalate_unanswered(run)
    assert row is not None

    if second.accepted:
        reached = "second sender"
    else:
        reached = "first sender later" if row["state"] == "queued" and row["later"] else row["state"]
    if row["state"] == "failed":
        assert [code] == [fact.code for fact in await facts(run, NoticeFailed)]
        assert ["next_contact"] == [fact.to for fact in await facts(run, NoticeEscalated)]
        reached = "next contact"
    assert stated(error_class) == reached


@pytest.mark.parametrize("code", [*FAILURES, NEVER_SEEN])
async def test_what_fails_after_it_was_accepted_goes_to_the_next_contact_at_once(
    runtime_for: Callable[[str], Awaitable[Runtime]], code: str
) -> None:
    run = await runtime_for("notifications")
    await told(run)
    async with sending_with(run, Carrier()) as sender:
        await sender.pump()
        await sender.drain()
    token = await run.pool.fetchval("select token from attempt")
    settings = NotificationSettings(**run.settings.model_dump())
    failed = Outcome("accepted", "SM" + "0" * 32, "undelivered", code=code)
    async with run.tx(actor="provider") as tx:
        await answers.statuses_came(tx, [(token, f"event {code}", failed)], settings)

    assert isinstance(run.clock, SettableClock)
    run.clock.advance(seconds=1)
    await escalating.escalate_unanswered(run)

    assert [code] == [fact.code for fact in await facts(run, NoticeFailed)]
    assert ["next_contact"] == [fact.to for fact in await facts(run, NoticeEscalated)]
