"""Genotype tables of GeneMapper and programs that write like it, into samples.

Long: a row a sample and marker, with Sample Name (or Sample File), Marker, Allele 1, Allele 2, ...; wide: a row a
sample, with a column (or two of the same name) a locus. Tab, comma or semicolon; UTF-8, UTF-16 with its mark, or
GB 18030. Every other column (Dye, Size n, Height n, Peak Area n, ...) is passed over.
Source: the columns that GeneMapper ID-X exports as a genotypes table (as public readers of it take them:
strvalidator's documentation of the GeneMapper format), and this project's own Chinese names for them.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from dna_intake.domain.kits import key_of
from dna_intake.domain.profiles import locus_named
from dna_intake.intake.gathering import Gathering
from dna_intake.intake.sheet import LOCI_MAX, NAME_MAX, FileRefused, Sheet, refused

_SAMPLE = (
    "SAMPLENAME",
    "SPECIMEN",
    "SPECIMENID",
    "BARCODE",
    "SAMPLE",
    "样本名称",
    "样本编号",
    "检材编号",
    "条码",
)
_FILE = ("SAMPLEFILE", "SAMPLEFILENAME", "样本文件")
_MARKER = ("MARKER", "LOCUS", "基因座")
_RETYPED = ("RETYPED", "复检")
_KIT = ("KIT", "PANEL", "试剂盒")
_ALLELE = re.compile(r"(?:ALLELE|等位基因)\.?(\d{1,2})")
_SPLIT = re.compile(r"[,/;\s]+")
_YES = ("Y", "YES", "1", "TRUE", "是")
_HEADER_WITHIN = 20
"""Lines that may stand above the header: a title, the name of the project."""
_COLUMNS_MAX = 400
_LINES_MAX = 100_000


@dataclass(frozen=True)
class _Columns:
    sample: int | None
    file: int | None
    marker: int | None
    retyped: int | None
    kit: int | None
    alleles: tuple[int, ...]
    loci: tuple[tuple[int, str], ...]

    @property
    def usable(self) -> bool:
        named = self.sample is not None or self.file is not None
        return named and bool((self.marker is not None and self.alleles) or self.loci)


def read_table(raw: bytes) -> Sheet:
    """The samples of a genotypes table. Raises: FileRefused, with the line."""
    text = decoded(raw)
    rows = _rows(text)
    at, columns = _header(rows)
    _check_end(text, rows, at)
    gathering = Gathering()
    kits: set[str] = set()
    for line, cells in rows[at + 1 :]:
        name = _name(columns, cells)
        if not any(cells):
            continue
        if not name:
            gathering.trouble(
                line,
                "",
                "",
                "The row names no sample.",
                "该行缺少样本名称。",
                "Fill in Sample Name with the barcode.",
            )
            continue
        kits |= {kit} if (kit := _cell(cells, columns.kit)) else set()
        _take(gathering, columns, line, name, cells)
    if len(kits) > 1:
        raise refused("The table names several kits.", "表格含多个试剂盒。", "Send one table a kit.")
    return Sheet("table", next(iter(kits), None), gathering.samples())


def decoded(raw: bytes) -> str:
    """The text of a file in UTF-8, UTF-16 with its byte order mark, or GB 18030. Raises: FileRefused."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return raw.decode(encoding)
        except UnicodeError:
            continue
    raise refused(
        "The text is in none of UTF-8, UTF-16 with its mark and GB 18030.",
        "文件编码无法识别。",
        "Save it again as UTF-8.",
    )


def _rows(text: str) -> list[tuple[int, list[str]]]:
    head = text[:4096]
    delimiter = max("\t,;", key=head.count)
    reader = csv.reader(io.StringIO(text.replace("\x00", "")), delimiter=delimiter)
    rows: list[tuple[int, list[str]]] = []
    try:
        for cells in reader:
            if len(rows) >= _LINES_MAX or len(cells) > _COLUMNS_MAX:
                raise refused("The table is too large.", "表格过大。", "Split it by plate.", reader.line_num)
            rows.append((reader.line_num, [cell.strip() for cell in cells]))
    except csv.Error:
        raise refused(
            "The table is broken here.", "表格格式错误。", "Export it again as text.", reader.line_num
        ) from None
    return rows


def _header(rows: Sequence[tuple[int, list[str]]]) -> tuple[int, _Columns]:
    for at, (_, cells) in enumerate(rows[:_HEADER_WITHIN]):
        columns = _columns(cells)
        if columns.usable:
            return at, columns
    raise refused(
        "There is no header with a sample and its alleles.",
        "未找到表头(样本名称、基因座、等位基因)。",
        "Columns: Sample Name, Marker, Allele 1, Allele 2; or Sample Name and a column a locus.",
    )


def _check_end(text: str, rows: Sequence[tuple[int, list[str]]], header: int) -> None:
    """A last line without its end that is shorter than the header was cut off: its last allele may be half of one."""
    line, cells = rows[-1]
    if not text.endswith(("\n", "\r")) and len(cells) < len(rows[header][1]):
        raise refused(
            "The table ends in the middle of a line: it is cut off.",
            "表格在行中间结束,文件不完整。",
            "Export it again and send all of it; if it is all, end its last line with a line break.",
            line,
        )


def _columns(cells: Sequence[str]) -> _Columns:
    keys = [key_of(cell[:NAME_MAX]) for cell in cells]

    def first(names: Sequence[str]) -> int | None:
        return next((keys.index(name) for name in names if name in keys), None)

    marker = first(_MARKER)
    numbered = [(int(m[1]), at) for at, key in enumerate(keys) if (m := _ALLELE.fullmatch(key))]
    alleles = tuple(at for _, at in sorted(numbered))
    loci = () if marker is not None else tuple(_loci(cells))
    return _Columns(first(_SAMPLE), first(_FILE), marker, first(_RETYPED), first(_KIT), alleles, loci)


def _loci(cells: Sequence[str]) -> list[tuple[int, str]]:
    """The columns of a wide table that are loci: `TH01`, or `TH01 1`, `TH01 2` and, for a third allele, `TH01 3`."""
    found = []
    for at, cell in enumerate(cells):
        name = locus_named(cell[:NAME_MAX]) or locus_named(re.sub(r"[ _.-]?[1-8]$", "", cell[:NAME_MAX]))
        if name:
            found.append((at, name))
    return found


def _cell(cells: Sequence[str], at: int | None) -> str:
    return cells[at] if at is not None and at < len(cells) else ""


def _name(columns: _Columns, cells: Sequence[str]) -> str:
    file = re.sub(r"\.(fsa|hid)$", "", _cell(cells, columns.file), flags=re.I)
    return (_cell(cells, columns.sample) or file)[:NAME_MAX]


def _take(gathering: Gathering, columns: _Columns, line: int, name: str, cells: Sequence[str]) -> None:
    if columns.marker is None:
        _take_wide(gathering, columns, line, name, cells)
        return
    gathering.begin(line, name)
    marker = _cell(cells, columns.marker)
    if not marker:
        gathering.trouble(line, name, "", "The row names no marker.", "该行缺少基因座。", "Fill in Marker.")
        return
    retyped = key_of(_cell(cells, columns.retyped)) in _YES
    alleles = [_cell(cells, at) for at in columns.alleles]
    gathering.add(line, name, marker, alleles, retyped=retyped)


def _take_wide(gathering: Gathering, columns: _Columns, line: int, name: str, cells: Sequence[str]) -> None:
    if gathering.has(name):
        gathering.trouble(
            line, name, "", "The specimen is there twice.", "检材重复。", "Send each specimen once a file."
        )
        return
    gathering.begin(line, name)
    loci: dict[str, list[str]] = {}
    for at, locus in columns.loci[: 2 * LOCI_MAX]:
        loci.setdefault(locus, []).extend(_SPLIT.split(_cell(cells, at)))
    for locus, alleles in loci.items():
        gathering.add(line, name, locus, alleles)


__all__ = ["FileRefused", "decoded", "read_table"]
