"""Who may do what in DNA intake; every route goes through one of these, each check on its own line."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from guitu.auth import Principal, allow, in_scope
from guitu.problem import Problem

Reader = Annotated[Principal, Depends(allow("laboratory", "registry", "operator", "case_leader", "auditor"))]
"""May see requests and the state of specimens."""

Registrar = Annotated[Principal, Depends(allow("laboratory", "registry", "operator"))]
"""May register a specimen."""

Laboratory = Annotated[Principal, Depends(allow("laboratory"))]
"""May move a specimen on and enter its profile."""

CustodyReader = Annotated[Principal, Depends(allow("laboratory", "case_leader", "auditor"))]
"""May verify a chain of custody."""

CandidateReader = Annotated[Principal, Depends(allow("laboratory", "auditor"))]
"""May see searches and leads: what they say is for those who can read it."""

CaseLeader = Annotated[Principal, Depends(allow("case_leader"))]
"""May have the case of a confirmed candidate revealed."""

Office = Annotated[Principal, Depends(allow("registry", "operator"))]
"""May ask whether a child may be registered: household registration (户籍), and adoption offices (民政) so far."""

GateReader = Annotated[
    Principal, Depends(allow("registry", "operator", "laboratory", "case_leader", "auditor"))
]
"""May see what the gate was asked and what it said; a laboratory sees who waits for it."""

OfficeSystems = Annotated[Principal, Depends(allow("registry"))]
"""May let an office's system be told by webhook."""

DeliveryReader = Annotated[Principal, Depends(allow("registry", "operator", "auditor"))]
"""May see which webhooks arrived, and which wait for a person."""


def access_region(principal: Principal, region_code: str) -> None:
    """May this principal write in that region? Raises: Problem 403."""
    if in_scope(principal, region_code):
        return
    raise Problem(
        403,
        "region_refused",
        f"Your account covers region {principal.region_code}, not {region_code}.",
        f"您的账号辖区为{principal.region_code},无权处理{region_code}。",
        "Send your own region_code, or ask the laboratory of that region.",
    )
