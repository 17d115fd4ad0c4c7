"""Which pages a role may go to, with the keys that lead there; what a page allows is decided by the page.

A key is pressed after `g` ("go"): `g c` opens the cases. `n` alone raises an alert.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from console.settings import ConsoleSettings
from console.words import marked
from guitu.auth import Role

DESK: frozenset[str] = frozenset({"operator", "case_leader", "admin"})
LABORATORY: frozenset[str] = frozenset({"laboratory", "admin"})
REGISTRY: frozenset[str] = frozenset({"registry", "operator", "case_leader", "admin"})
EVERYBODY: frozenset[str] = frozenset(
    {"operator", "case_leader", "auditor", "laboratory", "registry", "admin"}
)
CONSOLE_ROLES: tuple[Role, ...] = ("operator", "case_leader", "auditor", "laboratory", "registry", "admin")
"""Roles that have a console; units, sites and outside systems have pages and interfaces of their own."""


@dataclass(frozen=True)
class Place:
    """A page to go to: its address, its name (a message id), who may, and the key after `g`."""

    path: str
    name: str
    roles: frozenset[str]
    key: str = ""


PLACES: tuple[Place, ...] = (
    Place("/cases", marked("Cases"), DESK | {"auditor"}, "c"),
    Place("/sightings", marked("Sightings"), DESK, "s"),
    Place("/sites", marked("Sites"), DESK, "t"),
    Place("/units", marked("Units"), DESK, "u"),
    Place("/dna", marked("DNA"), LABORATORY | DESK, "d"),
    Place("/dna/candidates", marked("Candidates"), LABORATORY, "k"),
    Place("/dna/searches", marked("Searches"), LABORATORY, "q"),
    Place("/gate", marked("Registration gate"), REGISTRY, "r"),
    Place("/alarms", marked("Alarms"), DESK, "a"),
    Place("/figures", marked("Key figures"), DESK | {"auditor"}, "f"),
    Place("/drill", marked("Drills"), DESK, "x"),
    Place("/texts", marked("Message texts"), DESK, "m"),
    Place("/inbox", marked("SMS inbox"), DESK, "i"),
    Place("/audit", marked("Audit log"), frozenset({"auditor", "admin"}), "l"),
)
RAISE = Place("/alerts/new", marked("Raise an alert"), DESK, "n")
ROLE_NAMES: dict[Role, str] = {
    "operator": marked("Operator"),
    "case_leader": marked("Case leader"),
    "auditor": marked("Auditor"),
    "laboratory": marked("Laboratory"),
    "registry": marked("Registry clerk"),
    "admin": marked("Administrator"),
    "unit": marked("Unit"),
    "site": marked("Site"),
    "outside_system": marked("Outside system"),
}
HOME = {"laboratory": "/dna", "registry": "/gate", "auditor": "/audit", "admin": "/sites"}


@lru_cache(maxsize=32)
def places_of(role: Role, settings: ConsoleSettings) -> tuple[Place, ...]:
    """What a role's menu shows; the inbox only where messages go to a simulator."""
    hidden = set() if settings.sms_simulator_url else {"/inbox"}
    return tuple(place for place in PLACES if role in place.roles and place.path not in hidden)
