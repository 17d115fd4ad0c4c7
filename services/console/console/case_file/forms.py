"""What people type into forms, as the owners want it; what can't be read is refused in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

from console.rendering import BEIJING
from console.words import words
from guitu.problem import Problem

Form = Mapping[str, Any]
AGO_MIN_MAX = 7 * 24 * 60
_TIME = re.compile(r"[0-9]{1,2}:[0-9]{2}")


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


def moment(form: Form, name: str, now: datetime, *, ahead: bool = False) -> datetime | None:
    """A time in Beijing as people type it: `2026-03-01 14:05`, or `14:05` alone; None for an empty field.

    A time alone is the one that lies nearest in the past, or `ahead`. Raises: Problem 422.
    """
    typed = text(form, name)
    if not typed:
        return None
    try:
        if _TIME.fullmatch(typed):
            return _of_day(time.fromisoformat(typed.zfill(5)), now, ahead)
        read = datetime.fromisoformat(typed)
    except ValueError:
        raise unreadable(
            typed, "a time such as 14:05 or 2026-03-01 14:05", "时间,如 14:05 或 2026-03-01 14:05"
        ) from None
    return read if read.tzinfo else read.replace(tzinfo=BEIJING)


def _of_day(clock: time, now: datetime, ahead: bool) -> datetime:
    here = now.astimezone(BEIJING)
    today = datetime.combine(here.date(), clock, BEIJING)
    if ahead:
        return today if today >= here else today + timedelta(days=1)
    # A clock on the wall may be some minutes ahead of ours.
    return today if today <= here + timedelta(minutes=10) else today - timedelta(days=1)


def ago(form: Form, name: str, exact: str, now: datetime) -> datetime:
    """A time as minutes ago (field `name`), unless the field `exact` says it; now if neither was filled in.

    Raises: Problem 422.
    """
    said = moment(form, exact, now)
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


def check_filled(form: Form, needed: Mapping[str, str]) -> None:
    """Every field that is needed, by name and label (a message id). Raises: Problem 422, with all that are empty."""
    empty = [label for name, label in needed.items() if not text(form, name)]
    if empty:
        en, zh = (words(language) for language in ("en", "zh-CN"))
        raise Problem(
            422,
            "field_empty",
            f"Fill in: {', '.join(en(label) for label in empty)}.",
            f"请填写:{'、'.join(zh(label) for label in empty)}。",
        )


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
