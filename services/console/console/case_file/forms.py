"""What people type into forms, as the owners want it; what can't be read is refused in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from console.rendering import BEIJING
from guitu.problem import Problem

Form = Mapping[str, Any]
AGO_MIN_MAX = 7 * 24 * 60


def text(form: Form, name: str) -> str:
    """What was typed, without spaces around it; empty if nothing was."""
    return str(form.get(name) or "").strip()


def whole(form: Form, name: str) -> int | None:
    """A whole number, or None for an empty field. Raises: Problem 422."""
    typed = text(form, name)
    if not typed:
        return None
    if not re.fullmatch(r"[0-9]{1,6}", typed):
        raise unreadable(typed, "a whole number", "整数")
    return int(typed)


def moment(form: Form, name: str) -> datetime | None:
    """A time of day and date as browsers send it (`2026-03-01T14:05`), in Beijing; None for an empty field.

    Raises: Problem 422.
    """
    typed = text(form, name)
    if not typed:
        return None
    try:
        read = datetime.fromisoformat(typed)
    except ValueError:
        raise unreadable(
            typed, "a date with a time such as 2026-03-01 14:05", "日期和时间,如 2026-03-01 14:05"
        ) from None
    return read if read.tzinfo else read.replace(tzinfo=BEIJING)


def ago(form: Form, name: str, exact: str, now: datetime) -> datetime:
    """A time as minutes ago (field `name`), unless the field `exact` says it; now if neither was filled in.

    Raises: Problem 422.
    """
    said = moment(form, exact)
    if said is not None:
        return said
    minutes = whole(form, name) or 0
    if minutes > AGO_MIN_MAX:
        raise unreadable(str(minutes), "minutes of the last seven days", "七天内的分钟数")
    return now - timedelta(minutes=minutes)


def place(form: Form) -> dict[str, Any]:
    """A place from the list (`place` = `lon|lat|name`), or from `lon`, `lat` and `place_name`. Raises: Problem 422."""
    lon, lat, name = [*text(form, "place").split("|", 2), "", ""][:3]
    if not lon:
        lon, lat, name = text(form, "lon"), text(form, "lat"), text(form, "place_name")
    try:
        position = {"lon": float(lon), "lat": float(lat)}
    except ValueError:
        raise Problem(
            422,
            "place_missing",
            "Say where it was: choose a place from the list.",
            "请从列表中选择地点。",
            "Choose the nearest place, and say the rest in words.",
        ) from None
    return {"position": position, "name": text(form, "place_name") or name}


def people(form: Form, name: str) -> list[str]:
    """Names, one a line or with commas between."""
    return [each.strip() for each in re.split(r"[\n,,、;;]", str(form.get(name) or "")) if each.strip()]


def changed(form: Form, name: str) -> bool:
    """Was the field changed since the page was made? Its old value stands beside it as `was_<name>`."""
    return name in form and text(form, name) != text(form, f"was_{name}")


def unreadable(typed: str, wanted_en: str, wanted_zh: str) -> Problem:
    """A field that can't be read; short, so what was typed may be repeated."""
    return Problem(
        422,
        "field_unreadable",
        f"{typed[:40]!r} is not {wanted_en}.",
        f"“{typed[:40]}”不是{wanted_zh}。",
        "Correct the field and send the form again.",
    )


def inside(to: str, otherwise: str) -> str:
    """A path of ours to go back to; anything else leads to `otherwise`, so that no form leads away."""
    return to if to.startswith("/") and not to.startswith(("//", "/\\")) else otherwise
