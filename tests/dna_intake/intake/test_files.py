"""Files of the analysis programs: each format is read, and whatever is wrong is told by line, never by allele."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from contextlib import suppress
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dna_intake.domain.barcode import barcode_of
from dna_intake.domain.profiles import locus_named
from dna_intake.intake.files import read_file
from dna_intake.intake.sheet import BYTES_MAX, SAMPLES_MAX, FileRefused, Sheet
from harness.dna_files import as_json, cmf, person, rapid, table, wide

ONE, TWO = barcode_of(1), barcode_of(2)
PEOPLE = {ONE: person(1), TWO: person(2, sex="female")}
SECRET = "47.2"


def by_locus(sheet: Sheet) -> dict[str, dict[str, tuple[str, ...]]]:
    return {
        sample.name: {locus_named(marker) or marker: alleles for marker, alleles in sample.loci.items()}
        for sample in sheet.samples
    }


WANTED = {name: {locus: tuple(alleles) for locus, alleles in loci.items()} for name, loci in PEOPLE.items()}


@pytest.mark.parametrize(
    ("text", "content_type"),
    [
        (table(PEOPLE), "text/tab-separated-values"),
        (table(PEOPLE), "application/octet-stream"),
        (table(PEOPLE, ","), "text/csv; charset=utf-8"),
        (table(PEOPLE, ";", sizes=False), ""),
        ("Project: 打拐\n\n" + table(PEOPLE), ""),
        (wide(PEOPLE), "text/csv"),
        (cmf(PEOPLE), "application/xml"),
        (cmf(PEOPLE), ""),
        (rapid(PEOPLE, "GlobalFiler"), "text/xml"),
        (as_json(PEOPLE), "application/json"),
        (as_json(PEOPLE), ""),
    ],
)
def test_every_format_says_the_same(text: str, content_type: str) -> None:
    assert WANTED == by_locus(read_file(text.encode(), content_type))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_a_table_is_read_in_the_encodings_that_programs_write(encoding: str) -> None:
    text = table(PEOPLE, ",").replace("Marker", "基因座").replace("Allele", "等位基因")

    assert WANTED == by_locus(read_file(text.encode(encoding), "text/csv"))


def test_a_sample_file_names_the_sample_where_nothing_else_does() -> None:
    text = "Sample File,Marker,Allele 1,Allele 2\n" + f"{ONE}.fsa,TH01,6,9.3\n"

    assert {ONE: {"TH01": ("6", "9.3")}} == by_locus(read_file(text.encode()))


def test_a_wide_table_without_a_last_line_break_is_whole_if_its_last_line_is() -> None:
    text = wide({ONE: person(1)}).rstrip("\n")

    assert [ONE] == list(by_locus(read_file(text.encode())))


def test_a_third_column_of_a_locus_is_read_too() -> None:
    text = f"Sample Name,TH01 1,TH01 2,TH01 3\n{ONE},6,7,9.3\n"

    assert {"TH01": ("6", "7", "9.3")} == by_locus(read_file(text.encode()))[ONE]


def test_a_kit_in_the_file_is_known() -> None:
    sheets = [
        read_file(cmf(PEOPLE, "PowerPlex 21").encode()),
        read_file(rapid(PEOPLE, "PowerPlex 21").encode()),
        read_file(as_json(PEOPLE, "PowerPlex 21").encode()),
        read_file(f"Sample Name,Panel,Marker,Allele 1\n{ONE},PowerPlex 21,TH01,9\n".encode()),
    ]

    assert ["PowerPlex 21"] * 4 == [sheet.samples[0].kit or sheet.kit for sheet in sheets]
    assert ["cmf 3", "cmf rapid", "json", "table"] == [sheet.format for sheet in sheets]


def test_a_kit_at_a_locus_joins_that_of_the_file() -> None:
    text = cmf(PEOPLE, "PowerPlex 21").replace(
        "<LOCUS><LOCUSNAME>SE33", '<LOCUS KIT="GlobalFiler"><LOCUSNAME>SE33', 1
    )

    sheet = read_file(text.encode())

    assert {"PowerPlex 21 + GlobalFiler"} == {sheet.samples[0].kit}
    assert (None, "PowerPlex 21") == (sheet.samples[1].kit, sheet.kit)


def test_a_row_that_was_typed_again_says_so() -> None:
    text = f"Sample Name,Marker,Allele 1,Allele 2,Retyped\n{ONE},TH01,6,8.3,yes\n{ONE},FGA,22,24,\n"

    [sample] = read_file(text.encode()).samples

    assert ("TH01",) == sample.retyped
    assert ("TH01",) == read_file(as_json({ONE: {"TH01": ["6"]}}, retyped=["TH01"]).encode()).samples[
        0
    ].retyped


XML = '<?xml version="1.0"?>'
NS = 'xmlns="urn:CODISImportFile-schema"'
LOCUS = "<LOCUS><LOCUSNAME>TH01</LOCUSNAME><ALLELE><ALLELEVALUE>47.2</ALLELEVALUE></ALLELE></LOCUS>"


def specimens(*inner: str) -> str:
    return f"{XML}\n<CODISImportFile {NS}>\n" + "\n".join(inner) + "\n</CODISImportFile>"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", None, "empty"),
        ("   \n", None, "empty"),
        ("no header here", None, "no header"),
        ("Sample Name,Size 1\na,47.2\n", None, "no header"),
        ("Sample Name,Marker,Allele 1\n", None, "no sample"),
        (f"Sample Name,Marker,Allele 1,Allele 2\n{ONE},TH01,9,47.2\n{ONE},FGA,2", 3, "cut off"),
        (f"Sample Name,TH01,FGA 1,FGA 2\n{ONE},9,2", 2, "cut off"),
        (f"Sample Name,Marker,Allele 1\n{ONE},TH01,47.2\n,TH01,47.2\n", 3, "names no sample"),
        (f"Sample Name,Marker,Allele 1\n{ONE},,47.2\n", 2, "names no marker"),
        (f"Sample Name,Marker,Allele 1\n{ONE},TH01,47.2\n{ONE},TH01,47.2\n", 3, "locus is there twice"),
        (f"Sample Name,TH01,TH01\n{ONE},47.2,9\n{ONE},47.2,9\n", 3, "specimen is there twice"),
        (f"Sample Name,Kit,Marker,Allele 1\n{ONE},A,TH01,9\n{ONE},B,FGA,9\n", None, "several kits"),
        ('Sample Name,Marker,Allele 1\n"' + "x" * 140_000, 2, "broken here"),
        (f"{XML}<html/>", 1, "not a CODIS import file"),
        (f"{XML}<CODISImportFile/>", 1, "not a CODIS import file"),
        (f"{XML}<CODISImportFile {NS}>", 1, "broken, or cut off"),
        (cmf(PEOPLE)[:900], None, "broken, or cut off"),
        (cmf(PEOPLE).replace("UTF-8", "GB18030"), None, "an encoding that is not read"),
        (cmf(PEOPLE).replace("UTF-8", "nonsense"), None, "an encoding that is not read"),
        (f"{XML}<!DOCTYPE x><CODISImportFile {NS}/>", None, "document type"),
        (
            f'{XML}<!DOCTYPE x [<!ENTITY a "47.2">]><CODISImportFile {NS}>&a;</CODISImportFile>',
            None,
            "document type",
        ),
        (specimens(f"<SPECIMEN>{LOCUS}</SPECIMEN>"), None, "no sample"),
        (specimens(f"<SPECIMEN><SPECIMENID> </SPECIMENID>{LOCUS}</SPECIMEN>"), 3, "has no id"),
        (
            specimens(*[f"<SPECIMEN><SPECIMENID>{ONE}</SPECIMENID>{LOCUS}</SPECIMEN>"] * 2),
            4,
            "specimen is there twice",
        ),
        (
            specimens(f"<SPECIMEN><SPECIMENID>{ONE}</SPECIMENID>{LOCUS}\n{LOCUS}</SPECIMEN>"),
            4,
            "locus is there twice",
        ),
        (specimens(f"<SPECIMEN><SPECIMENID>{ONE}</SPECIMENID><LOCUS/></SPECIMEN>"), 3, "no name"),
        (specimens("<A><B><C><D><E><F><G><H><I/></H></G></F></E></D></C></B></A>"), 3, "broken"),
        ("{", None, "can't be read"),
        ("[" * 100_000, None, "no header"),
        ('{"specimens": ' + "[" * 100_000, None, "can't be read"),
        ('{"specimens": []}', None, "too_short"),
        ('{"specimens": [{"specimen": "a", "loci": {"TH01": [47.2]}}]}', 1, "string_type"),
        (
            '{"specimens": [{"specimen": "a", "loci": {"TH01": ["9"], "TH01": ["47.2"]}}]}',
            None,
            "twice in one object",
        ),
        ('{"specimens": [{"specimen": "a", "loci": {"TH01": ["9"]}, "name": "47.2"}]}', 1, "extra_forbidden"),
        (as_json({ONE: {"TH01": ["47.2"] * 9}}), 1, "too_long"),
        (
            as_json({ONE: {"TH01": ["9"]}}).replace(
                "}]}", '}, {"specimen": "' + ONE + '", "loci": {"FGA": ["9"]}}]}'
            ),
            2,
            "specimen is there twice",
        ),
    ],
)
def test_what_is_wrong_is_told_by_line_with_its_mend(text: str, line: int | None, says: str) -> None:
    with pytest.raises(FileRefused) as error:
        read_file(text.encode())

    row = error.value.rows[0]
    assert says in row.says_en
    assert row.says_zh
    assert row.mend
    assert line in (None, row.line)
    assert SECRET not in f"{error.value!r} {error.value.rows!r}"


@pytest.mark.parametrize("read", [table, cmf, as_json])
def test_a_file_with_too_many_samples_is_refused(
    read: Callable[[dict[str, dict[str, list[str]]]], str],
) -> None:
    crowd = {f"S{n}": {"TH01": ["9"]} for n in range(SAMPLES_MAX + 1)}

    with pytest.raises(FileRefused) as error:
        read_file(read(crowd).encode())

    assert "1000" in error.value.rows[0].says_en or "too_long" in error.value.rows[0].says_en


def test_a_file_that_is_too_large_is_refused() -> None:
    with pytest.raises(FileRefused, match="1 troubles"):
        read_file(b"x" * (BYTES_MAX + 1))


def cpu_s(element: str) -> float:
    """Of reading 200,000 short lines within an element."""
    lines = f"<SPECIMEN><{element}>" + "A\n" * 200_000 + f"</{element}></SPECIMEN>"
    raw = f'<CODISImportFile xmlns="urn:CODISImportFile-schema">{lines}</CODISImportFile>'.encode()
    begun = process_time()
    with suppress(FileRefused):
        read_file(raw, "application/xml")
    return process_time() - begun


def test_a_text_of_very_many_lines_costs_no_more_than_one_that_nobody_reads() -> None:
    """Each line is a piece of its own to the parser; 4 MiB of them took 37 s, in which nobody else was served."""
    read, passed_over = (min(cpu_s(element) for _ in range(2)) for element in ("SPECIMENID", "COMMENT"))

    assert read < 4 * passed_over


def test_a_persons_name_in_the_sample_column_is_not_repeated() -> None:
    text = "Sample Name,Marker,Allele 1\n李某某,TH01,9\n李某某,TH01,9\n"

    with pytest.raises(FileRefused) as error:
        read_file(text.encode())

    assert "李某某" not in repr(error.value.rows)


@given(st.binary(max_size=400), st.sampled_from(["", "text/csv", "application/xml", "application/json"]))
@example(b"\xff\xfe\x00", "")
@example(b"\xef\xbb\xbf<", "")
@example(b'\x00"', "text/csv")
def test_any_bytes_are_read_or_refused(raw: bytes, content_type: str) -> None:
    try:
        sheet = read_file(raw, content_type)
    except FileRefused as error:
        refusal = error
    else:
        refusal = None
        assert sheet.samples
    assert refusal is None or refusal.rows


@given(
    st.sampled_from([table(PEOPLE), cmf(PEOPLE), as_json(PEOPLE), wide(PEOPLE)]),
    st.integers(0, 2**32),
    st.integers(1, 20),
)
def test_a_file_with_bytes_changed_is_read_or_refused(text: str, seed: int, changes: int) -> None:
    rng, raw = random.Random(seed), bytearray(text.encode())
    for _ in range(changes):
        at = rng.randrange(len(raw))
        match rng.randrange(3):
            case 0:
                raw[at] = rng.randrange(256)
            case 1:
                del raw[at : at + rng.randrange(1, 50)]
            case _:
                raw[at:at] = bytes(rng.choices(b'<>&"\t,{}[]\n\x00', k=3))
    try:
        samples = read_file(bytes(raw)).samples
    except FileRefused as error:
        assert error.rows  # noqa: PT017 - both ends are as they must be; nothing else may be raised.
    else:
        assert samples


def test_the_troubles_of_a_file_come_together() -> None:
    text = "Sample Name,Marker,Allele 1\n" + f"{ONE},,9\n,TH01,9\n{TWO},TH01,9\n{TWO},TH01,9\n"

    with pytest.raises(FileRefused) as error:
        read_file(text.encode())

    assert [2, 3, 5] == [row.line for row in error.value.rows]
    assert json.loads(json.dumps([vars(row) for row in error.value.rows]))
