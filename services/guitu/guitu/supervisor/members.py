"""Who belongs to the group on one machine, and on which port each listens by default."""

from __future__ import annotations

from dataclasses import dataclass

PORT_BASE = 8200
INBOUND_PATH = "/twilio/inbound"
"""Where notifications takes the texts that people send us: the address that Twilio's console is told."""


@dataclass(frozen=True)
class Member:
    """One HTTP process of the group: a Python package that runs as `python -m package`."""

    name: str
    package: str
    port_offset: int
    summary: str

    @property
    def url_setting(self) -> str:
        """The environment variable that tells the others this member's address."""
        return f"GUITU_{self.package.upper()}_URL"


SIMULATOR = Member("sms-simulator", "sms_simulator", 9, "Twilio's API on loopback, with an inbox page")
SERVICES = (
    Member("alerts", "alerts", 1, "reports, alerts, tiers, the identity vault"),
    Member("dispatch", "dispatch", 2, "interception plans and orders"),
    Member("dna-intake", "dna_intake", 3, "specimens, custody, profiles"),
    Member("notifications", "notifications", 4, "notices by SMS, replies, escalation"),
    Member("console", "console", 5, "the staff web console"),
)
MEMBERS = (*SERVICES, SIMULATOR)


def member(name: str) -> Member:
    """Find a member by its name or package; raises KeyError with the names there are."""
    wanted = name.replace("_", "-")
    for each in MEMBERS:
        if each.name == wanted:
            return each
    raise KeyError(f"There is no service {name!r}; there are: {', '.join(each.name for each in MEMBERS)}.")
