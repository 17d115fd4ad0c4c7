"""The laboratory's pages: worklist, specimens, boxes, profiles in, leads and searches.

What each role may see and do is decided by dna-intake; no genotype ever comes back from there, so none is shown here.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter

from console.dna.candidates import candidates_router
from console.dna.profiles import profiles_router
from console.dna.readings import readings_router
from console.dna.register import register_router
from console.dna.searches import searches_router
from console.dna.shipments import shipments_router
from console.dna.specimens import specimens_router
from console.dna.worklist import worklist_router


def dna_routers() -> Sequence[APIRouter]:
    """Every page of the laboratory; fixed addresses come before those with an id."""
    return (
        worklist_router(),
        register_router(),
        specimens_router(),
        readings_router(),
        shipments_router(),
        profiles_router(),
        candidates_router(),
        searches_router(),
    )
