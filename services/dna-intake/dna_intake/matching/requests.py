"""The requests to the matcher's process, each with its deadline; the engine's libraries are read there and not here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dna_intake.domain.kin import SearchRelation
from dna_intake.matching.terms import ENGINE, Source, Status, engine
from dna_intake.models_search import Answer, Change, NewRatio, SealedProfile, Terms
from dna_intake.searching import PARTITIONS
from dna_intake.settings import dna_settings
from guitu.pg import role_of, schema_of
from guitu.settings import Settings
from guitu.vault import master_key
from guitu.worker import Worker

BUILD_WITHIN_S = 1_800.0
"""Ten million profiles take about a minute on two idle cores; a busy machine takes its time."""
FOLLOW_WITHIN_S = 120.0
SEARCH_WITHIN_S = 60.0
STEP_WITHIN_S = 1_800.0
NICE = 5
"""Whoever accepts reports and profiles goes before whoever compares."""
SERVICE = "dna-intake"


class Requests:
    """A process that is started at the first request; what it holds is gone when it dies. All raise WorkerTrouble."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._worker = Worker(NICE, ENGINE)

    @property
    def pid(self) -> int | None:
        """Of the process, while there is one."""
        return self._worker.pid

    async def build(self, held: tuple[int, ...]) -> tuple[Status, Terms]:
        """Let the process read all profiles of these partitions into memory."""
        own = dna_settings(self._settings)
        source = Source(
            url=self._settings.database_url,
            role=role_of(SERVICE),
            schema=schema_of(SERVICE),
            master=master_key(self._settings.vault_key),
            held=held,
            partitions=PARTITIONS,
        )
        answer: tuple[Status, Terms] = await self._run(
            "build", source, own.frequency_table, own.thresholds, within_s=BUILD_WITHIN_S
        )
        return answer

    async def follow(self, changes: Sequence[Change], beside: Sequence[SealedProfile]) -> Status:
        """Take changes in, in their order."""
        answer: Status = await self._run("follow", list(changes), list(beside), within_s=FOLLOW_WITHIN_S)
        return answer

    async def search(
        self, who: SealedProfile, relations: Sequence[SearchRelation], beside: Sequence[SealedProfile]
    ) -> Answer:
        """Compare one specimen with the other side."""
        answer: Answer = await self._run(
            "search", who, tuple(relations), list(beside), within_s=SEARCH_WITHIN_S
        )
        return answer

    async def step(self, partition: int, elsewhere: Sequence[SealedProfile] | None) -> Answer:
        """A step of all against all."""
        answer: Answer = await self._run("step", partition, elsewhere, within_s=STEP_WITHIN_S)
        return answer

    async def ratio(
        self,
        people: Sequence[SealedProfile],
        relation: SearchRelation,
        added: Sequence[dict[str, tuple[str, ...]]],
    ) -> NewRatio:
        """The exact ratio of a child and its relatives with further loci; works before an index is built."""
        own, master = dna_settings(self._settings), master_key(self._settings.vault_key)
        answer: NewRatio = await self._run(
            "ratio",
            list(people),
            relation,
            list(added),
            own.frequency_table,
            master,
            within_s=SEARCH_WITHIN_S,
        )
        return answer

    async def _run(self, request: str, *arguments: Any, within_s: float) -> Any:
        return await self._worker.run(engine, request, *arguments, deadline_s=within_s)

    async def end(self) -> None:
        """End the process, and with it everything that was decrypted."""
        await self._worker.close()
