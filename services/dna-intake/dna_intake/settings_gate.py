"""What an operator can set at the registration gate. The times are our own choice: the county plan names none."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from dna_intake.domain.gate import Clocks
from dna_intake.domain.profiles import LOCI_WHOLE
from guitu.settings import Settings


class GateSettings(Settings):
    """The clocks of the gate, and how offices' systems are told."""

    gate_sample_due_d: Annotated[
        float, Field(description="Days in which a child's sample is taken after the gate asked.", gt=0, le=90)
    ] = 7.0
    gate_profile_due_d: Annotated[
        float, Field(description="Days that the laboratory has for a child's profile.", gt=0, le=90)
    ] = 15.0
    gate_comparison_due_min: Annotated[
        float, Field(description="Minutes in which an entered child is compared.", gt=0, le=10_080)
    ] = 60.0
    gate_review_due_d: Annotated[
        float, Field(description="Days in which a lead on a child at the gate is reviewed.", gt=0, le=90)
    ] = 5.0
    gate_markers_due_d: Annotated[
        float, Field(description="Days in which further markers of a lead are typed.", gt=0, le=180)
    ] = 15.0
    gate_valid_h: Annotated[
        float, Field(description="Hours that a clear stands, if no family comes before.", gt=0, le=720)
    ] = 72.0
    gate_loci_min: Annotated[
        int, Field(description="Loci without which the gate does not say clear.", ge=1, le=60)
    ] = LOCI_WHOLE
    gate_grace_s: Annotated[
        float,
        Field(
            description="Seconds that a clear may wait for the comparison with new families before a hold is "
            "recorded and told; whoever asks meanwhile hears hold at once.",
            ge=0,
            le=3600,
        ),
    ] = 60.0
    gate_lapse_d: Annotated[
        float, Field(description="Days after which a request that nobody closed lapses.", gt=0, le=3650)
    ] = 365.0
    gate_webhook_private_ok: Annotated[
        bool, Field(description="Tests and own networks only: webhooks may call private addresses.")
    ] = False
    gate_webhook_timeout_s: Annotated[
        float, Field(description="Seconds that an office's system has to answer a webhook.", gt=0, le=15)
    ] = 5.0
    gate_webhook_tries: Annotated[
        int, Field(description="Tries of a webhook before it waits for a person.", ge=1, le=30)
    ] = 20
    gate_secret_overlap_h: Annotated[
        float, Field(description="Hours that a webhook is signed with the old secret too.", ge=0, le=720)
    ] = 72.0

    @property
    def gate_clocks(self) -> Clocks:
        """How long each thing may take at the gate."""
        return Clocks(
            sample=timedelta(days=self.gate_sample_due_d),
            profile=timedelta(days=self.gate_profile_due_d),
            comparison=timedelta(minutes=self.gate_comparison_due_min),
            review=timedelta(days=self.gate_review_due_d),
            markers=timedelta(days=self.gate_markers_due_d),
            valid=timedelta(hours=self.gate_valid_h),
            loci_min=self.gate_loci_min,
        )
