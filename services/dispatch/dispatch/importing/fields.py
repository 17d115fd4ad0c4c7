"""The fields of one row as text, read by kind; whatever the row came from (CSV, the properties of GeoJSON)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from uuid import UUID

from dispatch.domain.shifts import MINUTES_A_DAY

CLOCK_MAX_MIN = 48 * 60 - 1  # A night bus of the day before arrives at 25:10.


class BadField(ValueError):
    """One field of a row is wrong: the problem's code and its values."""

    def __init__(self, code: str, **values: object) -> None:
        self.code, self.values = code, values
        super().__init__(code)


class Fields:
    """The fields of one row."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = fields

    def __contains__(self, name: object) -> bool:
        return name in self._fields

    def has(self, name: str) -> bool:
        """The column is there and not empty."""
        return bool(self._fields.get(name, "").strip())

    def text(self, name: str, *, may_be_empty: bool = False) -> str:
        """The text without spaces around it. Raises: BadField."""
        value = self._fields.get(name, "").strip()
        if not value and not may_be_empty:
            raise BadField("empty", column=name)
        return value

    def number(self, name: str, low: float = 0.0, high: float = math.inf) -> float:
        """A finite number within bounds. Raises: BadField."""
        value = self.text(name)
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not low <= number <= high or math.isinf(number):
            open_end = math.isinf(high)
            en = f"of {low:g} or more" if open_end else f"from {low:g} to {high:g}"
            zh = f"不小于 {low:g}" if open_end else f"{low:g} 至 {high:g}"
            raise BadField("number", column=name, value=value, bounds=en, bounds_zh=zh)
        return number

    def flag(self, name: str) -> bool:
        """0 or 1. Raises: BadField."""
        value = self.text(name)
        if value not in ("0", "1"):
            raise BadField("flag", column=name, value=value)
        return value == "1"

    def uuid(self, name: str) -> UUID:
        """A UUID. Raises: BadField."""
        value = self.text(name)
        try:
            return UUID(value)
        except ValueError:
            raise BadField("uuid", column=name, value=value) from None

    def minute(self, name: str, latest_min: int = MINUTES_A_DAY) -> int:
        """Minutes after midnight of HH:MM. Raises: BadField."""
        value = self.text(name)
        match = re.fullmatch(r"(\d\d):(\d\d)", value, re.ASCII)
        minute = int(match[1]) * 60 + int(match[2]) if match and int(match[2]) < 60 else -1
        if not 0 <= minute <= latest_min:
            latest = f"{latest_min // 60:02d}:{latest_min % 60:02d}"
            raise BadField("time", column=name, value=value, latest=latest)
        return minute

    def choice(self, name: str, *choices: str) -> str:
        """One of the words. Raises: BadField."""
        value = self.text(name)
        if value not in choices:
            raise BadField("choice", column=name, value=value, choices=", ".join(choices))
        return value

    def days(self, name: str) -> str:
        """Digits of weekdays; empty is every day. Raises: BadField."""
        value = self.text(name, may_be_empty=True) or "1234567"
        if not re.fullmatch(r"[1-7]{1,7}", value) or len(set(value)) < len(value):
            raise BadField("days", column=name, value=value)
        return "".join(sorted(value))
