"""Families and strangers in the laboratory's database, as the search meets them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np

from dna_intake import genotypes, laboratory, registration, searching, store
from dna_intake.agents import REACTIONS
from dna_intake.domain.packed import STR_LOCI
from dna_intake.domain.profiles import genotype_of
from dna_intake.kinship import load_table
from dna_intake.matching import engine
from dna_intake.matching.matcher import Matcher, matcher_of
from dna_intake.matching.requests import Requests
from dna_intake.models import RegisterSpecimen, SpecimenRow
from dna_intake.practice import practice_of
from guitu.service import Runtime
from guitu.worker import WorkerTrouble
from harness.dna_stories import YUNYANG, alert
from harness.ground import react

TABLE = load_table("norstr_east_asia")
LOCI = tuple(locus for locus in STR_LOCI if locus in TABLE.loci)
Alleles = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Family:
    """A couple and their child, drawn; nobody's data."""

    father: Alleles
    mother: Alleles
    child: Alleles


def family(seed: int, loci: tuple[str, ...] = LOCI) -> Family:
    """Father, mother and child by Mendel without mutation, so that a test knows what it gets."""
    rng = np.random.default_rng(seed)
    father, mother = stranger(rng, loci), stranger(rng, loci)
    child = {locus: (str(rng.choice(father[locus])), str(rng.choice(mother[locus]))) for locus in loci}
    return Family(father, mother, child)


def stranger(rng: np.random.Generator, loci: tuple[str, ...] = LOCI) -> Alleles:
    """Somebody of the population."""
    drawn = {}
    for locus in loci:
        alleles = list(TABLE.loci[locus])
        shares = np.array(list(TABLE.loci[locus].values()))
        drawn[locus] = tuple(str(a) for a in rng.choice(alleles, 2, p=shares / shares.sum()))
    return drawn


async def enters(
    run: Runtime,
    alleles: Alleles,
    category: str = "unknown_origin",
    *,
    case_id: UUID | None = None,
    relation: str | None = None,
    sex: str | None = None,
    region: str = YUNYANG,
    exercise: bool = False,
) -> SpecimenRow:
    """A specimen registered, moved through the laboratory, and its profile entered, in one transaction."""
    async with run.tx(actor="lab-1") as tx:
        return await put(tx, run, alleles, category, case_id, relation, sex, region, exercise)


async def put(
    tx: Any,
    run: Runtime,
    alleles: Alleles,
    category: str = "unknown_origin",
    case_id: UUID | None = None,
    relation: str | None = None,
    sex: str | None = None,
    region: str = YUNYANG,
    exercise: bool = False,
) -> SpecimenRow:
    """The same in a transaction of the test's."""
    practice = practice_of(run.settings)
    wanted = RegisterSpecimen(
        category=category,
        region_code=region,
        case_id=case_id,
        relation=relation,
        registered_sex=sex,
        exercise=exercise,
    )
    row = await registration.register(tx, wanted, practice)
    for state in (
        "collected",
        "received",
        "extracted",
        "quantified",
        "amplified",
        "typed",
        "quality_checked",
    ):
        row = await moved(tx, row, state, practice)
    genotype = genotype_of({locus: list(pair) for locus, pair in alleles.items()})
    await store.add_profile(tx.conn, genotypes.sealed(tx, row, "K1", genotype, practice.master))
    row = await laboratory.mark_entered(tx, row, practice)
    await searching.profile_entered(tx, row)
    return row


async def moved(tx: Any, row: SpecimenRow, state: str, practice: Any) -> SpecimenRow:
    """One step of custody, as the laboratory makes it."""
    from dna_intake.models import MoveSpecimen

    step = MoveSpecimen(to_state=state, seal="S-0001", location="DNA室")
    return await laboratory.move(tx, row.id, step, practice)


async def all_searched(run: Runtime, matcher: Matcher | None = None) -> None:
    """Sweep until nothing waits; a bounded number of times."""
    for _ in range(50):
        if not await (matcher or matcher_of(run)).sweep():
            return
    raise AssertionError("The matcher does not come to an end.")


class Here(Requests):
    """The engine in this process: as fast as a test wants it, with the same functions and the same index."""

    _one_at_a_time = asyncio.Lock()

    def __init__(self, settings: Any) -> None:
        super().__init__(settings)
        self._held: list[Any] = []

    async def _run(self, request: str, *arguments: Any, within_s: float) -> Any:
        async with self._one_at_a_time:
            engine._STATES[:] = self._held
            try:
                return await asyncio.to_thread(getattr(engine, request), *arguments)
            except Exception as error:
                raise WorkerTrouble("failed", f"{type(error).__name__}: {error}") from error
            finally:
                self._held = list(engine._STATES)

    async def end(self) -> None:
        """Forget the index, as the end of its process does."""
        self._held = []


@asynccontextmanager
async def a_case_with_a_matcher(
    runtime_for: Callable[[str], Awaitable[Runtime]],
) -> AsyncIterator[Runtime]:
    """DNA intake with one alerted case, and a matcher that computes in the test's own process."""
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now()))
    run.state["matcher"] = Matcher(run, Here(run.settings))
    yield run
    await matcher_of(run).close()
