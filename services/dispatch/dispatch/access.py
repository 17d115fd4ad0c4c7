"""Who may do what in dispatch; every route goes through one of these, each check on its own line."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from guitu.auth import Principal, allow

Reader = Annotated[Principal, Depends(allow("operator", "case_leader", "auditor"))]
"""May see plans, orders and units of the region; row-level security narrows the rows."""

Operator = Annotated[Principal, Depends(allow("operator", "case_leader"))]
"""May enter what a unit answered by radio."""
