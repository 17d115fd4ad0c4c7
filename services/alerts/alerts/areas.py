"""The regions' boxes, read once from the outlines' file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from alerts.domain.area import Box, box_around
from alerts.settings import AlertSettings


def area_of(settings: AlertSettings, region_code: str) -> Box | None:
    """Where reports of this region may lie; None for a region without an outline."""
    return _areas(settings.area_outlines, settings.area_margin_km).get(region_code)


@lru_cache(maxsize=4)
def _areas(outlines: Path, margin_km: float) -> dict[str, Box]:
    features = json.loads(outlines.read_text(encoding="utf-8"))["features"]
    return {
        feature["properties"]["region_code"]: box_around(
            _points(feature["geometry"]["coordinates"]), margin_km
        )
        for feature in features
    }


def _points(coordinates: list[Any]) -> Iterator[tuple[float, float]]:
    """The (lon, lat) pairs of polygons and multipolygons, however deep they lie."""
    if isinstance(coordinates[0], int | float):
        yield coordinates[0], coordinates[1]
        return
    for part in coordinates:
        yield from _points(part)
