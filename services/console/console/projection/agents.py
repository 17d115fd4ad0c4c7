"""Which fact goes to which fold; the stream wrapper of the ground does the rest.

A fact of a case that no fold names is still told in the timeline: an owner may say something new before the console
knows what to draw for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from console.projection import folds
from contracts.alert import AlertBody, AlertStoodDown
from contracts.base import CaseFact, Fact
from contracts.dna import DnaFact
from contracts.flow import ALERTS, DNA, NOTICES, ORDERS, SIGHTINGS
from contracts.notice import NoticeFact
from contracts.order import MutualAidFact, OrderFact, PlanPublished
from contracts.sighting import SightingAssessed, SightingReported
from guitu.service import Reaction
from guitu.tx import Tx

READ = (ALERTS, ORDERS, NOTICES, SIGHTINGS, DNA)
_FOLDS: dict[type[Fact], Callable[[Tx, Any], Awaitable[None]]] = {
    AlertBody: folds.when_alerted,
    AlertStoodDown: folds.when_ended,
    PlanPublished: folds.when_planned,
    OrderFact: folds.when_order_moved,
    MutualAidFact: folds.when_aid_moved,
    NoticeFact: folds.when_notice_moved,
    SightingReported: folds.when_sighted,
    SightingAssessed: folds.when_assessed,
    DnaFact: folds.when_dna_moved,
    CaseFact: folds.when_told,
}


def _reaction(fact: type[Fact]) -> Reaction:
    """The fold of the nearest kind; the table goes from the particular to the general."""
    handle = next(fold for kind, fold in _FOLDS.items() if issubclass(fact, kind))
    return Reaction(fact, handle)


REACTIONS = tuple(_reaction(fact) for topic in READ for fact in topic.facts)
