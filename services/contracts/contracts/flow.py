"""The topics in the order of the story: what each carries, what keeps its order, who writes and who reads.

This table is the only place where a topic is named; schemas, AsyncAPI, the flow diagram, the topics on the
broker and the agents of the services all follow from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from contracts.alert import AlertRaised, AlertStoodDown, AlertUpdated, AreaWidened
from contracts.base import CaseFact, Fact
from contracts.case_file import CaseNoted, TaskChanged
from contracts.dna import (
    CandidateFound,
    CandidateReviewed,
    CrossMatchCompleted,
    CrossMatchRequested,
    CustodyMoved,
    DnaFact,
    GateDecided,
    ProfileAccepted,
    SampleRegistered,
    SampleRequested,
)
from contracts.notice import (
    NoticeAccepted,
    NoticeAcknowledged,
    NoticeDelivered,
    NoticeEscalated,
    NoticeFact,
    NoticeFailed,
    NoticeNilReported,
    NoticeOpened,
    NoticeQueued,
)
from contracts.order import (
    CheckpointReported,
    InterceptionOrdered,
    MutualAidRequested,
    MutualAidWithdrawn,
    OrderAccepted,
    OrderOverdue,
    OrderStoodDown,
    PlanPublished,
    StandDownAcknowledged,
    UnitInPosition,
)
from contracts.report import ReportFiled
from contracts.sighting import SightingAssessed, SightingReported

FOREVER_MS = -1
"""A case stays open for decades: its facts are never deleted from the broker by time alone."""


@dataclass(frozen=True)
class Topic:
    """One topic: `key_of` gives what must stay in order; `retention_ms` -1 keeps for ever."""

    name: str
    title_zh: str
    keyed_by: str
    key_of: Callable[[Fact], str]
    facts: tuple[type[Fact], ...]
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    retention_ms: int = FOREVER_MS

    @property
    def dead_letters(self) -> str:
        """Name of the topic beside it for messages that could not be handled."""
        return f"{self.name}.dlq"


def _report_id(fact: Fact) -> str:
    assert isinstance(fact, ReportFiled)
    return str(fact.report_id)


def _case_id(fact: Fact) -> str:
    assert isinstance(fact, CaseFact)
    return str(fact.case_id)


def _delivery_id(fact: Fact) -> str:
    assert isinstance(fact, NoticeFact)
    return str(fact.delivery_id)


def _case_or_specimen_id(fact: Fact) -> str:
    assert isinstance(fact, DnaFact)
    subject = fact.case_id or fact.specimen_id
    assert subject is not None, f"{fact.type_} names neither a case nor a specimen."
    return str(subject)


REPORTS = Topic(
    "guitu.reports",
    "报警",
    "report id",
    _report_id,
    (ReportFiled,),
    ("alerts", "outside systems"),
    ("alerts",),
)
ALERTS = Topic(
    "guitu.alerts",
    "警情",
    "case id",
    _case_id,
    (AlertRaised, AlertUpdated, AreaWidened, AlertStoodDown, CaseNoted, TaskChanged),
    ("alerts",),
    ("dispatch", "dna-intake", "notifications", "console"),
)
ORDERS = Topic(
    "guitu.orders",
    "堵截指令",
    "case id",
    _case_id,
    (
        PlanPublished,
        InterceptionOrdered,
        OrderAccepted,
        UnitInPosition,
        CheckpointReported,
        OrderOverdue,
        OrderStoodDown,
        StandDownAcknowledged,
        MutualAidRequested,
        MutualAidWithdrawn,
    ),
    ("dispatch",),
    ("notifications", "alerts", "console"),
)
NOTICES = Topic(
    "guitu.notices",
    "协查通知",
    "delivery id",
    _delivery_id,
    (
        NoticeQueued,
        NoticeAccepted,
        NoticeDelivered,
        NoticeOpened,
        NoticeFailed,
        NoticeAcknowledged,
        NoticeNilReported,
        NoticeEscalated,
    ),
    ("notifications",),
    ("console", "alerts"),
)
SIGHTINGS = Topic(
    "guitu.sightings",
    "线索",
    "case id",
    _case_id,
    (SightingReported, SightingAssessed),
    ("notifications", "alerts", "dispatch"),
    ("dispatch", "alerts", "console"),
)
DNA = Topic(
    "guitu.dna",
    "DNA",
    "case id or specimen id",
    _case_or_specimen_id,
    (
        SampleRequested,
        SampleRegistered,
        CustodyMoved,
        ProfileAccepted,
        CrossMatchRequested,
        CrossMatchCompleted,
        CandidateFound,
        CandidateReviewed,
        GateDecided,
    ),
    ("dna-intake",),
    ("dna-intake", "alerts", "notifications", "console"),
)

TOPICS: tuple[Topic, ...] = (REPORTS, ALERTS, ORDERS, NOTICES, SIGHTINGS, DNA)
TOPIC_BY_NAME = {topic.name: topic for topic in TOPICS}
TOPIC_OF: dict[type[Fact], Topic] = {fact: topic for topic in TOPICS for fact in topic.facts}
FACT_BY_TYPE: dict[str, type[Fact]] = {fact.type_: fact for topic in TOPICS for fact in topic.facts}
