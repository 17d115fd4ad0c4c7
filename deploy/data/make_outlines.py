"""Make the console's outlines from the gazetteer's: simpler, so that a map of the county costs few bytes.

    python deploy/data/make_outlines.py

Reads `services/alerts/alerts/data/yunyang/outline.geojson`, which names its source; drops every point nearer than about
400 m to the line without it, and rounds to 4 decimals (10 m): a schematic outline has no more to say.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry import mapping, shape

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "services/alerts/alerts/data/yunyang/outline.geojson"
TARGET = ROOT / "services/console/console/data/outlines.geojson"
TOLERANCE_DEG = 0.004
GRID_DEG = 0.0001


def simpler(feature: dict[str, Any]) -> dict[str, Any]:
    """The feature with fewer points; what is said of it stays."""
    drawn = shapely.set_precision(shape(feature["geometry"]).simplify(TOLERANCE_DEG), GRID_DEG)
    geometry = json.loads(json.dumps(mapping(drawn)), parse_float=lambda text: round(float(text), 4))
    return {"type": "Feature", "properties": feature["properties"], "geometry": geometry}


def main() -> None:
    """Write the file; the same input gives the same bytes."""
    said = json.loads(SOURCE.read_text(encoding="utf-8"))
    features = [simpler(feature) for feature in said["features"]]
    TARGET.parent.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in features)
    TARGET.write_text(f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
