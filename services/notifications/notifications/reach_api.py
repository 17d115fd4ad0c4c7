"""HTTP: what a notice would reach and say, before the alert is raised. Changes nothing and stores nothing."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import ConfigDict, Field

from contracts.alert import Ring
from contracts.base import Child, Moment, Place, Position, ShortText, Value
from guitu.problem import ApiModel
from guitu.service import Runtime
from notifications import reach, store_reach, templates
from notifications.access import Staff
from notifications.domain.recipients import latitudes_of
from notifications.settings import NotificationSettings


class RingIn(Value):
    """A ring as alerts gives it; its step and centre may be there and are not needed."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    radius_km: Annotated[float, Field(gt=0, le=2000)]
    near_radius_km: Annotated[float | None, Field(gt=0, le=2000)] = None


class ReachIn(ApiModel):
    """An alert that nobody has raised yet, or the next step of one."""

    position: Position
    ring: RingIn
    child: Child
    stage: Literal["raised", "updated", "widened"] = "raised"
    place: ShortText = ""
    last_seen_at: Annotated[Moment | None, Field(description="Now, if it is left out.")] = None
    exercise: bool = False
    case_id: Annotated[
        UUID | None, Field(description="Leaves out the sites that have heard of this case.")
    ] = None


def reach_router(runtime: Runtime, settings: NotificationSettings) -> APIRouter:
    """POST /notices/preview."""
    router = APIRouter(tags=["notices"])

    @router.post("/notices/preview")
    async def preview(p: Staff, asked: ReachIn) -> dict[str, Any]:
        """How many sites by category and ring, each SMS with its segments, and how long it would take.

        Sites of neighbouring counties in the ring are counted, too: they would be told.
        """
        ring = Ring(step=0, center=asked.position, **asked.ring.model_dump())
        now = runtime.clock.now()
        async with runtime.read() as conn:
            rows = await store_reach.sites(
                conn, latitudes_of(ring), now, exercise=asked.exercise, case_id=asked.case_id
            )
        found = reach.reached(rows, ring)
        counts = reach.counted(found)
        told = reach.Told(
            asked.stage,
            asked.child,
            Place(position=asked.position, name=asked.place),
            asked.last_seen_at or now,
            asked.exercise,
        )
        held = await templates.current(runtime)
        return counts | {
            "takes_s": reach.takes_s(counts["by_channel"], settings),
            "texts": reach.texts(found, told, settings, runtime.public_url, held),
        }

    return router
