"""The county's border: which positions lie inside, and whose land is on the other side."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry import box, shape
from shapely.geometry.base import BaseGeometry

from dispatch.domain.tables import Flags, Floats
from dispatch.importing.problems import NetworkFileError, Where, problem

OUTSIDE = "outside"


@dataclass(frozen=True, eq=False)
class Border:
    """The region's area, and its neighbours by name."""

    area: BaseGeometry
    neighbours: tuple[tuple[str, BaseGeometry], ...] = ()

    def holds(self, lon: Floats, lat: Floats) -> Flags:
        """Which positions lie inside."""
        inside: Flags = np.asarray(shapely.contains_xy(self.area, lon, lat), dtype=np.bool_)
        return inside

    def neighbour_at(self, lon: float, lat: float) -> str:
        """Whose land a position is; `outside` if no outline says so."""
        return next((name for name, area in self.neighbours if shapely.contains_xy(area, lon, lat)), OUTSIDE)


def box_border(west: float, south: float, east: float, north: float) -> Border:
    """The edge of an extract as a border."""
    return Border(box(west, south, east, north))


def read_border(path: Path, region: str) -> Border:
    """Read a border from GeoJSON: one outline, or several of which one names the region.

    By `region_code`, `adcode` or a name in its properties; the others are its neighbours.
    Raises: NetworkFileError, if it is not clear which outline is meant.
    """
    where = Where(path.name)
    try:
        features = _features(json.loads(path.read_text(encoding="utf-8")))
        outlines = [(one.get("properties") or {}, shape(one["geometry"])) for one in features]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, shapely.errors.ShapelyError) as error:
        raise NetworkFileError([problem("not_json", where, why=error)]) from error
    areas = [
        (said, outline) for said, outline in outlines if outline.geom_type in ("Polygon", "MultiPolygon")
    ]
    ours = (
        [area for said, area in areas if region in _names(said)] if len(areas) > 1 else [a for _, a in areas]
    )
    if len(ours) != 1:
        raise NetworkFileError([problem("border_unclear", where, n=len(areas), region=region)])
    others = tuple((_names(said)[-1], area) for said, area in areas if area is not ours[0] and _names(said))
    shapely.prepare(ours[0])
    return Border(ours[0], others)


def _features(document: dict[str, Any]) -> list[dict[str, Any]]:
    if document["type"] == "FeatureCollection":
        return list(document["features"])
    return [document if document["type"] == "Feature" else {"properties": {}, "geometry": document}]


def _names(said: dict[str, Any]) -> list[str]:
    """Codes and names of an outline, the name that people use last."""
    keys = ("region_code", "adcode", "name", "name_en", "name_zh")
    return [str(said[key]) for key in keys if said.get(key)]
