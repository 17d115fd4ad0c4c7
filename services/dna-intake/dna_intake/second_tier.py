"""The second tier: what a candidate is asked for beyond the search, recorded under lock, and what it says.

A haplotype tells a family line, so it is sealed like a profile: a key of its own, gone when a specimen is expunged.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from uuid import UUID

from dna_intake import store_candidates
from dna_intake.domain import leads
from dna_intake.domain.lineage import Compared, LineageRefused, Outcome, compare_mt, compare_y
from dna_intake.domain.profiles import locus_named
from dna_intake.domain.reviews import OPEN
from dna_intake.models_search import CandidateRow, NewRatio, RecordSecondTier, ResultRow
from dna_intake.practice import Practice
from dna_intake.results import step_all
from dna_intake.reviews import lock
from guitu import vault
from guitu.problem import Problem
from guitu.tx import Tx

Loci = dict[str, tuple[str, ...]]
Ratio = Callable[[CandidateRow, list[Loci]], Awaitable[NewRatio]]
"""The exact ratio of a candidate with loci added: of child, relative and spouse."""


async def record(
    tx: Tx, candidate_id: UUID, sent: RecordSecondTier, practice: Practice, ratio: Ratio
) -> ResultRow:
    """Compare, seal and record a second-tier result; the candidate and its specimens are in the second tier then.

    Raises: Problem 404, 409 for a settled candidate, 422 for what can't be compared, naming the marker.
    """
    row = await lock(tx, candidate_id)
    if row.state not in OPEN:
        raise Problem(
            409,
            "candidate_settled",
            f"The candidate is {row.state}; it takes no further result.",
            f"该线索状态为{row.state},不再接受补充检测结果。",
            "Look at GET /candidates/{id}.",
        )
    found, log10_lr = await _compared(row, sent, ratio)
    result = ResultRow(
        id=tx.ids.new(),
        candidate_id=row.id,
        marker=sent.marker,
        outcome=found.outcome,
        compared=found.compared,
        mismatches=found.mismatches,
        log10_lr=log10_lr,
        recorded_at=tx.now,
        recorded_by=tx.actor,
    )
    await _keep(tx, result, sent, practice)
    if log10_lr is not None:
        await store_candidates.new_ratio(tx.conn, _at_more_loci(row, found, log10_lr), tx.now)
    await store_candidates.move_candidate(tx.conn, row.id, "in_review", row.review_round, tx.now)
    people = [row.child_id, row.family_id, *([row.spouse_id] if row.spouse_id else [])]
    await step_all(tx, people, "second_tier")
    tx.audit("dna.second_tier_recorded", subject=row.id, marker=sent.marker, outcome=found.outcome)
    return result


def _at_more_loci(row: CandidateRow, found: Compared, log10_lr: float) -> CandidateRow:
    """Every figure of the candidate over the loci there are now; how many strangers are as consistent is not known."""
    exclusive = row.relation in ("parent", "couple")
    figures = {
        "log10_lr": log10_lr,
        "loci": found.compared,
        "inconsistent": found.mismatches if exclusive else row.inconsistent,
        "posterior": leads.posterior(log10_lr, row.compared),
        "strangers_by_mismatch": None,
        "strangers_by_lr": leads.strangers_by_lr(log10_lr, row.compared),
    }
    return row.model_copy(update=figures)


async def _compared(row: CandidateRow, sent: RecordSecondTier, ratio: Ratio) -> tuple[Compared, float | None]:
    if sent.marker == "more_loci":
        return await _with_more_loci(row, sent, ratio)
    try:
        if sent.marker == "y_str":
            return compare_y(sent.child or {}, sent.relative or {}), None
        mine, hers = sent.child_variants or [], sent.relative_variants or []
        first, last = sent.sequenced_first or 0, sent.sequenced_last or 0
        return compare_mt(mine, hers, first, last), None
    except LineageRefused as error:
        raise Problem(
            422,
            "second_tier_refused",
            f"The result can't be compared: {error}",
            "补充检测结果无法比较,请核对。",
            "Mend it and send the whole result again.",
        ) from None


async def _with_more_loci(row: CandidateRow, sent: RecordSecondTier, ratio: Ratio) -> tuple[Compared, float]:
    """The exact ratio over the entered profiles and the loci typed in addition."""
    people = [sent.child, sent.relative, *([sent.spouse] if row.spouse_id else [])]
    added = [{locus_named(k) or k: tuple(v) for k, v in (one or {}).items()} for one in people]
    new = await ratio(row, added)
    if new.refused_at is not None:
        raise Problem(
            422,
            "second_tier_refused",
            f"The result can't be compared; please look at: {new.refused_at}.",
            f"补充检测结果无法比较,请核对:{new.refused_at}。",
            "Send one or two alleles as text at every locus, and leave out what is off ladder.",
        )
    if new.loci <= row.loci:
        raise Problem(
            422,
            "no_more_loci",
            f"With these there are {new.loci} loci to compare, as many as before or fewer.",
            f"补充后可比基因座为{new.loci}个,未增加。",
            "Send loci of both people that neither entered profile has and the frequency table knows.",
        )
    outcome: Outcome = "consistent" if new.log10_lr >= row.log10_lr else "inconclusive"
    if new.log10_lr < 0:
        outcome = "inconsistent"
    return Compared(outcome, new.loci, new.inconsistent), new.log10_lr


async def _keep(tx: Tx, result: ResultRow, sent: RecordSecondTier, practice: Practice) -> None:
    key = vault.new_key()
    place = f"second_tier_result|result|{result.id}"
    body = json.dumps(sent.model_dump(exclude_none=True), sort_keys=True).encode()
    await store_candidates.add_result(
        tx.conn, result, vault.wrap(practice.master, key, place), vault.seal(key, body, place)
    )
