"""A small OpenStreetMap extract drawn by hand, written as .osm, for tests of the import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

LON, LAT = 108.70, 30.90
STEP = 0.002  # Degrees: 191 m to the east, 222 m to the north.


class OsmDrawing:
    """Nodes on a grid around Yunyang, ways and relations over them; ids are the caller's."""

    def __init__(self) -> None:
        self._nodes: dict[int, tuple[float, float, Mapping[str, str]]] = {}
        self._ways: dict[int, tuple[Sequence[int], Mapping[str, str]]] = {}
        self._relations: dict[int, tuple[Sequence[tuple[str, int, str]], Mapping[str, str]]] = {}

    def node(self, node_id: int, east: float, north: float, **tags: str) -> OsmDrawing:
        """A node so many steps east and north."""
        self._nodes[node_id] = (round(LON + east * STEP, 7), round(LAT + north * STEP, 7), tags)
        return self

    def way(self, way_id: int, *refs: int, **tags: str) -> OsmDrawing:
        """A way; `__` in a tag's name stands for `:`."""
        self._ways[way_id] = (refs, tags)
        return self

    def road(self, way_id: int, *refs: int, highway: str = "secondary", **tags: str) -> OsmDrawing:
        """A way with a class."""
        return self.way(way_id, *refs, highway=highway, **tags)

    def relation(self, relation_id: int, *members: tuple[str, int, str], **tags: str) -> OsmDrawing:
        """A relation of (type, id, role)."""
        self._relations[relation_id] = (members, tags)
        return self

    def street(self, first: int, count: int, north: float = 0.0, **tags: str) -> OsmDrawing:
        """A straight road eastward: nodes first..first+count-1 as way `first`."""
        for place in range(count):
            self.node(first + place, place, north)
        return self.road(first, *range(first, first + count), **tags)

    def write(self, path: Path) -> Path:
        """The file, in the order that OpenStreetMap's files have."""
        lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<osm version="0.6" generator="tests">']
        for node_id, (lon, lat, tags) in sorted(self._nodes.items()):
            lines.append(f'<node id="{node_id}" version="1" lon="{lon}" lat="{lat}">{_tags(tags)}</node>')
        for way_id, (refs, tags) in sorted(self._ways.items()):
            inner = "".join(f'<nd ref="{ref}"/>' for ref in refs)
            lines.append(f'<way id="{way_id}" version="1">{inner}{_tags(tags)}</way>')
        for relation_id, (members, tags) in sorted(self._relations.items()):
            inner = "".join(
                f'<member type="{kind}" ref="{ref}" role="{role}"/>' for kind, ref, role in members
            )
            lines.append(f'<relation id="{relation_id}" version="1">{inner}{_tags(tags)}</relation>')
        path.write_text("\n".join([*lines, "</osm>"]), encoding="utf-8")
        return path


def _tags(tags: Mapping[str, str]) -> str:
    named = ((name.replace("__", ":"), value) for name, value in tags.items())
    return "".join(f"<tag k={quoteattr(name)} v={quoteattr(value)}/>" for name, value in named)
