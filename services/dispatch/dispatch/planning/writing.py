"""Writes the planner's answer down as a `Result`: ids instead of places in tables, and the reason on every order."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order

from dispatch.planning.answered import Answered, meets
from dispatch.planning.escape_of import movement_of
from dispatch.planning.estimate import met_shares
from dispatch.planning.model import NOWHERE, Certificate, Flags, Movement
from dispatch.planning.outlook import Outlook, outlook
from dispatch.planning.planned import records_of
from dispatch.planning.result import (
    BoundCertificate,
    Branch,
    CertificateRecord,
    GuardRecord,
    Order,
    PathRecord,
    Proof,
    Result,
    StageRecord,
    Toward,
    Verdict,
)
from dispatch.planning.words import verdict_words, why

CONFIDENCE = 0.95


def result_of(found: Answered, program: str) -> Result:
    """The result as JSON has it; `program` is the version of what made it."""
    question, solution = found.question, found.solution
    bound = max(min(solution.bound, found.prices.bound), solution.value)
    orders = _orders(found)
    sent = {unit for unit, _ in found.stands()}
    return Result(
        version=program,
        instance_sha256=question.instance_sha256,
        network_sha256=question.network_sha256,
        network_version=question.network.version,
        seed=question.instance.limits.seed,
        modes=list(dict.fromkeys(question.instance.sure.modes)),
        plan=orders,
        free_units=[unit.id for at, unit in enumerate(question.instance.units) if at not in sent],
        verdict=_verdict(found, outlook(found)),
        value=solution.value,
        bound=bound,
        gap=0.0 if solution.proven else (bound - solution.value) / max(solution.value, 1e-12),
        proven=solution.proven,
        proof=_proof(found, bound),
        routes=records_of(question, found.planned),
        stages=[
            StageRecord(name=s.name, after_s=s.after_s, objective=s.objective, bound=s.bound)
            for s in found.stages
        ],
        trouble=found.trouble,
        notices=[*question.notices, *_left_out(found)],
    )


def _left_out(found: Answered) -> list[str]:
    """What the network does not allow of the hypotheses."""
    sampled = found.planned.sampled
    if sampled is None or sampled.unreachable_weight < 0.0005:
        return []
    share = sampled.unreachable_weight
    return [
        f"{share:.1%} of the hypotheses' weight can't be travelled on this network; it went to the others."
    ]


def _orders(found: Answered) -> list[Order]:
    """One order a unit that is sent, by unit as the instance has them."""
    question, coverage, stands = found.question, found.coverage, found.stands()
    instance, ids = question.instance, question.network.nodes.ids
    met = meets(coverage, stands)
    value = float(met_shares(coverage, found.solution.place_of) @ coverage.weights)
    closes = _closes(found)
    orders = []
    for column, (unit, place) in enumerate(stands):
        ready = float(coverage.ready_s[unit, place])
        met_weight = float(coverage.weights[met[:, column]].sum() * coverage.detection[place])
        without = [NOWHERE if other == unit else at for other, at in enumerate(found.solution.place_of)]
        only_here = value - float(met_shares(coverage, without) @ coverage.weights)
        toward = _toward(found, met[:, column])
        shuts = closes.get(unit, [])
        name = instance.places[place].id
        at_s = ready if np.isfinite(ready) else None
        orders.append(
            Order(
                unit=instance.units[unit].id,
                place=name,
                node=ids[int(question.place_nodes[place])],
                ready_s=at_s,
                guard=unit in closes,
                closes=shuts,
                met_weight=_share(met_weight),
                only_here_weight=_share(only_here),
                meets=np.flatnonzero(met[:, column]).tolist(),
                toward=toward,
                why=why(name, at_s, shuts, met_weight, toward, (unit, place) in question.pinned),
            )
        )
    return orders


def _toward(found: Answered, met: Flags) -> list[Toward]:
    """The five ends that most weight of the routes met was going to."""
    question, planned = found.question, found.planned
    names = {
        int(node): way.id for way, node in zip(question.instance.exits, question.exit_nodes, strict=True)
    }
    weight: dict[str, float] = {}
    for route in np.flatnonzero(met).tolist():
        end = int(planned.end_node[route])
        name = names.get(end, question.network.nodes.ids[end])
        weight[name] = weight.get(name, 0.0) + float(planned.weights[route])
    most = sorted(weight.items(), key=lambda item: (-item[1], item[0]))[:5]
    return [Toward(destination=name, weight=_share(share)) for name, share in most]


def _closes(found: Answered) -> dict[int, list[str]]:
    """Guard's unit -> exits to which some way leads if it alone is taken away."""
    if not found.guaranteed or found.containment is None:
        return {}
    question = found.question
    modes = list(dict.fromkeys(question.instance.sure.modes))
    movements = [movement_of(question, mode, question.sources) for mode in modes]
    nodes = [guard.node for guard in found.containment.guards]
    closes: dict[int, list[str]] = {}
    for guard in found.containment.guards:
        shut = np.zeros(question.network.size, dtype=np.bool_)
        shut[[node for node in nodes if node != guard.node]] = True
        reached = np.zeros_like(shut)
        for movement in movements:
            reached |= _reached(movement, shut)
        pairs = zip(question.instance.exits, question.exit_nodes.tolist(), strict=True)
        closes[guard.unit] = [way.id for way, node in pairs if reached[node]]
    return closes


def _reached(movement: Movement, shut: Flags) -> Flags:
    """(nodes,): where one can come from the sources without entering a shut node."""
    size = len(shut)
    free = ~shut[movement.tails] & ~shut[movement.heads]
    arcs = (np.ones(int(free.sum())), (movement.tails[free], movement.heads[free]))
    graph = csr_array(arcs, shape=(size, size))
    reached = np.zeros(size, dtype=np.bool_)
    for node, _ in movement.sources:
        if not shut[node]:
            reached[breadth_first_order(graph, node, return_predecessors=False)] = True
    return reached


def _verdict(found: Answered, known: Outlook) -> Verdict:
    question, containment = found.question, found.containment
    ids = question.network.nodes.ids
    kind = "probabilistic" if containment is None else containment.kind
    guards = [] if containment is None else containment.guards
    closed_at_s = containment.closed_at_s if containment is not None and found.guaranteed else None
    return Verdict(
        kind=kind,
        probability=known.probability,
        low=known.low,
        high=known.high,
        confidence=CONFIDENCE,
        basis=known.basis,
        effective_routes=known.effective_routes,
        guards=[
            GuardRecord(
                unit=question.instance.units[guard.unit].id,
                node=ids[guard.node],
                ready_s=guard.ready_s,
                arrival_s=guard.arrival_s if np.isfinite(guard.arrival_s) else None,
            )
            for guard in guards
        ],
        flow_value=containment.flow_value if containment is not None and found.guaranteed else None,
        closed_at_s=closed_at_s,
        words=verdict_words(kind, known.probability, known.low, known.high, closed_at_s),
    )


def _proof(found: Answered, bound: float) -> Proof:
    containment, prices = found.containment, found.prices
    by_total = bound >= found.coverage.weights.sum() - 1e-9
    by_certificate = prices.bound <= bound + 1e-9
    return Proof(
        certificate=None if containment is None else _certificate(found, containment.certificate),
        ways=[] if containment is None else [_path(found, nodes, 1.0, by) for nodes, by in containment.ways],
        sooner=None if containment is None else _certificate(found, containment.sooner),
        bound_certificate=BoundCertificate(
            routes=list(prices.routes), units=list(prices.units), places=list(prices.places)
        ),
        certified_bound=prices.bound,
        bound_by="certificate" if by_certificate else "total_weight" if by_total else "search",
    )


def _certificate(found: Answered, certificate: Certificate | None) -> CertificateRecord | None:
    """With ids instead of places in tables; splits inside splits as deep as they go."""
    if certificate is None:
        return None
    movements = certificate.movements or (0,) * len(certificate.paths)
    branch = None
    if certificate.branch_on is not None:
        unit, node = certificate.branch_on
        branch = Branch(
            unit=found.question.instance.units[unit].id, node=found.question.network.nodes.ids[node]
        )
    branches = [_certificate(found, each) for each in certificate.branches]
    return CertificateRecord(
        paths=[
            _path(found, nodes, flow, by)
            for (nodes, flow), by in zip(certificate.paths, movements, strict=True)
        ],
        stops=[float(stop) for stop in certificate.stops],
        branches=[branch for branch in branches if branch is not None],
        branch_on=branch,
    )


def _path(found: Answered, nodes: tuple[int, ...], flow: float, movement: int) -> PathRecord:
    ids = found.question.network.nodes.ids
    return PathRecord(nodes=[ids[node] for node in nodes], movement=movement, flow=flow)


def _share(value: float) -> float:
    """Without the last digit of rounding that a sum of shares leaves."""
    return min(1.0, max(0.0, value))
