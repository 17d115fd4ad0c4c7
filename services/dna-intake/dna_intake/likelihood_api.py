"""The route that weighs two family hypotheses: people by genotype, or by specimen."""

from __future__ import annotations

from fastapi import APIRouter

from dna_intake.access import Laboratory
from dna_intake.likelihood_models import AskLikelihoodRatio, LikelihoodRatioAnswer
from dna_intake.likelihoods import Desk, open_specimens
from dna_intake.practice import practice_of
from guitu.problem import refusals
from guitu.service import Runtime


def likelihood_router(runtime: Runtime) -> APIRouter:
    """Likelihood ratios of declared families."""
    router = APIRouter(tags=["likelihood ratios"])
    desk = Desk()

    @router.post("/likelihood-ratios", responses=refusals(404, 409))
    async def likelihood_ratio(p: Laboratory, asked: AskLikelihoodRatio) -> LikelihoodRatioAnswer:
        """log10 of the likelihood ratio, locus by locus, with model and table hash; logged with its purpose."""
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            typed = await open_specimens(tx, asked, practice_of(runtime.settings).master)
        return await desk.answer(asked, typed)

    return router
