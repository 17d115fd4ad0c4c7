"""Facts of a case as the services write them, for tests of what the console makes of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from console.projection.agents import REACTIONS
from contracts import alert, dna, notice, order
from contracts.base import CaseFact, Fact, Place, Position, Sex, Tier
from contracts.sighting import SightingAssessed, SightingReported
from guitu.service import Runtime
from harness.ground import react

RuntimeFor = Callable[[str], Awaitable[Runtime]]
YUNYANG = "500235"
SEAT = Position(lon=108.69, lat=30.93)
_NAMES = UUID("0c6f2a4e-0f63-5b0e-9d0c-5a4b1a7f0001")


class CaseStory:
    """One case; each method makes a fact of it at a moment of the test."""

    def __init__(self, begins_at: datetime, name: str = "first", **common: Any) -> None:
        self.case_id, self.begins_at, self._common = self.id(f"{name} case"), begins_at, common
        self.code = f"CY-{int(self.case_id.hex[:4], 16) % 10_000:04}"

    @staticmethod
    def id(name: str) -> UUID:
        """The same id for the same name."""
        return uuid5(_NAMES, name)

    def fact(self, made: type[CaseFact], minute: float, /, **said: Any) -> Any:
        """A fact of the case, so many minutes after its beginning."""
        common: dict[str, Any] = {"region_code": YUNYANG, "exercise": False} | self._common
        at = self.begins_at + timedelta(minutes=minute)
        return made(**common, occurred_at=at, case_id=self.case_id, **said)

    def _alert(self, kind: type[alert.AlertBody], minute: float, version: int, **more: Any) -> Any:
        body: dict[str, Any] = {
            "case_code": self.code,
            "version": version,
            "tier": Tier.interception,
            "child": {"sex": Sex.female, "age_years": 6, "appearance": "红色羽绒服"},
            "last_seen_place": Place(position=SEAT, name="云阳汽车站", township_code="500235001"),
            "last_seen_at": self.begins_at - timedelta(minutes=20),
            "ring": alert.Ring(step=0, center=SEAT, radius_km=30, near_radius_km=12),
        }
        return self.fact(kind, minute, **(body | more))

    def raised(self, **more: Any) -> alert.AlertRaised:
        """Version 1, at minute 0."""
        return self._alert(alert.AlertRaised, 0, 1, **more)  # type: ignore[no-any-return]

    def updated(self, minute: float, version: int, **more: Any) -> alert.AlertUpdated:
        """A later version."""
        said = {"changed": ("tier",), "reason": "重新评估"} | more
        return self._alert(alert.AlertUpdated, minute, version, **said)  # type: ignore[no-any-return]

    def stood_down(self, minute: float, outcome: str = "found") -> alert.AlertStoodDown:
        """The end."""
        said = {"case_code": self.code, "version": 9, "outcome": outcome, "reason": "已找到"}
        return self.fact(alert.AlertStoodDown, minute, **said)  # type: ignore[no-any-return]

    def merged(self, minute: float, into: CaseStory) -> alert.AlertStoodDown:
        """The end of a duplicate."""
        said = {"case_code": self.code, "version": 9, "outcome": "merged", "merged_into": into.case_id}
        return self.fact(alert.AlertStoodDown, minute, **said)  # type: ignore[no-any-return]

    def planned(self, minute: float, number: int = 1, exits: int = 1, **more: Any) -> order.PlanPublished:
        """A plan with so many exits open."""
        said: dict[str, Any] = {
            "plan_id": self.id(f"plan {number}"),
            "plan_number": number,
            "alert_version": 1,
            "network_version": "v1",
            "trigger": "alert",
            "order_ids": (self.id("order 1"),),
            "closed_exits": 3,
            "open_exits": [
                {
                    "exit_id": self.id(f"exit {n}"),
                    "name_zh": f"出口{n}",
                    "name_en": f"Exit {n}",
                    "earliest_arrival_at": None,
                }
                for n in range(exits)
            ],
            "units_free": 2,
        }
        return self.fact(order.PlanPublished, minute, **(said | more))  # type: ignore[no-any-return]

    def ordered(self, minute: float, name: str = "1") -> order.InterceptionOrdered:
        """An order to unit `name`, answer due in 3 minutes, arrival in 15."""
        at = self.begins_at + timedelta(minutes=minute)
        said = {
            "plan_id": self.id("plan 1"),
            "case_code": self.code,
            "stop": self.stop(name),
            "arrive_by": at + timedelta(minutes=15),
            "unit_ready_at": at + timedelta(minutes=12),
            "earliest_arrival_at": at + timedelta(minutes=20),
            "margin_s": 480.0,
            "respond_by": at + timedelta(minutes=3),
            "reason": "最近",
            "child_summary": "女孩6岁",
            "page_path": "/o/not-for-the-console",
        }
        return self.moved(order.InterceptionOrdered, minute, name, **said)  # type: ignore[no-any-return]

    def stop(self, name: str = "1") -> order.Stop:
        """Where unit `name` is sent."""
        return order.Stop(
            place_id=self.id(f"place {name}"), name_zh=f"卡点{name}", name_en=f"Gate {name}", position=SEAT
        )

    def moved(self, kind: type[order.OrderFact], minute: float, name: str = "1", **said: Any) -> Any:
        """Another step of an order."""
        who = {"order_id": self.id(f"{self.case_id} order {name}"), "unit_id": self.id(f"unit {name}")}
        return self.fact(kind, minute, **who, **said)

    def told(
        self,
        kind: type[notice.NoticeFact],
        minute: float,
        site: str = "1",
        contact: int = 1,
        version: int = 1,
        notice_kind: notice.NoticeKind = "raised",
        **said: Any,
    ) -> Any:
        """A step of the delivery to a site's contact."""
        of = f"{self.case_id} v{version} {notice_kind}"
        what = {
            "delivery_id": self.id(f"{of} {site} {contact}"),
            "notice_id": self.id(of),
            "alert_version": version,
            "site_id": self.id(f"site {site}"),
        } | notice.kind_fields(notice_kind)
        more: dict[type[notice.NoticeFact], dict[str, Any]] = {
            notice.NoticeQueued: {"priority": 1},
            notice.NoticeAccepted: {"provider": "simulator", "segments": 2},
            notice.NoticeAcknowledged: {"channel": "sms"},
            notice.NoticeFailed: {"code": "30006", "reason": "Landline or unreachable carrier"},
            notice.NoticeEscalated: {"to": "next_contact"},
        }
        return self.fact(kind, minute, **what, **(more.get(kind, {}) | said))

    def seen(self, minute: float, name: str = "1", **said: Any) -> SightingReported:
        """Somebody saw the child, perhaps."""
        at = self.begins_at + timedelta(minutes=minute)
        what = {
            "sighting_id": self.id(f"{self.case_id} sighting {name}"),
            "seen_at": at,
            "place": Place(position=SEAT, name="云阳码头"),
            "channel": "sms",
        }
        return self.fact(SightingReported, minute, **(what | said))  # type: ignore[no-any-return]

    def judged(self, minute: float, verdict: str, name: str = "1") -> SightingAssessed:
        """A person's judgement of a sighting."""
        said = {"sighting_id": self.id(f"{self.case_id} sighting {name}"), "verdict": verdict}
        return self.fact(SightingAssessed, minute, **said)  # type: ignore[no-any-return]

    def sample_due(self, minute: float) -> dna.SampleRequested:
        """The parents' sample is due."""
        at = self.begins_at + timedelta(minutes=minute)
        return dna.SampleRequested(
            region_code=YUNYANG,
            occurred_at=at,
            case_id=self.case_id,  # type: ignore[arg-type]
            category="parent_of_missing_child",
            due_at=at + timedelta(days=1),
        )


async def told(run: Runtime, *facts: Fact) -> None:
    """Let the console read facts, each in a transaction of its own."""
    for fact in facts:
        await react(run, REACTIONS, fact, uuid4())


async def told_at_once(run: Runtime, facts: Sequence[Fact]) -> None:
    """Let the console read facts as the stream wrapper does when many wait: in one transaction."""
    from contracts.base import EventId
    from guitu.tx import Pending, Tx

    pending, handlers = Pending(), {reaction.fact: reaction.handle for reaction in REACTIONS}
    async with run.pool.acquire() as conn, conn.transaction():
        for fact in facts:
            tx = Tx(
                conn, run.clock.now(), run.ids, "guitu.console", "guitu/console", EventId(uuid4()), pending
            )
            await handlers[type(fact)](tx, fact)
        await Tx(conn, run.clock.now(), run.ids, "guitu.console", "guitu/console", None, pending).flush()
