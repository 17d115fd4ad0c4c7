"""What a comparison found, with everything that is needed to repeat it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

from dna_intake.kinship.model import Model


@dataclass(frozen=True)
class LocusRatio:
    """One locus, or two linked ones joined by a plus; log10 of the ratio and of both likelihoods."""

    locus: str
    log10_lr: float
    log10_h1: float
    log10_h2: float


@dataclass(frozen=True)
class LikelihoodRatio:
    """P(genotypes | H1) / P(genotypes | H2) as a log10; -inf is an exclusion: H1 can't explain some locus at all.

    `left_out` names each locus that was typed but not used, with the reason.
    """

    log10_lr: float
    loci: tuple[LocusRatio, ...]
    h1: str
    h2: str
    table_name: str
    table_sha256: str
    model: Model
    minimum_frequency: float
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def excluded_at(self) -> tuple[str, ...]:
        """Loci that are impossible under H1, which happens only where the model has no mutation that explains them."""
        return tuple(each.locus for each in self.loci if each.log10_lr == -inf)
