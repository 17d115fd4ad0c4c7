"""What a notice would reach before anybody raises it: sites by category and ring, texts with segments, and how long.

The same rules choose and write as for the notice itself (`domain/recipients.py`, `writing.py`); nothing is stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.alert import Ring
from contracts.base import Child, Place, Position
from notifications import planning
from notifications.domain.recipients import distance_km
from notifications.domain.stages import ANY
from notifications.domain.texts import TextTooLong
from notifications.preview import CODE, TOKEN
from notifications.segments import segmentation
from notifications.settings import NotificationSettings
from notifications.store import Row
from notifications.templates import Templates, key_of
from notifications.writing import fitted

TEXTS_MAX = 40
"""More than there can be: templates differ by language, by whether a link fits and by category of site."""
CASE_CODE = "CY-0000"
"""A case has no code before it is raised; theirs are as long."""


@dataclass(frozen=True)
class Told:
    """What the text would be about."""

    stage: str
    child: Child
    place: Place
    last_seen_at: datetime
    exercise: bool
    case_code: str = CASE_CODE
    version: int = 1


def reached(rows: Iterable[Row], ring: Ring) -> list[tuple[Row, bool]]:
    """The sites inside the ring, each with whether it is near: what the child can have reached by now."""
    found = []
    for row in rows:
        km = distance_km(Position(lon=row["lon"], lat=row["lat"]), ring.center)
        if km <= ring.radius_km:
            found.append((row, ring.near_radius_km is not None and km <= ring.near_radius_km))
    return found


def counted(found: Sequence[tuple[Row, bool]]) -> dict[str, Any]:
    """How many sites would be told, by category and by the two parts of the ring, and how many can't be."""
    told = [(row, near) for row, near in found if row["channel"] is not None]
    near, far = (
        Counter(row["category"] for row, is_near in told if is_near == part) for part in (True, False)
    )
    return {
        "sites": len(told),
        "near": near.total(),
        "far": far.total(),
        "without_contact": len(found) - len(told),
        "by_category": [
            {"category": name, "sites": near[name] + far[name], "near": near[name], "far": far[name]}
            for name in sorted(near.keys() | far.keys())
        ],
        "by_channel": dict(sorted(Counter(row["channel"] for row, _ in told).items())),
    }


def takes_s(by_channel: dict[str, int], settings: NotificationSettings) -> float:
    """Seconds until the last one has gone, if the senders' limits are all that holds them up."""
    specs = settings.sender_specs
    each = (count * planning.seconds_each(specs, name) for name, count in by_channel.items())
    return round(max(each, default=0.0), 1)


def texts(
    found: Sequence[tuple[Row, bool]],
    told: Told,
    settings: NotificationSettings,
    public_url: str,
    held: Templates,
) -> list[dict[str, Any]]:
    """The SMS that would go, the most frequent first: by template, language, and whether its route takes a link."""
    routes = Counter(
        (_template_kind(row, told.stage, held), str(row["language"]), bool(row["url_ok"]))
        for row, _ in found
        if row["channel"] == "sms"
    )
    # With nobody to tell there is still a text to look at.
    listed = routes.most_common(TEXTS_MAX) or [((ANY, "zh", False), 0)]
    return [
        {"written_for": kind, "language": language, "link": link, "recipients": count}
        | _text(kind, language, link, told, settings, public_url, held)
        for (kind, language, link), count in listed
    ]


def _template_kind(row: Row, stage: str, held: Templates) -> str:
    """Whose template holds for this site: its category's own, or that of any."""
    return held.used(key_of(row["category"], row["language"], stage)).key.recipient_kind


def _text(
    kind: str,
    language: str,
    link: bool,
    told: Told,
    settings: NotificationSettings,
    public_url: str,
    held: Templates,
) -> dict[str, Any]:
    delivery = {
        "category": kind,
        "language": language,
        "ack_code": CODE,
        "page_token": TOKEN[:10],
        "url_ok": link,
    }
    notice = {
        "kind": told.stage,
        "case_code": told.case_code,
        "version": told.version,
        "exercise": told.exercise,
        "content": {
            "child": told.child.model_dump(mode="json"),
            "last_seen_place": told.place.model_dump(mode="json"),
            "last_seen_at": told.last_seen_at.isoformat(),
        },
    }
    try:
        chosen = fitted(delivery, notice, settings, public_url, held)
    except TextTooLong as error:
        return {"refused": str(error)}
    size = segmentation(chosen.text)
    return {
        "text": chosen.text,
        "encoding": size.encoding,
        "units": size.units,
        "segments": size.segments,
        "shortened": chosen.shortened,
    }
