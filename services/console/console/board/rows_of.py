"""Rows of the projection as lines of the board: names from the directory, times read, how bad each is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from console.board import lines
from console.county.directory import Directory

Row = Mapping[str, Any]
_OPEN_KINDS = {"raised", "updated", "widened"}


def moment(text: str | None) -> datetime | None:
    """A time as facts write it."""
    return datetime.fromisoformat(text) if text else None


def head(row: Row) -> lines.CaseHead:
    """The case's newest version."""
    body = row["body"]
    child, place, ring = body["child"], body["last_seen_place"], body["ring"]
    seen_at = moment(body["last_seen_at"])
    assert seen_at is not None, "An alert says when the child was last seen."
    return lines.CaseHead(
        case_id=row["case_id"],
        region_code=row["region_code"],
        exercise=row["exercise"],
        case_code=row["case_code"],
        version=row["version"],
        state="stood_down" if row["ended_at"] else "open",
        tier=body["tier"],
        sex=child["sex"],
        age_years=child["age_years"],
        height_cm=child.get("height_cm"),
        appearance=child["appearance"],
        circumstance=body.get("circumstance", "unknown"),
        suspected_mode=body.get("suspected_mode", "unknown"),
        vehicle=body.get("vehicle", ""),
        place_name=place.get("name", ""),
        township_code=place.get("township_code"),
        lon=place["position"]["lon"],
        lat=place["position"]["lat"],
        last_seen_at=seen_at,
        raised_at=row["raised_at"],
        changed_at=row["changed_at"],
        ended_at=row["ended_at"],
        outcome=row["outcome"],
        merged_into=row["merged_into"],
        end_reason=row["end_reason"],
        ring_step=ring["step"],
        ring_lon=ring["center"]["lon"],
        ring_lat=ring["center"]["lat"],
        ring_radius_km=ring["radius_km"],
        ring_near_km=ring.get("near_radius_km"),
    )


def plan(row: Row) -> lines.PlanLine:
    """The newest plan."""
    body = row["body"]
    return lines.PlanLine(
        plan_id=UUID(body["plan_id"]),
        plan_number=row["plan_number"],
        published_at=row["published_at"],
        trigger=body["trigger"],
        cause=body.get("cause", ""),
        alert_version=body["alert_version"],
        network_version=body["network_version"],
        orders=len(body["order_ids"]),
        closed_exits=body["closed_exits"],
        open_exits=tuple(_exit(found) for found in body["open_exits"]),
        units_free=body["units_free"],
        figures=body.get("figures"),
    )


def _exit(said: Row) -> lines.OpenExit:
    earliest_at = moment(said.get("earliest_arrival_at"))
    return lines.OpenExit(
        UUID(said["exit_id"]), said["name_zh"], said["name_en"], earliest_at, said.get("reason", "")
    )


def order(row: Row, directory: Directory) -> lines.OrderLine:
    """An order; before its issue was read, only where it stands."""
    issued, stop = row["issued"] or {}, row["stop"] or {}
    unit = directory.units.get(row["unit_id"])
    zh, en = directory.name_of(row["unit_id"])
    position = stop.get("position", {})
    respond_by, arrive_by = moment(issued.get("respond_by")), moment(issued.get("arrive_by"))
    due = {"issued": respond_by, "overdue": respond_by, "accepted": arrive_by}
    times = {name: row[name] for name in _ORDER_TIMES}
    return lines.OrderLine(
        order_id=row["order_id"],
        unit_id=row["unit_id"],
        unit_code=unit.code if unit else str(row["unit_id"])[:8],
        unit_zh=zh,
        unit_en=en,
        place_id=UUID(stop["place_id"]) if stop else None,
        place_zh=stop.get("name_zh", ""),
        place_en=stop.get("name_en", ""),
        lon=position.get("lon"),
        lat=position.get("lat"),
        state=row["state"],
        outcome=row["outcome"],
        reassigned_to=row["reassigned_to"],
        stood_down_reason=row["stood_down_reason"],
        arrive_by=arrive_by,
        respond_by=respond_by,
        unit_ready_at=moment(issued.get("unit_ready_at")),
        earliest_arrival_at=moment(issued.get("earliest_arrival_at")),
        margin_s=issued.get("margin_s"),
        closes=tuple(UUID(each) for each in issued.get("closes", ())),
        reason=issued.get("reason", ""),
        cause=row["cause"],
        sms=row["sms"],
        sms_at=row["sms_at"],
        sms_delivery_id=row["sms_delivery_id"],
        due_at=due.get(row["state"]),
        badness=_order_badness(row),
        **times,
    )


_ORDER_TIMES = (
    *("changed_at", "issued_at", "accepted_at", "in_position_at", "reported_at", "overdue_at"),
    *("stood_down_at", "acknowledged_at"),
)


def _order_badness(row: Row) -> int:
    # A unit that caught somebody stays on top although the case's end stood it down.
    if row["outcome"] == "intercepted" and row["state"] != "stand_down_acknowledged":
        return lines.ORDER_BADNESS["intercepted"]
    # Who was replaced and has not said so yet is no trouble of the plan's.
    if row["state"] == "stood_down" and row["stood_down_reason"] in ("replanned", "overdue"):
        return 5
    return lines.ORDER_BADNESS[row["state"]]


def site(row: Row, directory: Directory) -> lines.SiteLine:
    """A site's row of the matrix."""
    entry = directory.sites.get(row["site_id"])
    zh, en = directory.name_of(None, row["site_id"])
    return lines.SiteLine(
        name_zh=zh,
        name_en=en,
        category=entry.category if entry else "other",
        township_code=entry.township_code if entry else "",
        lon=entry.lon if entry else None,
        lat=entry.lat if entry else None,
        badness=_site_badness(row),
        **{name: row[name] for name in _SITE_COLUMNS},
    )


_SITE_COLUMNS = (
    *("site_id", "kind", "alert_version", "attempts", "delivery_id", "state", "changed_at", "queued_at"),
    *("sent_at", "delivered_at", "opened_at", "acknowledged_at", "acknowledged_before", "channel"),
    *("seen_nothing_until", "failed_code", "failed_reason", "escalated_at", "escalated_to", "sighting_at"),
)


def _site_badness(row: Row) -> int:
    if row["sighting_at"]:
        return lines.SIGHTED
    if row["state"] == "acknowledged":
        return lines.SEEN_NOTHING if row["seen_nothing_until"] else lines.SITE_BADNESS["acknowledged"]
    if row["escalated_to"] == "command_centre":
        return lines.NEEDS_PERSON
    if row["escalated_to"]:
        return lines.ASKED_AGAIN
    # That the end was not acknowledged is worth a look, and never more than somebody who was not told at all.
    calm = 0 if row["kind"] in _OPEN_KINDS else 30
    return lines.SITE_BADNESS[row["state"]] - calm


def sighting(row: Row, directory: Directory) -> lines.SightingLine:
    """A sighting; one that nobody judged yet comes first."""
    body = row["body"]
    place = body["place"]
    unit_id, site_id = _uuid(body.get("unit_id")), _uuid(body.get("site_id"))
    zh, en = directory.name_of(unit_id, site_id)
    seen_at = moment(body["seen_at"])
    assert seen_at is not None, "A sighting says when."
    return lines.SightingLine(
        sighting_id=row["sighting_id"],
        reported_at=row["reported_at"],
        seen_at=seen_at,
        place_name=place.get("name", ""),
        lon=place["position"]["lon"],
        lat=place["position"]["lat"],
        mode=body.get("mode", "unknown"),
        note=body.get("note", ""),
        channel=body["channel"],
        site_id=site_id,
        unit_id=unit_id,
        who_zh=zh,
        who_en=en,
        verdict=row["verdict"],
        verdict_reason=row["verdict_reason"],
        assessed_at=row["assessed_at"],
        badness={None: 90, "credible": 70, "uncertain": 50, "refuted": 0}.get(row["verdict"], 50),
    )


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None


def dna(row: Row) -> lines.DnaLine:
    """What the laboratory told."""
    return lines.DnaLine(row["type"], row["at"], row["times"], row["details"], row["lapsed"])


def aid(row: Row) -> lines.AidLine:
    """What a neighbour was asked."""
    asked = row["asked"] or {}
    position = asked.get("position", {})
    return lines.AidLine(
        request_id=row["request_id"],
        neighbour=row["neighbour"],
        exit_id=row["exit_id"],
        exit_zh=asked.get("exit_name_zh", ""),
        exit_en=asked.get("exit_name_en", ""),
        lon=position.get("lon"),
        lat=position.get("lat"),
        earliest_arrival_at=moment(asked.get("earliest_arrival_at")),
        requested_at=row["requested_at"],
        withdrawn_at=row["withdrawn_at"],
        withdrawn_reason=row["withdrawn_reason"],
        badness=0 if row["withdrawn_at"] else 55,
    )


def timeline(row: Row, directory: Directory) -> lines.TimelineLine:
    """One thing that happened, and who did it if that has a name."""
    details = row["details"]
    zh, en = directory.name_of(_uuid(details.get("unit_id")), _uuid(details.get("site_id")))
    return lines.TimelineLine(
        row["event_id"], row["at"], row["type"], row["type"].split(".")[1], details, zh, en
    )
