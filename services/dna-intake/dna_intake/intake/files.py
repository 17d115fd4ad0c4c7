"""Which format a file has, and its samples; nothing here knows a specimen or a kit."""

from __future__ import annotations

import codecs

from dna_intake.intake.as_json import read_json
from dna_intake.intake.cmf import read_cmf
from dna_intake.intake.genemapper import read_table
from dna_intake.intake.sheet import BYTES_MAX, Sheet, refused, too_many

XML_TYPES = ("application/xml", "text/xml")
TABLE_TYPES = (
    "text/csv",
    "text/tab-separated-values",
    "text/plain",
    "application/csv",
    "application/vnd.ms-excel",
)
JSON_TYPES = ("application/json",)


def read_file(raw: bytes, content_type: str = "") -> Sheet:
    """The samples of a file, by its content type, or by how it begins if that says nothing.

    Raises: FileRefused, with every trouble of form that was found.
    """
    if len(raw) > BYTES_MAX:
        raise too_many("bytes", BYTES_MAX)
    if not raw.strip():
        raise refused("The file is empty.", "文件为空。", "Send the file that the analysis program wrote.")
    kind = content_type.partition(";")[0].strip().lower()
    if kind in XML_TYPES:
        return _some(read_cmf(raw))
    if kind in JSON_TYPES:
        return _some(read_json(raw))
    if kind in TABLE_TYPES:
        return _some(read_table(raw))
    start = raw.lstrip(codecs.BOM_UTF8 + b" \t\r\n")[:1]
    reader = {b"<": read_cmf, b"{": read_json}.get(start, read_table)
    return _some(reader(raw))


def _some(sheet: Sheet) -> Sheet:
    if not sheet.samples:
        raise refused("The file has no sample.", "文件中没有样本。", "Export it with its rows.")
    return sheet
