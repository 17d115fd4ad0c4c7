"""An index as a file, opened by mapping it into memory: for files of one's own, not for the service.

Layout: magic, version, length of the header, SHA-256 of the header; the header as JSON; then the arrays, each at a
page's edge. The header names panel, table, role, generation, counts and the SHA-256 of every array. Genotypes in such
a file are not encrypted: it belongs on an encrypted disk, as the profile files do that it is made from.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import tempfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from dna_intake.search.index import Index, View
from dna_intake.search.panel import Panel, Rare
from dna_intake.search.refusals import IndexRefused
from dna_intake.search.segment import Segment

MAGIC = b"GUITUDNA"
VERSION = 1
_HEAD = struct.Struct("<8sIQ32s")
HEADER_MAX = 1 << 30
_PAGE = 4096
_ARRAYS = {
    "codes": np.uint8,
    "bitmaps": np.uint64,
    "row_ids": np.uint32,
    "sexes": np.uint8,
    "alive": np.uint64,
}
_MEND = "Build it again from the profiles."


def save(index: Index, path: Path) -> None:
    """Write the index; an older file of that name is replaced whole or not at all.

    Raises: OSError.
    """
    snapshot = index.snapshot()
    header = json.dumps(
        {
            "panel": [index.panel.loci, index.panel.alleles, index.panel.rows],
            "panel_sha256": index.panel.sha256.hex(),
            "table_sha256": index.table_sha256,
            "role": index.role,
            "generation": snapshot.generation,
            "segments": [_told(view) for view in snapshot.views],
        }
    ).encode()
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, suffix=".part", delete=False) as file:
        part = Path(file.name)
        try:
            file.write(_HEAD.pack(MAGIC, VERSION, len(header), hashlib.sha256(header).digest()))
            file.write(header)
            for view in snapshot.views:
                for name in _ARRAYS:
                    file.seek(_edge(file.tell()))
                    file.write(getattr(view.segment, name).data)
            file.flush()
            os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def open_index(path: Path, *, panel: Panel | None = None, table_sha256: str = "") -> Index:
    """Map a saved index; every checksum is tried first (about a second for 10 million profiles).

    With `panel` and `table_sha256`, an index of another panel or table is refused: its ratios would be others.
    Raises: IndexRefused with the mend, OSError.
    """
    with path.open("rb") as file:
        told, offset = _header(file, path)
    if panel is not None and told["panel_sha256"] != panel.sha256.hex():
        raise IndexRefused(f"{path} has another panel: its loci are {', '.join(told['panel'][0])}. {_MEND}")
    if table_sha256 and told["table_sha256"] != table_sha256:
        raise IndexRefused(
            f"{path} was made with table {told['table_sha256'][:12]}, not {table_sha256[:12]}. Name that table, or"
            " build it again from the profiles."
        )
    loci, alleles, rows = told["panel"]
    index = Index(
        Panel(tuple(loci), tuple(map(tuple, alleles)), tuple(rows)), told["role"], told["generation"]
    )
    if index.panel.sha256.hex() != told["panel_sha256"]:
        raise IndexRefused(f"{path} contradicts itself about its panel. {_MEND}")
    index.table_sha256 = told["table_sha256"]
    segments = []
    for each in told["segments"]:
        segment, offset = _mapped(path, each, offset)
        segments.append(segment)
    index.take_over(segments)
    return index


def _told(view: View) -> dict[str, Any]:
    segment = view.segment
    arrays = {name: getattr(segment, name) for name in _ARRAYS}
    return {
        "count": view.count,
        "rare": [
            [each.place, each.locus, *each.alleles, each.dropout]
            for place, loci in sorted(segment.rare.items())
            if place < view.count
            for each in loci
        ],
        "shapes": {name: array.shape for name, array in arrays.items()},
        "sha256": {name: _sum(array) for name, array in arrays.items()},
    }


def _sum(array: NDArray[Any]) -> str:
    return hashlib.sha256(array.reshape(-1).view(np.uint8).data).hexdigest()


def _edge(offset: int) -> int:
    return -(-offset // _PAGE) * _PAGE


def _header(file: IO[bytes], path: Path) -> tuple[dict[str, Any], int]:
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size or head[:8] != MAGIC:
        raise IndexRefused(f"{path} is not an index of this program. Name another file, or build one.")
    _, version, length, expected = _HEAD.unpack(head)
    if version != VERSION:
        raise IndexRefused(f"{path} has version {version}, this program reads {VERSION}. {_MEND}")
    text = file.read(min(length, HEADER_MAX))
    if len(text) != length or hashlib.sha256(text).digest() != expected:
        raise IndexRefused(f"{path} is damaged in its header. {_MEND}")
    told: dict[str, Any] = json.loads(text)
    return told, _HEAD.size + length


def _mapped(path: Path, told: dict[str, Any], offset: int) -> tuple[Segment, int]:
    arrays: dict[str, NDArray[Any]] = {}
    size = path.stat().st_size
    for name, kind in _ARRAYS.items():
        offset = _edge(offset)
        shape = tuple(told["shapes"][name])
        length = int(np.prod(shape)) * np.dtype(kind).itemsize
        if offset + length > size:
            raise IndexRefused(f"{path} is shorter than its header says; it was cut off. {_MEND}")
        arrays[name] = np.memmap(path, kind, "r", offset, shape)
        if _sum(arrays[name]) != told["sha256"][name]:
            raise IndexRefused(f"{path} is damaged in its {name.replace('_', ' ')}. {_MEND}")
        offset += length
    # Removals are marked in a copy: the file stays as it is until it is saved again.
    arrays["alive"] = np.array(arrays["alive"])
    codes, bitmaps, row_ids, sexes, alive = (arrays[name] for name in _ARRAYS)
    segment = Segment(codes, bitmaps, row_ids, sexes, alive, count=int(told["count"]))
    for place, locus, one, other, dropout in told["rare"]:
        segment.rare.setdefault(place, []).append(Rare(place, locus, (one, other), dropout))
    return segment, offset
