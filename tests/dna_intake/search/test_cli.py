"""`guitu dna search` on files: finds the families, and tells every row that it can't use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from dna_intake.search.profile_files import RowsRefused, read_profiles
from dna_intake.search_cli import search

EXAMPLE = Path(__file__).parents[3] / "docs/examples/search/families.csv"
LOCI = ("TH01", "Penta D")


def run(*words: str) -> Result:
    app = typer.Typer()
    app.command()(search)
    return CliRunner().invoke(app, list(words))


def answers(*words: str) -> dict[str, list[str]]:
    ended = run(str(EXAMPLE), "--json", *words)
    assert 0 == ended.exit_code, ended.exception
    found = json.loads(ended.stdout.splitlines()[-1])["answers"]
    return {each["query"]: [lead["specimen"] for lead in each["leads"]] for each in found}


def test_every_child_of_the_example_finds_its_parents_and_no_stranger() -> None:
    assert {"C-1": ["F-3", "M-3"], "C-2": ["F-5", "M-5"], "C-3": []} == answers()


def test_couples_children_and_siblings_are_found_too() -> None:
    assert ["couple-5"] == answers("--relation", "couple")["C-2"]
    assert ["C-1"] == answers("--relation", "child_of_couple", "--query", "couple-3")["couple-3"]
    assert ["C-1"] == answers("--relation", "child", "--query", "M-3")["M-3"]
    assert "C-1" == answers("--relation", "full_sibling", "--query", "S-1", "--lr-min", "100")["S-1"][0]


def test_nobody_is_a_lead_of_their_own_and_the_rest_is_counted() -> None:
    ended = run(
        str(EXAMPLE), "--relation", "full_sibling", "--query", "S-1", "--lr-min", "1e-300", "--leads-max", "2"
    )

    assert "S-1: 15 leads" in ended.stdout
    assert "and 13 more; raise --leads-max" in ended.stdout
    assert "A lead is not an identification" in ended.stdout


def test_an_index_file_is_used_again_for_its_own_relation_only(tmp_path: Path) -> None:
    path = tmp_path / "parents.index"

    first = answers("--index", str(path))

    assert first == answers("--index", str(path))
    other = run(str(EXAMPLE), "--index", str(path), "--relation", "child")
    assert "holds candidates for parent, not child" in str(other.exception)
    table = run(str(EXAMPLE), "--index", str(path), "--table", "norstr_east_asia")
    assert "another panel" in str(table.exception)


def test_rows_that_cannot_be_used_are_all_told_with_line_specimen_and_locus(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(
        "specimen,role,sex,TH01,PENTA_D,AMEL\n"
        "A,child,male,6/9.3,9,X\n"
        "B,uncle,,6/7/9,9,X\n"
        "C,father,female,6,9,X\n"
        ",mother,,6,9,X\n"
        "D,mother,,OL/6,,X\n"
        "E,mother,,6\n"
        "A,mother,,6,9,X\n"
    )

    with pytest.raises(RowsRefused) as refused:
        read_profiles([path], LOCI)

    told = str(refused.value)
    for words in (
        "bad.csv line 3, specimen B: role is 'uncle'",
        "specimen B, locus TH01: it has 3 alleles",
        "line 4, specimen C: a father is female",
        "line 5, specimen (none): it has no specimen",
        "specimen D, locus TH01: 'OL' is no repeat number",
        "line 7: It has not the 6 cells of the first line (specimen E)",
        "specimen A is there twice",
    ):
        assert words in told


def test_an_allele_off_ladder_is_refused_with_specimen_and_locus(tmp_path: Path) -> None:
    """A typing error, 93 for 9.3, would count as an allele of the minimum frequency."""
    path = tmp_path / "ladder.csv"
    path.write_text("specimen,role,TH01,vWA\nA,child,9.3,14\nB,mother,93,14.4\n")

    told = str(run(str(path)).exception)

    assert "line 3, specimen B, locus TH01: '93' is off ladder; plausible are 3 to 14 repeats" in told
    assert "specimen B, locus vWA: '14.4' is off ladder" in told
    assert "specimen A" not in told


def test_json_lines_say_the_same_as_csv(tmp_path: Path) -> None:
    table, lines = tmp_path / "a.csv", tmp_path / "a.jsonl"
    table.write_text("specimen,role,dropout,th01,Penta D\nA,mother,0.1,6/9.3,9\n")
    lines.write_text(
        '{"specimen":"A","role":"mother","dropout":0.1,"loci":{"TH01":["6","9.3"],"PentaD":["9"]}}\n\n'
    )

    assert read_profiles([table], LOCI) == read_profiles([lines], LOCI)
    lines.write_text('[1]\nnot json\n{"specimen":"A","role":"child","dropout":2,"loci":{"TH01":["6"]}}\n')
    with pytest.raises(RowsRefused, match=r"(?s)line 1: It must be.*line 2: It is not JSON.*dropout is 2"):
        read_profiles([lines], LOCI)


def test_what_cannot_be_searched_is_said_with_the_mend(tmp_path: Path) -> None:
    lonely = tmp_path / "lonely.csv"
    lonely.write_text("specimen,role,couple,TH01\nA,father,c1,6\n")

    for words, says in (
        ((str(EXAMPLE), "--query", "X"), "No profile of specimen X"),
        ((str(EXAMPLE), "--relation", "cousin"), "'cousin' is not known; known: parent"),
        ((str(EXAMPLE), "--table", "none"), "No table 'none'"),
        ((str(EXAMPLE), "--population", "0"), "The prior is 1 in 0, but 12 profiles were examined"),
        ((str(tmp_path / "none.csv"),), "none.csv: No such file or directory. Give files"),
        ((str(lonely),), "Nobody to search for: no row has the role child"),
        ((str(lonely), "--relation", "couple"), "Couple c1 is not one father and one mother"),
        ((str(lonely), "--relation", "child"), "Nobody to search among"),
        ((str(EXAMPLE), "--relation", "couple", "--index", "x"), "Couples have no index file"),
    ):
        assert says in str(run(*words).exception)
