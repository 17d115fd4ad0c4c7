"""How big a run is: how much flows, how fast, and how often what is struck."""

from __future__ import annotations

from dataclasses import dataclass

SERVICES = ("alerts", "dispatch", "dna-intake", "notifications", "console")
PROCESSES = (*SERVICES, "sms-simulator", "kafka", "postgres")


@dataclass(frozen=True)
class Size:
    """One run; the same seed and size give the same script and the same schedule of faults."""

    seed: int
    reports: int
    reports_per_s: float = 8.0
    kills_each: int = 1
    """kill -9 of each process of `PROCESSES`."""
    pairs: int = 0
    """kill -9 of two processes at the same moment."""
    restarts_each: int = 1
    """Orderly restarts of the broker and of the database."""
    republished: int = 1
    """The facts of the last half minute are published a second time, as an operator may at any time."""
    pauses_s: tuple[float, ...] = ()
    """SIGSTOP of a service for so long; longer than Kafka's session (10 s) it is put out of its group."""
    cuts_s: tuple[float, ...] = ()
    """Partitions between services and broker for so long."""
