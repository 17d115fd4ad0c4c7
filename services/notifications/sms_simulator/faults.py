"""Faults on demand: each rule strikes by probability or count, from its own seeded stream, and is counted.

Every kind draws from its own random stream, so that switching one fault on does not move another. The same
seed, rules and order of requests give the same faults.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class FaultKind(StrEnum):
    """What can go wrong; the comment says what the caller sees."""

    too_many_requests = "too_many_requests"  # 429 / 20429, not accepted.
    error_before = "error_before"  # 500 (or `status`), not accepted.
    close_before = "close_before"  # Connection closed without an answer, not accepted.
    hang_before = "hang_before"  # Held for `seconds`, then handled as usual.
    error_after = "error_after"  # Accepted, yet answered with 500 (or `status`).
    lost_response = "lost_response"  # Accepted, connection closed without an answer.
    hang_after = "hang_after"  # Accepted, answered `seconds` later.
    list_lag = "list_lag"  # Accepted, but not in lists until `seconds` later.
    undelivered = "undelivered"  # Ends as undelivered with `error_code`.
    failed = "failed"  # Ends as failed with `error_code`.
    stuck = "stuck"  # Stays at `sent` for ever.
    strange_status = "strange_status"  # Ends with a status nobody has seen before.
    callback_lost = "callback_lost"
    callback_doubled = "callback_doubled"
    callback_late = "callback_late"  # `seconds` later.
    callback_shuffled = "callback_shuffled"  # 0 to `seconds` later, at random.
    callback_forged = "callback_forged"  # Signed with a wrong token.


@dataclass(frozen=True, slots=True)
class Rule:
    """One fault: how often, for whom, and its particulars."""

    kind: FaultKind
    probability: float = 1.0
    count: int | None = None
    numbers: frozenset[str] = frozenset()
    senders: frozenset[str] = frozenset()
    on: frozenset[str] = frozenset({"create"})
    seconds: float = 1.0
    status: int = 500
    error_code: int = 30003
    status_word: str = "teleported"

    def meets(self, to: str, sender: str, on: str) -> bool:
        """Say whether the rule is about this number, sender and operation; an empty list means everyone."""
        return (
            on in self.on
            and (not self.numbers or to in self.numbers)
            and (not self.senders or sender in self.senders)
        )


@dataclass(slots=True)
class _Armed:
    rule: Rule
    dice: random.Random
    considered: int = 0
    struck: int = 0


@dataclass(slots=True)
class Faults:
    """The rules in force; without rules it costs one look at an empty list."""

    seed: int = 0
    _armed: dict[FaultKind, list[_Armed]] = field(default_factory=dict)

    def replace(self, rules: list[Rule], seed: int) -> None:
        """Put these rules in force, with fresh dice and counters."""
        self.seed = seed
        self._armed = {}
        for index, rule in enumerate(rules):
            dice = random.Random(f"{seed}/{rule.kind}/{index}")  # noqa: S311 - repeatable faults are the point.
            self._armed.setdefault(rule.kind, []).append(_Armed(rule, dice))

    def strike(
        self, kind: FaultKind, to: str = "", sender: str | None = "", on: str = "create"
    ) -> Rule | None:
        """Return the rule of `kind` that strikes now, if any, and count it."""
        for armed in self._armed.get(kind, ()):
            if armed.rule.meets(to, sender or "", on) and _strikes(armed):
                return armed.rule
        return None

    def spread(self, kind: FaultKind, seconds: float) -> float:
        """Return a seeded delay between 0 and `seconds` for a rule of `kind`."""
        return self._armed[kind][0].dice.uniform(0, seconds)

    @property
    def quiet(self) -> bool:
        """True when no rule is in force."""
        return not self._armed

    def report(self) -> dict[str, Any]:
        """Return seed, rules and how often each was considered and struck."""
        every = [armed for group in self._armed.values() for armed in group]
        return {"seed": self.seed, "rules": [_described(armed) for armed in every]}


def _strikes(armed: _Armed) -> bool:
    armed.considered += 1
    rule = armed.rule
    if rule.count is not None and armed.struck >= rule.count:
        return False
    if rule.probability < 1 and armed.dice.random() >= rule.probability:
        return False
    armed.struck += 1
    return True


def _described(armed: _Armed) -> dict[str, Any]:
    rule = armed.rule
    return {
        "kind": rule.kind,
        "probability": rule.probability,
        "count": rule.count,
        "numbers": sorted(rule.numbers),
        "senders": sorted(rule.senders),
        "on": sorted(rule.on),
        "considered": armed.considered,
        "struck": armed.struck,
    }
