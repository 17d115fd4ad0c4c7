"""What the page that raises an alert sends, read into the body that alerts takes; pure.

Nothing is decided here: a field is only refused where alerts could not read it, and then in words beside the field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from console.places.find import Place, exactly, find
from console.words import Words

BEIJING = ZoneInfo("Asia/Shanghai")
MINUTES_AGO = (10, 30, 60, 120)
MINUTES_AGO_USUAL = 30
"""The bound must not be too near: whoever was seen ten minutes ago can't be further than in half an hour."""
MODES = ("unknown", "walking", "car", "bus", "ferry")
SEXES = ("female", "male", "unknown")
AGE_MAX = 17
PHOTO_BYTES_MAX = 2 * 1024 * 1024
"""What alerts takes as base64 (3 MiB), with room to spare."""
PHOTO_FIELD = "photo_base64"
"""Put there by the page's door, which reads the file."""
TEXTS = ("vehicle", "companion", "note")
_CLOCK = re.compile(r"^(?:(\d{1,2})[-/.月](\d{1,2})日?\s+)?(\d{1,2})[::](\d{2})$")
_DEGREES = re.compile(r"^\s*(-?\d{1,3}\.\d+)\s*[,,\s]\s*(-?\d{1,3}\.\d+)\s*$")
_PHONES = re.compile(r"[,,;;、\s]+")
_NAMES = re.compile(r"[,,;;、]+")

Json = dict[str, Any]


@dataclass(frozen=True)
class FieldError:
    """A field that can't be sent as it is, in words."""

    field: str
    says: str


@dataclass(frozen=True)
class Asked:
    """The report as far as it was typed; `choices` are places that the words fit, for a person to choose."""

    body: Json
    errors: tuple[FieldError, ...] = ()
    choices: tuple[Place, ...] = ()


@dataclass
class _Reading:
    form: Mapping[str, str]
    _: Words
    now: datetime
    errors: list[FieldError] = field(default_factory=list)

    def text(self, name: str) -> str:
        return self.form.get(name, "").strip()

    def refuse(self, name: str, says: str) -> None:
        self.errors.append(FieldError(name, says))


def read_form(form: Mapping[str, str], places: Sequence[Place], now: datetime, _: Words) -> Asked:
    """The body of `POST /reports`, without what was left empty; errors in the order of the page."""
    reading = _Reading(form, _, now)
    body: Json = {}
    place, choices = _place(reading, places)
    if place:
        body["last_seen_place"] = place
    if (seen_at := _seen_at(reading)) is not None:
        body["last_seen_at"] = seen_at.isoformat()
    body |= _child(reading)
    body["suspected_mode"] = form.get("mode") if form.get("mode") in MODES else "unknown"
    body |= {name: said for name in TEXTS if (said := reading.text(name))}
    body["exercise"] = bool(form.get("exercise"))
    if identity := _identity(reading):
        body["identity"] = identity
    return Asked(body, tuple(reading.errors), tuple(choices))


def _place(reading: _Reading, places: Sequence[Place]) -> tuple[Json | None, list[Place]]:
    """Where: chosen from the list, or the one place with that name, or degrees."""
    _, said = reading._, reading.text("place")
    if not said:
        reading.refuse("place", _("Where was the child last seen?"))
        return None, []
    if degrees := _DEGREES.match(said):
        return _there(*_lon_lat(float(degrees[1]), float(degrees[2])), said, "", reading), []
    try:
        lon, lat = float(reading.text("lon")), float(reading.text("lat"))
        name = reading.text("place_name") or said
        return _there(lon, lat, name, reading.text("township_code"), reading), []
    except ValueError:
        pass
    key = reading.text("place_key")
    known = [one for one in places if one.key == key] or exactly(places, said)
    if len(known) == 1:
        one = known[0]
        return _there(one.lon, one.lat, one.name_zh, one.township_code, reading), []
    choices = known or find(places, said)
    if choices:
        reading.refuse("place", _("Which of these places is it?"))
    else:
        reading.refuse(
            "place",
            _(
                "No place is called {said}. Type another name nearby, or its longitude and latitude.",
                said=said,
            ),
        )
    return None, choices


def _lon_lat(first: float, second: float) -> tuple[float, float]:
    """Both orders are in use; in this country the longitude is the greater one."""
    return (first, second) if first > second else (second, first)


def _there(lon: float, lat: float, name: str, township_code: str, reading: _Reading) -> Json:
    spot = reading.text("spot")
    place: Json = {"position": {"lon": lon, "lat": lat}, "name": f"{name}{spot}"[:200]}
    return place | ({"township_code": township_code} if re.fullmatch(r"[0-9]{9}", township_code) else {})


def _seen_at(reading: _Reading) -> datetime | None:
    """When: the moment that the page worked out, an exact time, or so many minutes ago."""
    if exact := reading.text("exact"):
        return _exactly(reading, exact)
    try:
        moment = datetime.fromisoformat(reading.text("seen_at"))
        if moment.tzinfo is not None:
            return moment
    except ValueError:
        pass
    try:
        minutes = int(reading.text("ago") or MINUTES_AGO_USUAL)
    except ValueError:
        minutes = MINUTES_AGO_USUAL
    return reading.now - timedelta(minutes=min(max(minutes, 0), 7 * 24 * 60))


def _exactly(reading: _Reading, said: str) -> datetime | None:
    """`14:20` is the last time that the clock showed it; `11-30 14:20` names the day."""
    _, found = reading._, _CLOCK.match(said)
    try:
        moment = _last_time(found, reading.now.astimezone(BEIJING)) if found else None
    except ValueError:
        moment = None
    if moment is None:
        reading.refuse("exact", _("{said} is no time. Write it like 14:20, or 11-30 14:20.", said=said))
    return moment


def _last_time(found: re.Match[str], here: datetime) -> datetime:
    """Raises: ValueError, for a time or a day that there is not."""
    moment = here.replace(hour=int(found[3]), minute=int(found[4]), second=0, microsecond=0)
    soon = here + timedelta(minutes=1)
    if found[1]:
        moment = moment.replace(month=int(found[1]), day=int(found[2]))
        return moment if moment <= soon else moment.replace(year=moment.year - 1)
    return moment if moment <= soon else moment - timedelta(days=1)


def _child(reading: _Reading) -> Json:
    _, form = reading._, reading.form
    body: Json = {}
    if form.get("sex") in SEXES:
        body["sex"] = form["sex"]
    else:
        reading.refuse("sex", _("Girl or boy?"))
    age = reading.text("age_years")
    if age.isdecimal() and int(age) <= AGE_MAX:
        body["age_years"] = int(age)
    else:
        reading.refuse("age_years", _("How old? A whole number from 0 to {most}.", most=AGE_MAX))
    if looks := reading.text("appearance"):
        body["appearance"] = looks
    else:
        reading.refuse("appearance", _("What does the child wear or look like?"))
    height = reading.text("height_cm")
    if height.isdecimal() and 30 <= int(height) <= 220:
        body["height_cm"] = int(height)
    elif height:
        reading.refuse("height_cm", _("The height is in centimetres, from 30 to 220."))
    return body


def _identity(reading: _Reading) -> Json:
    """For the vault of alerts, and nowhere else."""
    said: Json = {}
    if name := reading.text("child_name"):
        said["child_name"] = name
    if parents := _several(_NAMES, reading.text("parent_names"), 4):
        said["parent_names"] = parents
    if phones := _several(_PHONES, reading.text("phones"), 6):
        said["phones"] = phones
    if photo := reading.form.get(PHOTO_FIELD):
        said["photo_base64"] = photo
    return said


def _several(between: re.Pattern[str], said: str, most: int) -> list[str]:
    return [part.strip() for part in between.split(said) if part.strip()][:most]
