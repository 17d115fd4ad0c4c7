"""SQL of the projection: what was told, folded by case, order, delivery, sighting and specimen.

Every write guards against older news, since topics keep order by key only, and a fact of one topic may come before
the fact of another that explains it. Folds wait for the end of their transaction: a batch is one round trip a kind.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from contracts.alert import AlertBody, AlertStoodDown
from contracts.base import CaseFact, Fact
from contracts.dna import DnaFact
from contracts.notice import NoticeFact
from contracts.order import MutualAidFact, OrderFact, PlanPublished
from contracts.sighting import SightingAssessed, SightingReported
from guitu.tx import Tx

_CASE = """
insert into case_line as line (
    case_id, region_code, exercise, case_code, version, body, raised_at, changed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (case_id) do update set
    body = case when (line.body->>'version')::integer > excluded.version then line.body else excluded.body end,
    version = greatest(line.version, excluded.version),
    raised_at = least(line.raised_at, excluded.raised_at),
    changed_at = greatest(line.changed_at, excluded.changed_at)
"""
_ENDED = """
insert into case_line as line (
    case_id, region_code, exercise, case_code, version, changed_at, ended_at, outcome, merged_into, end_reason)
values ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9)
on conflict (case_id) do update set
    version = greatest(line.version, excluded.version),
    changed_at = greatest(line.changed_at, excluded.changed_at),
    ended_at = excluded.ended_at, outcome = excluded.outcome, merged_into = excluded.merged_into,
    end_reason = excluded.end_reason
"""
_PLAN = """
insert into plan_line as line (case_id, region_code, plan_number, published_at, body)
values ($1, $2, $3, $4, $5)
on conflict (case_id) do update set
    plan_number = excluded.plan_number, published_at = excluded.published_at, body = excluded.body
where (line.plan_number, line.published_at) < (excluded.plan_number, excluded.published_at)
"""
_ORDER = """
insert into order_line as line (
    order_id, case_id, region_code, exercise, unit_id, state, rank, changed_at, issued, stop, issued_at, accepted_at,
    in_position_at, reported_at, outcome, overdue_at, reassigned_to, stood_down_at, stood_down_reason, cause,
    acknowledged_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
on conflict (order_id) do update set
    state = case when line.rank < excluded.rank then excluded.state else line.state end,
    changed_at = case when line.rank < excluded.rank then excluded.changed_at
        when line.rank = excluded.rank then least(line.changed_at, excluded.changed_at) else line.changed_at end,
    rank = greatest(line.rank, excluded.rank),
    issued = coalesce(line.issued, excluded.issued),
    stop = coalesce(line.stop, excluded.stop),
    issued_at = least(line.issued_at, excluded.issued_at),
    accepted_at = least(line.accepted_at, excluded.accepted_at),
    in_position_at = least(line.in_position_at, excluded.in_position_at),
    outcome = case when line.reported_at > excluded.reported_at then line.outcome
        else coalesce(excluded.outcome, line.outcome) end,
    reported_at = greatest(line.reported_at, excluded.reported_at),
    overdue_at = least(line.overdue_at, excluded.overdue_at),
    reassigned_to = coalesce(line.reassigned_to, excluded.reassigned_to),
    stood_down_at = least(line.stood_down_at, excluded.stood_down_at),
    stood_down_reason = coalesce(line.stood_down_reason, excluded.stood_down_reason),
    cause = case when line.cause = '' then excluded.cause else line.cause end,
    acknowledged_at = least(line.acknowledged_at, excluded.acknowledged_at)
"""
_AID = """
insert into aid_line as line (
    request_id, case_id, region_code, neighbour, exit_id, asked, requested_at, withdrawn_at, withdrawn_reason)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (request_id) do update set
    asked = coalesce(line.asked, excluded.asked),
    requested_at = coalesce(line.requested_at, excluded.requested_at),
    withdrawn_at = coalesce(line.withdrawn_at, excluded.withdrawn_at),
    withdrawn_reason = coalesce(line.withdrawn_reason, excluded.withdrawn_reason)
"""
_DELIVERY = """
insert into delivery_line as line (
    delivery_id, notice_id, case_id, region_code, exercise, kind, alert_version, site_id, unit_id, state, rank,
    changed_at, queued_at, accepted_at, delivered_at, opened_at, acknowledged_at, channel, nil_at,
    seen_nothing_until, failed_at, failed_code, failed_reason, escalated_at, escalated_to)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
    $24, $25)
on conflict (delivery_id) do update set
    state = case when line.rank < excluded.rank then excluded.state else line.state end,
    changed_at = case when line.rank < excluded.rank then excluded.changed_at
        when line.rank = excluded.rank then least(line.changed_at, excluded.changed_at) else line.changed_at end,
    rank = greatest(line.rank, excluded.rank),
    queued_at = least(line.queued_at, excluded.queued_at),
    accepted_at = least(line.accepted_at, excluded.accepted_at),
    delivered_at = least(line.delivered_at, excluded.delivered_at),
    opened_at = least(line.opened_at, excluded.opened_at),
    acknowledged_at = least(line.acknowledged_at, excluded.acknowledged_at),
    channel = coalesce(line.channel, excluded.channel),
    nil_at = greatest(line.nil_at, excluded.nil_at),
    seen_nothing_until = greatest(line.seen_nothing_until, excluded.seen_nothing_until),
    failed_at = greatest(line.failed_at, excluded.failed_at),
    failed_code = case when line.failed_at > excluded.failed_at then line.failed_code
        else coalesce(excluded.failed_code, line.failed_code) end,
    failed_reason = case when line.failed_at > excluded.failed_at then line.failed_reason
        else coalesce(excluded.failed_reason, line.failed_reason) end,
    escalated_at = greatest(line.escalated_at, excluded.escalated_at),
    escalated_to = case when line.escalated_at > excluded.escalated_at then line.escalated_to
        else coalesce(excluded.escalated_to, line.escalated_to) end
"""
_SIGHTING = """
insert into sighting_line as line (sighting_id, case_id, region_code, reported_at, body)
values ($1, $2, $3, $4, $5)
on conflict (sighting_id) do update set reported_at = excluded.reported_at, body = excluded.body
where line.body is null
"""
_VERDICT = """
insert into sighting_line as line (sighting_id, case_id, region_code, verdict, verdict_reason, assessed_at)
values ($1, $2, $3, $4, $5, $6)
on conflict (sighting_id) do update set
    verdict = excluded.verdict, verdict_reason = excluded.verdict_reason, assessed_at = excluded.assessed_at
where line.assessed_at is null or line.assessed_at < excluded.assessed_at
"""
_DNA = """
insert into dna_line as line (case_id, type, region_code, at, times, details) values ($1, $2, $3, $4, 1, $5)
on conflict (case_id, type) do update set
    details = case when line.at <= excluded.at then excluded.details else line.details end,
    at = greatest(line.at, excluded.at),
    times = line.times + 1
"""
_SPECIMEN = """
insert into specimen_line as line (specimen_id, region_code, category, state, changed_at) values ($1, $2, $3, $4, $5)
on conflict (specimen_id) do update set
    category = coalesce(line.category, excluded.category),
    state = case when line.changed_at < excluded.changed_at
        or (line.changed_at = excluded.changed_at and excluded.state <> 'registered') then excluded.state
        else line.state end,
    changed_at = greatest(line.changed_at, excluded.changed_at)
"""
_TIMELINE = """
insert into timeline (event_id, case_id, region_code, at, type, details) values ($1, $2, $3, $4, $5, $6)
on conflict (event_id) do nothing
"""
IN_ORDER = """
select pg_advisory_xact_lock(7210), case when current_setting('guitu.rebuilds', true) = 'yes' then null else
    set_config('idle_in_transaction_session_timeout', '4s', true) || set_config('statement_timeout', '10s', true) end
"""
"""Taken before the first number of `change` and held until the commit, so that numbers become visible in order.

Who holds it holds up every other console: a process that stands still is thrown out after seconds, and folds anew. A
rebuild has bounds of its own.
"""
CHANGE = """
insert into change (case_id, region_code, part, key, fact_at, written_at) values ($1, $2, $3, $4, $5, $6)
"""
Json = dict[str, Any]


def _fold(tx: Tx, statement: str, *values: Any) -> None:
    # First of all statements of the transaction: who waits for it then holds no row that another may want.
    if IN_ORDER not in tx.pending.later:
        tx.later(IN_ORDER)
    tx.later(statement, *values)


def changed(tx: Tx, fact: Fact, part: str, key: object, case_id: UUID | None) -> None:
    """Tell the live streams that a part of a case is not as it was."""
    _fold(tx, CHANGE, case_id, fact.region_code, part, str(key), fact.occurred_at, tx.now)


def tell(tx: Tx, fact: Fact, case_id: UUID, details: Json) -> None:
    """Add a line to the case's timeline; its key is the fact's event id, so it is never there twice."""
    assert tx.cause is not None, "A line of the timeline comes from a fact."
    _fold(tx, _TIMELINE, tx.cause, case_id, fact.region_code, fact.occurred_at, fact.type_, details)
    changed(tx, fact, "timeline", tx.cause, case_id)


def fold_case(tx: Tx, fact: AlertBody, body: Json) -> None:
    """Keep the newest version of an alert."""
    who = fact.case_id, fact.region_code, fact.exercise, fact.case_code, fact.version
    _fold(tx, _CASE, *who, body, fact.occurred_at, fact.occurred_at)


def fold_end(tx: Tx, fact: AlertStoodDown) -> None:
    """A case is over."""
    who = fact.case_id, fact.region_code, fact.exercise, fact.case_code, fact.version
    _fold(tx, _ENDED, *who, fact.occurred_at, fact.outcome, fact.merged_into, fact.reason)


def fold_plan(tx: Tx, fact: PlanPublished, body: Json) -> None:
    """Keep the newest plan of a case."""
    _fold(tx, _PLAN, fact.case_id, fact.region_code, fact.plan_number, fact.occurred_at, body)


def fold_order(tx: Tx, fact: OrderFact, state: str, rank: int, said: Json) -> None:
    """Move an order on; `said` are the columns that this kind of fact sets."""
    who = fact.order_id, fact.case_id, fact.region_code, fact.exercise, fact.unit_id
    columns = (
        *("issued", "stop", "issued_at", "accepted_at", "in_position_at", "reported_at", "outcome"),
        *("overdue_at", "reassigned_to", "stood_down_at", "stood_down_reason"),
    )
    values = [said.get(column) for column in columns]
    _fold(
        tx,
        _ORDER,
        *(*who, state, rank, fact.occurred_at, *values),
        *(said.get("cause", ""), said.get("acknowledged_at")),
    )


def fold_aid(tx: Tx, fact: MutualAidFact, said: Json) -> None:
    """A neighbour's help was asked for, or is not needed any more."""
    who = fact.request_id, fact.case_id, fact.region_code, fact.neighbour, fact.exit_id
    columns = "asked", "requested_at", "withdrawn_at", "withdrawn_reason"
    _fold(tx, _AID, *who, *(said.get(column) for column in columns))


def fold_delivery(tx: Tx, fact: NoticeFact, state: str, rank: int, said: Json) -> None:
    """Move a delivery on; `said` are the columns that this kind of fact sets."""
    what = fact.delivery_id, fact.notice_id, fact.case_id, fact.region_code, fact.exercise, fact.really
    whom = fact.alert_version, fact.site_id, fact.unit_id
    columns = (
        *("queued_at", "accepted_at", "delivered_at", "opened_at", "acknowledged_at", "channel", "nil_at"),
        *("seen_nothing_until", "failed_at", "failed_code", "failed_reason", "escalated_at", "escalated_to"),
    )
    values = [said.get(column) for column in columns]
    _fold(tx, _DELIVERY, *what, *whom, state, rank, fact.occurred_at, *values)


def fold_sighting(tx: Tx, fact: SightingReported, body: Json) -> None:
    """Somebody saw the child, perhaps."""
    _fold(tx, _SIGHTING, fact.sighting_id, fact.case_id, fact.region_code, fact.occurred_at, body)


def fold_verdict(tx: Tx, fact: SightingAssessed) -> None:
    """Keep the newest judgement of a sighting."""
    who = fact.sighting_id, fact.case_id, fact.region_code
    _fold(tx, _VERDICT, *who, fact.verdict, fact.reason, fact.occurred_at)


def fold_dna(tx: Tx, fact: DnaFact, case_id: UUID, details: Json) -> None:
    """Keep the newest fact of each type and count them."""
    _fold(tx, _DNA, case_id, fact.type_, fact.region_code, fact.occurred_at, details)


def fold_specimen(tx: Tx, fact: DnaFact, state: str, category: str | None) -> None:
    """Where a specimen stands."""
    _fold(tx, _SPECIMEN, fact.specimen_id, fact.region_code, category, state, fact.occurred_at)


def about(fact: CaseFact, *without: str) -> Json:
    """What a fact says besides what every fact says."""
    common = {"region_code", "exercise", "occurred_at", "case_id"}
    return fact.model_dump(mode="json", exclude=common | set(without), exclude_none=True)
