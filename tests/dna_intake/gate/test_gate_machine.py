"""The gate against a small model: children, families, searches, leads, looks, restarts and time in any order.

Whatever happens, nobody is ever told `clear` for a child that was not compared with every family there is, that has
an open lead, too few loci or no usable sample; and nobody is kept waiting once all of that is settled.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contracts.dna import GateDecided
from dna_intake import gate, store_gate
from dna_intake.domain.gate import Finding
from dna_intake.models_gate import AskGate, CloseGate, DecisionRow, GateRow
from dna_intake.settings import dna_settings
from guitu.problem import Problem
from guitu.settings import Settings
from harness import ground
from harness.gate_stories import becomes, child, compared, family, is_now, lead, looked
from harness.ground import facts
from harness.machines import World, play, world_of

WHICH = st.integers(0, 7)
"""One of those there are; drawn without looking, so that a run is the same whatever the ids are."""


@dataclass
class OnPaper:
    """What is true of a child, whatever the gate has noticed of it."""

    state: str
    loci: int
    through: int | None = None
    entered_at: int | None = None
    leads: dict[UUID, str] = field(default_factory=dict)


class Gate(RuleBasedStateMachine):
    """Children at the gate of one county while families come in from everywhere."""

    world: World

    @initialize()
    def nobody_is_there(self) -> None:
        """Empty tables for each run."""
        self.does(ground.truncate(self.world.run.settings.database_url, "dna-intake"))
        self.children: dict[UUID, OnPaper] = {}
        self.families: dict[UUID, int] = {}
        self.waiting: dict[UUID, int] = {}
        self.requests: dict[UUID, UUID] = {}
        self.newest = 0
        self.a_child_is_entered(23)
        self.a_child_is_compared(0)
        self.an_office_asks(0)

    def does(self, coroutine: Any) -> Any:
        """Run it to its end."""
        return self.world.does(coroutine)

    @property
    def newest_family(self) -> int:
        """The generation of the newest family."""
        return max(self.families.values(), default=0)

    @rule(loci=st.sampled_from([16, 23, 23]))
    def a_child_is_entered(self, loci: int) -> None:
        """Its own search waits."""
        self.newest += 1
        found = self.does(child(self.world.run, "entered", loci=loci))
        self.children[found] = OnPaper("entered", loci, entered_at=self.newest)

    @rule(state=st.sampled_from(["registered", "collected", "typed"]))
    def a_child_has_no_profile_yet(self, state: str) -> None:
        """It is somewhere in the laboratory."""
        self.children[self.does(child(self.world.run, state, loci=None))] = OnPaper(state, 0)

    @rule(region=st.sampled_from(["500235", "500101"]))
    def a_family_comes(self, region: str) -> None:
        """Its search waits; until it is answered nobody was compared with it."""
        self.newest += 1
        found = self.does(family(self.world.run, region=region))
        self.families[found] = self.waiting[found] = self.newest

    @rule(which=WHICH, hit=WHICH)
    def a_family_is_compared(self, which: int, hit: int) -> None:
        """Its leads are committed with its progress; now and then there is one."""
        if not self.waiting:
            return
        parent = list(self.waiting)[which % len(self.waiting)]
        known = [one for one, paper in self.children.items() if paper.entered_at is not None]
        if known and hit < len(known):
            self._found(known[hit], parent)
        self.does(compared(self.world.run, parent))
        del self.waiting[parent]

    @rule(which=WHICH)
    def a_child_is_compared(self, which: int) -> None:
        """The first comparison of one that was entered."""
        waits = [one for one, paper in self.children.items() if paper.state == "entered"]
        if waits:
            one = waits[which % len(waits)]
            self.does(compared(self.world.run, one))
            self.children[one].state, self.children[one].through = "searched", self.children[one].entered_at

    def _found(self, child_id: UUID, parent: UUID) -> None:
        found = self.does(lead(self.world.run, child_id, parent))
        self.children[child_id].leads[found] = "open"

    @rule(
        which=WHICH, state=st.sampled_from(["second_tier", "in_review", "confirmed", "refuted", "withdrawn"])
    )
    def a_lead_moves(self, which: int, state: str) -> None:
        """The reviewers, or more markers, or a withdrawal."""
        leads = [(paper, one) for paper in self.children.values() for one in paper.leads]
        if leads:
            paper, one = leads[which % len(leads)]
            self.does(becomes(self.world.run, one, state))
            paper.leads[one] = state

    @rule(which=WHICH)
    def a_sample_is_withdrawn(self, which: int) -> None:
        """What was compared does not count any more."""
        if self.children:
            one = list(self.children)[which % len(self.children)]
            self.does(is_now(self.world.run, one, "withdrawn"))
            self.children[one].state = "withdrawn"

    @rule(which=WHICH)
    def an_office_asks(self, which: int) -> None:
        """For any of the children; once more if it has asked."""
        if not self.children:
            return
        one = list(self.children)[which % len(self.children)]
        asked = AskGate(specimen_id=one, office_reference="YY-1", kind="adoption")

        async def ask() -> gate.Told:
            async with self.world.run.tx(actor="clerk", region="500235") as tx:
                return await gate.ask(tx, asked, dna_settings(self.world.run.settings))

        told = self.does(ask())
        if told.row.closed_at is None:
            self.requests[told.row.id] = one
        self._is_true(one, told.finding)

    @rule(seconds=st.sampled_from([1, 5, 61, 300, 3600, 72 * 3600]))
    def time_goes_by(self, seconds: int) -> None:
        """And the sweep does not run: it hangs, or nobody has started it."""
        self.world.clock.advance(seconds=seconds)

    @rule(seconds=st.sampled_from([0, 3, 61, 300]))
    def the_sweep_looks(self, seconds: int) -> None:
        """At whatever is due."""
        self.does(looked(self.world.run, seconds=seconds))

    @rule(which=WHICH)
    def an_office_registers(self, which: int) -> None:
        """It is let through only if the gate may say clear."""
        if not self.requests:
            return
        request_id = list(self.requests)[which % len(self.requests)]

        async def close() -> bool:
            try:
                async with self.world.run.tx(actor="clerk", region="500235") as tx:
                    settings = dna_settings(self.world.run.settings)
                    await gate.close(tx, request_id, CloseGate(outcome="registered"), settings)
            except Problem:
                return False
            return True

        if self.does(close()):
            assert self._may_be_clear(self.requests.pop(request_id))

    def _may_be_clear(self, child_id: UUID) -> bool:
        paper = self.children[child_id]
        compared_with_all = not [g for g in self.waiting.values() if g > (paper.through or 0)]
        settled = all(state in ("refuted", "withdrawn") for state in paper.leads.values())
        return paper.state == "searched" and paper.loci >= 19 and compared_with_all and settled

    def _is_true(self, child_id: UUID, told: Finding) -> None:
        if told.decision == "clear":
            assert self._may_be_clear(child_id), self.children[child_id]
            assert told.valid_until is not None
            assert told.valid_until > self.world.clock.now()
            assert told.generation >= self.newest_family

    @invariant()
    def nobody_is_told_clear_who_is_not(self) -> None:
        """At every moment, for every request, whatever was recorded."""

        async def standing() -> list[tuple[UUID, Finding]]:
            run = self.world.run
            async with run.read(region="500235") as conn:
                rows = [await store_gate.request(conn, one) for one in self.requests]
                return [
                    (row.specimen_id, await gate.standing_of(conn, row, dna_settings(run.settings), run))
                    for row in rows
                    if row is not None
                ]

        for child_id, told in self.does(standing()) if self.requests else ():
            self._is_true(child_id, told)

    def teardown(self) -> None:
        """Once all is settled nobody waits; the request stands as its last decision, and each change was told once."""
        for parent in list(self.waiting):
            self.does(compared(self.world.run, parent))
        self.waiting.clear()
        for _ in range(3):
            self.does(looked(self.world.run, minutes=3))
        self.does(self._ends())

    async def _ends(self) -> None:
        run = self.world.run
        said: dict[UUID, list[tuple[str, str]]] = {}
        for fact in await facts(run, GateDecided):
            said.setdefault(fact.request_id, []).append((fact.decision, fact.reason))
        async with run.read() as conn:
            for request_id, child_id in self.requests.items():
                row = await store_gate.request(conn, request_id)
                assert row is not None
                told = await gate.standing_of(conn, row, dna_settings(run.settings), run)
                assert self._may_be_clear(child_id) == (told.decision == "clear"), (
                    row,
                    self.children[child_id],
                )
                assert told == row.standing
                history = await store_gate.decisions(conn, request_id, 1000)
                _check_history(row, history, said[request_id])


def _check_history(row: GateRow, history: list[DecisionRow], said: list[tuple[str, str]]) -> None:
    assert [one.seq for one in history] == list(range(row.seq, 0, -1))
    assert (history[0].decision, history[0].reason, history[0].generation) == (
        row.decision,
        row.reason,
        row.generation,
    )
    changes = [said[0]]
    for one in said[1:]:
        assert one != changes[-1], "What did not change is not said again."
        changes.append(one)


def test_nobody_is_ever_told_clear_while_a_family_or_a_lead_waits(settings: Settings) -> None:
    with world_of("dna-intake", settings) as world:
        Gate.world = world
        play(Gate, runs=25, steps=30)
