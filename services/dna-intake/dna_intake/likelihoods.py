"""Weigh a case inside the service: open the specimens' profiles with their purpose on record, then compute.

The transaction ends before the computing begins. That runs in a thread, so that the service goes on; two at a
time and a bounded queue, each within its time. A refusal names person, specimen and locus, never an allele.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from uuid import UUID

from dna_intake import genotypes, store
from dna_intake.kinship_files.case import CasePerson, LrCase
from dna_intake.kinship_files.refused import CaseRefused
from dna_intake.kinship_files.resolve import question_of
from dna_intake.kinship_files.result import LrResult
from dna_intake.kinship_files.weigh import OutOfTime, weigh
from dna_intake.likelihood_models import AskLikelihoodRatio, LikelihoodRatioAnswer
from dna_intake.refusals import not_found
from guitu.problem import Problem
from guitu.tx import Tx

DEADLINE_S = 10.0
"""An ordinary case takes some milliseconds; a client that waits longer has given up."""
AT_ONCE = 2
WAITING_MAX = 8
Typed = Mapping[str, dict[str, list[str]]]


class Desk:
    """Computes cases beside the event loop: a bounded number at once, and a bounded queue."""

    def __init__(self, deadline_s: float = DEADLINE_S, waiting_max: int = WAITING_MAX) -> None:
        self._deadline_s = deadline_s
        self._waiting_max = waiting_max
        self._places = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def answer(self, asked: AskLikelihoodRatio, typed: Typed) -> LikelihoodRatioAnswer:
        """The answer to a case whose specimens' genotypes are `typed`.

        Raises: Problem 422 for what is wrong with the case or takes too long, 503 when too many wait.
        """
        if self._waiting >= self._waiting_max:
            raise _busy()
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1
        task = asyncio.create_task(asyncio.to_thread(_weighed, _with_typed(asked, typed), self._deadline_s))
        # A locus may outlast the deadline, since time is looked at between two loci; nobody waits that long, and
        # the place is free only when the thread ends.
        task.add_done_callback(lambda _: self._places.release())
        task.add_done_callback(_forgotten)
        done, _ = await asyncio.wait({task}, timeout=2 * self._deadline_s)
        if not done:
            raise _too_long()
        try:
            result = task.result()
        except CaseRefused as error:
            raise case_refused(error, asked.specimens) from error
        except OutOfTime:
            raise _too_long() from None
        return _without_likelihoods(result) if asked.specimens else _as_answer(result)


async def open_specimens(tx: Tx, asked: AskLikelihoodRatio, master: bytes) -> Typed:
    """The genotypes of a case's specimens; each opening is audited, with the purpose and without the genotype.

    Raises: Problem 404 for a specimen that is not in the region, 409 for one without a profile.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for person, specimen_id in asked.specimens.items():
        if await store.specimen(tx.conn, specimen_id) is None:
            raise _of_specimen(not_found("specimen", "检材"), person, specimen_id)
        profile = await store.profile(tx.conn, specimen_id)
        if profile is None or profile.expunged_at is not None:
            raise _of_specimen(_no_profile(), person, specimen_id)
        genotype = genotypes.opened(profile, master)
        found[person] = {locus: list(pair) for locus, pair in genotype.alleles.items()}
    for subject in asked.specimens.values() or (None,):
        tx.audit(
            "dna.likelihood_asked",
            subject=subject,
            purpose=asked.purpose,
            question=asked.relation.kind if asked.relation else "pedigrees",
            mode=asked.mode,
            people=len(asked.people),
        )
    return found


def case_refused(error: CaseRefused, specimens: Mapping[str, UUID]) -> Problem:
    """A 422 with a line a trouble, in both languages."""
    lines = [asdict(one) | {"specimen_id": _text(specimens.get(one.person))} for one in error.troubles[:20]]
    named = "; ".join(str(one) for one in error.troubles[:3])
    named_zh = ";".join(
        " ".join(part for part in (one.person, one.locus, one.says_zh) if part) for one in error.troubles[:3]
    )
    problem = Problem(
        422,
        "case_refused",
        f"The case can't be weighed: {named}",
        f"无法计算:{named_zh}",
        "Mend every trouble listed, and send the whole case again.",
    )
    problem.extra = {"troubles": lines}
    return problem


def _weighed(case: LrCase, deadline_s: float) -> LrResult:
    return weigh(question_of(case, None), deadline_s)


def _with_typed(asked: AskLikelihoodRatio, typed: Typed) -> LrCase:
    """The case as the files have it, with the specimens' genotypes in their place."""
    people = [
        CasePerson(id=one.id, sex=one.sex, genotypes=typed.get(one.id, one.genotypes), dropout=one.dropout)
        for one in asked.people
    ]
    return asked.model_copy(update={"people": people})


def _as_answer(result: LrResult) -> LikelihoodRatioAnswer:
    return LikelihoodRatioAnswer.model_validate(result.model_dump())


def _without_likelihoods(result: LrResult) -> LikelihoodRatioAnswer:
    loci = [one.model_copy(update={"log10_h1": None, "log10_h2": None}) for one in result.loci]
    return _as_answer(result.model_copy(update={"loci": loci}))


def _of_specimen(problem: Problem, person: str, specimen_id: UUID) -> Problem:
    problem.extra = {"person": person, "specimen_id": str(specimen_id)}
    return problem


def _no_profile() -> Problem:
    return Problem(
        409,
        "no_profile",
        "This specimen has no profile: none was entered, or it was expunged.",
        "该检材没有分型:尚未录入,或已清除。",
        "Enter its profile, or leave the person untyped.",
    )


def _too_long() -> Problem:
    return Problem(
        422,
        "case_too_large",
        "The family is too large to be weighed within the service's time.",
        "谱系过大,无法在限定时间内计算。",
        "Type more of its people, set theta to 0, or use `guitu dna lr` on a file.",
    )


def _busy() -> Problem:
    return Problem(
        503,
        "busy",
        "Too many cases are being weighed.",
        "计算任务过多,请稍后重试。",
        "Send the same case again.",
    )


def _forgotten(task: asyncio.Task[LrResult]) -> None:
    """Take the outcome, also when nobody waits for it any more."""
    if not task.cancelled():
        task.exception()


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
