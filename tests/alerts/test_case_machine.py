"""Cases over HTTP on real PostgreSQL against a small model: any order, twice, late, and with time going by."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, rule

from alerts.handlers import widen_rings
from guitu.settings import Settings
from harness.alert_stories import Desk, desk, report_body
from harness.machines import World, play, world_of

RADII_KM = {0: 100, 1: 200, 2: 300, 3: 500}
APPEARANCES = ("red coat", "blue cap", "yellow raincoat")
TIERS = ("search", "interception", "cross_region")
PLACES = (
    {"position": {"lon": 108.69, "lat": 30.93}, "name": "云阳汽车站", "township_code": None},
    {"position": {"lon": 108.9, "lat": 31.0}, "name": "", "township_code": None},
)
HOURS = st.sampled_from([0, 0.5, 1, 1.5, 2.5, 5])


@dataclass
class Model:
    """A case as a person would keep it on paper: what was said last, and one line for each version."""

    id: str
    exercise: bool
    seen_at: datetime
    told: set[int]
    facts: dict[str, Any]
    tier: str = "interception"
    ring: int = 0
    end: tuple[str, str | None] | None = None
    lines: list[str] = field(default_factory=lambda: ["raised"])

    def owed(self, now: datetime) -> set[int]:
        """Rings whose hour has come and that nobody was told of."""
        come = {step for step in RADII_KM if self.seen_at + timedelta(hours=step) <= now}
        return set() if self.end else come - self.told


class Cases(RuleBasedStateMachine):
    """A command centre with impatient people and a slow network."""

    world: World
    desk: Desk
    cases = Bundle("cases")

    def __init__(self) -> None:
        super().__init__()
        self.models: dict[str, Model] = {}

    @rule(target=cases, late_h=HOURS, exercise=st.booleans(), times=st.integers(1, 2))
    def a_child_is_reported(self, late_h: float, exercise: bool, times: int) -> Any:
        """Perhaps twice with the same key, since the answer was lost."""
        seen_at = self.world.clock.now() - timedelta(hours=late_h)
        body, key = report_body(seen_at, exercise=exercise), str(uuid4())
        answers = [self.posts("/reports", body, Idempotency_Key=key) for _ in range(times)]
        assert all((201, answers[0][1]) == answer for answer in answers)
        told = {step for step in RADII_KM if step <= late_h}
        facts = {"appearance": "red coat", "last_seen_place": PLACES[0]}
        model = Model(answers[0][1]["case_id"], exercise, seen_at, told, facts, ring=max(told))
        assert model.id not in self.models
        self.models[model.id] = model
        return model

    @rule(case=cases, tier=st.sampled_from(TIERS))
    def the_tier_is_set(self, case: Model, tier: str) -> None:
        changes = not case.end and tier != case.tier
        self.commands(case, "tier", {"tier": tier}, "updated" if changes else "")
        if changes:
            case.tier = tier

    @rule(
        case=cases,
        appearance=st.none() | st.sampled_from(APPEARANCES),
        place=st.none() | st.sampled_from(PLACES),
        earlier_h=st.none() | HOURS,
    )
    def it_is_corrected(
        self, case: Model, appearance: str | None, place: Any, earlier_h: float | None
    ) -> None:
        seen_at = case.seen_at if earlier_h is None else self.world.clock.now() - timedelta(hours=earlier_h)
        said = {"appearance": appearance, "last_seen_place": place}
        fields = {name: value for name, value in said.items() if value is not None}
        news = fields | ({"last_seen_at": seen_at.isoformat()} if earlier_h is not None else {})
        if not news:
            return
        changes = not case.end and (case.facts | fields != case.facts or seen_at != case.seen_at)
        self.commands(case, "updates", {"fields": news}, "updated" if changes else "")
        if changes:
            case.facts |= fields
            case.seen_at = seen_at

    @rule(minutes=st.sampled_from([1, 29, 31, 60, 200]))
    def time_goes_by(self, minutes: int) -> None:
        self.world.clock.advance(minutes=minutes)

    @rule(times=st.integers(1, 2))
    def the_timer_looks(self, times: int) -> None:
        """After an outage a case may owe several rings: one version tells the widest."""
        for _ in range(times):
            widened = self.world.does(widen_rings(self.world.run))
            owing = [m for m in self.models.values() if m.owed(self.world.clock.now())]
            assert len(owing) == widened
            for model in owing:
                owed = model.owed(self.world.clock.now())
                model.told |= owed
                if max(owed) > model.ring:
                    model.ring = max(owed)
                    model.lines.append("widened")

    @rule(case=cases, outcome=st.sampled_from(["found", "false_alarm", "exercise_over"]))
    def it_is_stood_down(self, case: Model, outcome: str) -> None:
        repeats = case.end == (outcome, None)
        fits = not case.end and (case.exercise or outcome != "exercise_over")
        body = {"outcome": outcome}
        self.commands(
            case, "stand-down", body, "stood_down" if fits else "", refused=not fits and not repeats
        )
        if fits:
            case.end = (outcome, None)

    @rule(case=cases, into=cases)
    def it_is_merged(self, case: Model, into: Model) -> None:
        end = ("merged", into.id)
        kind_fits = case.id != into.id and case.exercise == into.exercise
        repeats = kind_fits and case.end == end
        fits = kind_fits and not case.end and not into.end
        body = {"into": into.id}
        self.commands(case, "merge", body, "stood_down" if fits else "", refused=not fits and not repeats)
        if fits:
            case.end = end

    @rule(pair=st.tuples(cases, cases))
    def two_people_press_at_once(self, pair: tuple[Model, Model]) -> None:
        """Opposite merges at the same moment: one wins, none waits for ever."""
        one, other = pair
        fits = one.id != other.id and one.exercise == other.exercise and not one.end and not other.end
        if not fits:
            return
        answers = self.world.does(self.merges_at_once(one, other))
        assert [200, 409] == sorted(answers)
        loser, winner = (one, other) if answers[0] == 200 else (other, one)
        loser.end = ("merged", winner.id)
        loser.lines.append("stood_down")

    async def merges_at_once(self, one: Model, other: Model) -> list[int]:
        both = ((one, other), (other, one))
        calls = [
            self.desk.post(f"/cases/{case.id}/merge", {"into": into.id, "reason": "the same child"})
            for case, into in both
        ]
        return [answer.status_code for answer in await asyncio.gather(*calls)]

    @rule(case=cases)
    def somebody_looks(self, case: Model) -> None:
        self.looks(case)

    def posts(self, path: str, body: dict[str, Any], **headers: str) -> tuple[int, Any]:
        answer = self.world.does(self.desk.post(path, body, "operator", **headers))
        return answer.status_code, answer.json()

    def commands(
        self, case: Model, what: str, body: dict[str, Any], line: str, *, refused: bool | None = None
    ) -> None:
        """A command makes one version (`line`), or none; a closed case refuses every change."""
        reason = {} if what == "stand-down" else {"reason": "a drill of the tests"}
        status, answer = self.posts(f"/cases/{case.id}/{what}", body | reason)
        is_refused = bool(case.end) if refused is None else refused
        assert (409 if is_refused else 200) == status, answer
        if line:
            case.lines.append(line)
        if status == 200:
            assert len(case.lines) == answer["alert_version"]

    def looks(self, model: Model) -> None:
        """The live status is the model's, its history has no gap, and the topic says each version once."""
        shown = self.world.does(self.desk.case(model.id))
        assert model.lines == [version["kind"] for version in shown["versions"]]
        numbers = list(range(1, len(model.lines) + 1))
        assert numbers == [version["version"] for version in shown["versions"]]
        outcome, into = model.end or (None, None)
        assert (outcome, into) == (shown["outcome"], shown["merged_into"])
        assert (model.tier, model.facts["appearance"]) == (shown["tier"], shown["child"]["appearance"])
        place = model.facts["last_seen_place"]
        assert (place, place["position"]) == (shown["last_seen_place"], shown["ring"]["center"])
        assert (model.ring, RADII_KM[model.ring]) == (shown["ring"]["step"], shown["ring"]["radius_km"])
        told = {ring["step"] for ring in shown["rings"] if ring["issued_at"]}
        assert model.told == told
        assert numbers == self.world.does(self.published(model.id))

    async def published(self, case_id: str) -> list[int]:
        rows = await self.world.run.pool.fetch(
            "select payload from outbox where topic = 'guitu.alerts' and key = $1 order by seq", case_id
        )
        return [json.loads(row["payload"])["version"] for row in rows]

    def teardown(self) -> None:
        """End what is open, and look at every case once more."""
        for model in self.models.values():
            if not model.end:
                self.it_is_stood_down(model, "found")
            self.looks(model)


def test_a_case_is_what_the_model_says_whatever_is_done_with_it_and_when(settings: Settings) -> None:
    with world_of("alerts", settings) as world:
        Cases.world, Cases.desk = world, world.opens(desk(world.run))
        play(Cases, runs=25, steps=30)
