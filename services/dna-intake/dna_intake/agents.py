"""Which fact goes to which handler; the stream wrapper of the ground does the rest."""

from __future__ import annotations

from datetime import timedelta

from contracts.alert import AlertBody, AlertRaised, AlertStoodDown, AlertUpdated, AreaWidened
from contracts.dna import ProfileAccepted
from dna_intake.handlers import when_alert_stands, when_profile_accepted, when_stood_down
from dna_intake.settings import DnaSettings
from guitu.service import Reaction
from guitu.tx import Tx


def reactions(due_after: timedelta) -> tuple[Reaction, ...]:
    """The service's reactions, with the clock of the parents' sample."""

    async def stands(tx: Tx, alert: AlertBody) -> None:
        await when_alert_stands(tx, alert, due_after)

    return (
        Reaction(AlertRaised, stands),
        Reaction(AlertUpdated, stands),
        Reaction(AreaWidened, stands),
        Reaction(AlertStoodDown, when_stood_down),
        Reaction(ProfileAccepted, when_profile_accepted),
    )


REACTIONS = reactions(DnaSettings().sample_due_after)
