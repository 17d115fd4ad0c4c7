"""The service's side of the matcher: keep the index up with PostgreSQL, and answer the searches that wait.

One sweep does it all, woken by commits of this process and by ProfileAccepted of others, with a poll behind it:
load what this process is to hold, follow the changes, answer the oldest searches. The state that matters is rows; what
this object remembers is rebuilt from them. If the matcher's process dies, its index is gone with it, the searches still
wait, and the next sweep builds it again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import asyncpg

from contracts.flow import DNA
from dna_intake import results, store_candidates, store_search
from dna_intake.domain import leads
from dna_intake.domain.kin import Kind
from dna_intake.domain.reviews import OPEN
from dna_intake.matching import metrics
from dna_intake.matching.requests import Requests
from dna_intake.models_search import (
    Answer,
    CandidateRow,
    Change,
    Found,
    NewRatio,
    SealedProfile,
    SearchRow,
    Terms,
)
from dna_intake.practice import practice_of
from dna_intake.searching import PARTITIONS
from dna_intake.settings import dna_settings
from guitu.service import Runtime
from guitu.worker import WorkerTrouble

CHANGES_A_BATCH = 2_000
SEARCHES_A_SWEEP = 20
PAUSE_MAX = timedelta(minutes=5)
WEIGHED_AGAIN_MAX = 200
EVERYTHING = tuple(range(PARTITIONS))
_GONE = NewRatio(refused_at="profile")


class Matcher:
    """One a service process. `held` are the partitions whose profiles are in memory; empty before the first build."""

    def __init__(self, runtime: Runtime, requests: Requests | None = None) -> None:
        self._runtime = runtime
        self._requests = requests or Requests(runtime.settings)
        self.held: tuple[int, ...] = ()
        self.generation = -1
        self._terms: Terms | None = None

    @property
    def terms(self) -> Terms:
        """With what this matcher compares."""
        assert self._terms is not None, "Nothing is answered before the index is built."
        return self._terms

    def ready(self, generation: int) -> bool:
        """Does the index hold every change up to this generation?"""
        return bool(self.held) and self.generation >= generation

    def wanted(self) -> tuple[int, ...]:
        """The partitions that this process is to hold: those of guitu.dna that it reads; all, where it reads none.

        While Kafka assigns anew there are none for a moment: then what is held is kept.
        """
        streams = self._runtime.streams
        if streams is None:
            return EVERYTHING
        mine = sorted({number for topic, number in streams.assigned() if topic == DNA.name})
        return tuple(mine) or self.held

    async def sweep(self) -> int:
        """Load, follow, answer; returns how much was done, so that the rest is done at once."""
        async with self._runtime.read() as conn:
            # Without a profile there is nothing to hold: no process, no library is read.
            if not self.held and not await store_search.has_profiles(conn):
                return 0
        wanted = self.wanted()
        if not wanted:
            return 0
        try:
            if wanted != self.held:
                await self._build(wanted)
            done = await self._follow()
            return done + await self._answer_some()
        except WorkerTrouble as trouble:
            self._runtime.log.error("dna.matcher_lost", reason=trouble.reason, error=_kind_of(trouble))
            await self.lost()
            return 0

    async def lost(self) -> None:
        """Forget an index that is gone or can't be trusted; the next sweep builds it anew."""
        await self._requests.end()
        self.held, self.generation = (), -1

    async def close(self) -> None:
        """End the matcher's process."""
        await self._requests.end()

    async def _build(self, wanted: tuple[int, ...]) -> None:
        self.held, self.generation = (), -1
        status, self._terms = await self._requests.build(wanted)
        self.held, self.generation = wanted, status.generation
        self._runtime.log.info(
            "dna.index_built", generation=status.generation, profiles=status.profiles, partitions=len(wanted)
        )
        self._measure(status.profiles, status.nbytes, status.unreadable)

    def _measure(self, profiles: int, nbytes: int, unreadable: int) -> None:
        metrics.GENERATION.set(self.generation)
        metrics.PROFILES.set(profiles)
        metrics.INDEX_BYTES.set(nbytes)
        metrics.UNREADABLE.set(unreadable)
        metrics.PARTITIONS_HELD.set(len(self.held))

    async def _follow(self) -> int:
        """Take in what changed since, in order, until nothing is new."""
        done = 0
        while True:
            async with self._runtime.read() as conn:
                changes = await store_search.changes_after(conn, self.generation, CHANGES_A_BATCH)
                if not changes:
                    return done
                beside = await self._beside(conn, changes)
            status = await self._requests.follow(changes, beside)
            self.generation = status.generation
            self._measure(status.profiles, status.nbytes, status.unreadable)
            done += len(changes)

    async def _beside(self, conn: asyncpg.Connection, changes: Sequence[Change]) -> list[SealedProfile]:
        """Spouses over partitions; one process that holds all has everybody already."""
        parents = [
            c.specimen_id for c in changes if c.profile is not None and c.profile.kind is not Kind.child
        ]
        if len(self.held) == PARTITIONS or not parents:
            return []
        return await store_search.parents_beside(conn, parents)

    async def _answer_some(self) -> int:
        async with self._runtime.read() as conn:
            now = self._runtime.clock.now()
            waiting = await store_search.waiting_searches(conn, self.held, now, SEARCHES_A_SWEEP)
        for search in waiting:
            await self._answer(search)
        return len(waiting)

    async def _answer(self, search: SearchRow) -> None:
        """One search: follow up to its generation, compare, and write the result in one transaction."""
        if not self.ready(search.generation):
            await self._follow()
        async with self._runtime.read() as conn:
            mine = await store_search.profiles_in_index(conn, [search.specimen_id])
            beside = await store_search.parents_beside(conn, [search.specimen_id])
        try:
            answer = await self._compare(search, mine, beside)
            answer = await self._weighed_again(search, answer)
        except WorkerTrouble as trouble:
            if _kind_of(trouble) == "failed: NoIndex":
                # The process died while nobody asked, and a new one answered. The search is not to blame.
                raise
            await self._again_later(search, trouble)
            if trouble.reason != "failed":
                raise
            return
        metrics.SEARCH_S.observe(answer.took_ms / 1000)
        settings = dna_settings(self._runtime.settings)
        async with self._runtime.tx(actor=f"guitu.{self._runtime.service}") as tx:
            await results.record(
                tx,
                search.id,
                self.held,
                answer,
                self.terms,
                practice_of(self._runtime.settings),
                settings.leads_max,
            )

    async def _compare(
        self, search: SearchRow, mine: Sequence[SealedProfile], beside: Sequence[SealedProfile]
    ) -> Answer:
        if not mine:
            # Withdrawn since: the search is cancelled with it, and nobody is compared.
            return Answer(self.generation, dict.fromkeys(self.held, 0), (), 0.0)
        return await self._requests.search(mine[0], search.relations, beside)

    async def _weighed_again(self, search: SearchRow, answer: Answer) -> Answer:
        """Leads that are open and that this comparison does not come to any more: no old figure may stand."""
        found = {leads.candidate_id(one.child_id, one.relatives, one.relation) for one in answer.found}
        more: list[Found] = []
        async with self._runtime.read() as conn:
            for row in await store_candidates.candidates_of(conn, search.specimen_id, WEIGHED_AGAIN_MAX):
                if row.id in found or row.state not in OPEN or row.relation not in search.relations:
                    continue
                relatives = (row.family_id, *([row.spouse_id] if row.spouse_id else []))
                new = await self.ratio(conn, row, [{} for _ in (row.child_id, *relatives)])
                if new.refused_at is None:
                    differ = new.inconsistent if row.relation in ("parent", "couple") else row.inconsistent
                    more.append(
                        Found(row.child_id, relatives, row.relation, new.log10_lr, differ, new.loci, None)
                    )
        return replace(answer, found=[*answer.found, *more])

    async def _again_later(self, search: SearchRow, trouble: WorkerTrouble) -> None:
        """A search that fails lets others go first, and is tried for ever, ever more rarely; the alarm is a metric."""
        metrics.FAILURES.inc()
        pause = min(PAUSE_MAX, timedelta(seconds=2.0 ** min(search.attempts, 10)))
        self._runtime.log.error("dna.search_failed", search_id=str(search.id), error=_kind_of(trouble))
        async with self._runtime.tx(actor=f"guitu.{self._runtime.service}") as tx:
            await store_search.search_failed(tx.conn, search.id, tx.now + pause)

    async def step(self, partition: int) -> Answer:
        """The children of one partition with all families here. Raises: WorkerTrouble."""
        elsewhere: list[SealedProfile] | None = None
        if partition not in self.held:
            async with self._runtime.read() as conn:
                elsewhere = await store_search.children_of_partition(conn, partition, PARTITIONS)
        return await self._requests.step(partition, elsewhere)

    async def ratio(
        self, conn: asyncpg.Connection, row: CandidateRow, added: Sequence[dict[str, tuple[str, ...]]]
    ) -> NewRatio:
        """The exact ratio of a candidate with more loci; the process is started and filled if it has to be."""
        people = [row.child_id, row.family_id, *([row.spouse_id] if row.spouse_id else [])]
        sealed = {each.specimen_id: each for each in await store_search.profiles_in_index(conn, people)}
        known = [sealed[one] for one in people if one in sealed]
        return await self._requests.ratio(known, row.relation, added) if len(known) == len(people) else _GONE


def _kind_of(trouble: WorkerTrouble) -> str:
    """Reason and class of what went wrong; its text might name an allele, and is left out."""
    return ": ".join(str(trouble).split(": ")[:2])


def matcher_of(runtime: Runtime) -> Matcher:
    """The matcher of this process; it does nothing before its first sweep."""
    found: Matcher = runtime.state.setdefault("matcher", Matcher(runtime))
    return found


async def match(runtime: Runtime) -> int:
    """The sweep: see `Matcher.sweep`."""
    return await matcher_of(runtime).sweep()


async def measure_backlog(runtime: Runtime) -> int:
    """Say how many searches wait, and how old the oldest is and the oldest change that the index lacks."""
    now = runtime.clock.now()
    async with runtime.read() as conn:
        backlog = await store_search.backlog(conn)
        since = await store_search.changed_since(conn, matcher_of(runtime).generation)
    metrics.WAITING.set(backlog["waiting"])
    oldest = backlog["oldest"]
    metrics.OLDEST_S.set(max(0.0, (now - oldest).total_seconds()) if oldest else 0.0)
    metrics.GENERATION_AGE_S.set(max(0.0, (now - since).total_seconds()) if since else 0.0)
    return 0


@asynccontextmanager
async def matcher(runtime: Runtime) -> AsyncIterator[None]:
    """The matcher's process ends with the service's."""
    try:
        yield
    finally:
        await matcher_of(runtime).close()
