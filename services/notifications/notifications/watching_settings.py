"""What an operator can set of alarms, the auditor and nil-reports."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr

from guitu.settings import Settings


class WatchingSettings(Settings):
    """When silence is too long, whom it is told to, and when a site is asked again."""

    heartbeat_url: Annotated[
        SecretStr,
        Field(
            description="Dead man's switch (such as healthchecks): called by GET after each audit that found nothing "
            "wrong; whoever owns it alarms when calls stop. Empty is off."
        ),
    ] = SecretStr("")
    operator_phone: Annotated[
        str,
        Field(
            description="Number (E.164) that is texted, at most every 10 min, when the audit of notices keeps failing. "
            "Empty is off.",
            pattern=r"^(\+[1-9]\d{6,14})?$",
        ),
    ] = ""
    unsent_urgent_s: Annotated[
        float, Field(description="Alarm if a notice of priority 0 or 1 waits longer than this unsent.", gt=0)
    ] = 60.0
    unsent_other_s: Annotated[
        float, Field(description="Alarm if any other notice waits longer than this unsent.", gt=0)
    ] = 600.0
    blackhole_share: Annotated[
        float,
        Field(description="Alarm if more than this share of a sender's SMS gets no receipt.", gt=0, le=1),
    ] = 0.5
    blackhole_min: Annotated[
        int,
        Field(description="SMS that a sender must have had accepted before its receipts are judged.", ge=1),
    ] = 20
    forged_callbacks_max: Annotated[
        int, Field(description="Alarm if more callbacks than this have a wrong signature within 5 min.", ge=0)
    ] = 5
    callback_silence_min: Annotated[
        int,
        Field(description="Alarm if no callback came within 5 min while more SMS than this went out.", ge=0),
    ] = 20
    ack_stale_after_s: Annotated[
        float,
        Field(
            description="A site that acknowledged is asked for a report (nil if nothing) after this time; 0 is never.",
            ge=0,
        ),
    ] = 1800.0
    nil_reports_max: Annotated[
        int, Field(description="How often a site is asked for a report in one case.", ge=0, le=48)
    ] = 6
