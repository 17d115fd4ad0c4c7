"""Which fact goes to which handler; the stream wrapper of the ground does the rest."""

from __future__ import annotations

from alerts import live
from alerts.handlers import when_reported
from alerts.settings import AlertSettings
from contracts.dna import DnaFact
from contracts.flow import DNA, NOTICES, ORDERS
from contracts.notice import NoticeFact
from contracts.order import MutualAidFact, OrderFact, PlanPublished
from contracts.report import ReportFiled
from contracts.sighting import SightingAssessed, SightingReported
from guitu.service import Reaction
from guitu.tx import Tx


def reactions(settings: AlertSettings) -> tuple[Reaction, ...]:
    """The service's reactions, with what a report may be."""

    async def reported(tx: Tx, report: ReportFiled) -> None:
        await when_reported(tx, report, settings)

    return (
        Reaction(ReportFiled, reported),
        Reaction(PlanPublished, live.when_planned),
        *(Reaction(fact, live.when_order_moved) for fact in ORDERS.facts if issubclass(fact, OrderFact)),
        *(Reaction(fact, live.when_aid_moved) for fact in ORDERS.facts if issubclass(fact, MutualAidFact)),
        *(Reaction(fact, live.when_notice_moved) for fact in NOTICES.facts if issubclass(fact, NoticeFact)),
        Reaction(SightingReported, live.when_sighted),
        Reaction(SightingAssessed, live.when_assessed),
        *(Reaction(fact, live.when_dna_moved) for fact in DNA.facts if issubclass(fact, DnaFact)),
    )


REACTIONS = reactions(AlertSettings())
