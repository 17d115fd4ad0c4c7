"""Frequency tables: what is checked, how they are scaled, the minimum of rare alleles, and the forms of files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dna_intake.domain.profiles import LOCI
from dna_intake.kinship import FrequencyTable, Model, Mutation, TableRefused, Typing, compare, load_table
from dna_intake.kinship.frequencies import with_minimum
from dna_intake.kinship.relations import duo

TWO = {"TH01": {"6": 0.25, "9.3": 0.75}, "vWA": {"14": 0.5, "17": 0.5}}


@pytest.mark.parametrize("name", ["nist1036_asian", "norstr_east_asia"])
def test_tables_that_ship_are_whole(name: str) -> None:
    table = load_table(name)

    sums = {locus: sum(alleles.values()) for locus, alleles in table.loci.items()}

    assert dict.fromkeys(sums, 1.0) == pytest.approx(sums, abs=1e-12)
    assert len(set(LOCI) & set(table.loci)) >= 21
    assert 64 == len(table.sha256)


def test_sum_off_by_more_than_half_a_hundredth_is_refused_with_the_locus() -> None:
    with pytest.raises(TableRefused, match=r"locus vWA: Frequencies sum to 0\.9900") as refused:
        FrequencyTable("t", "invented", {**TWO, "vWA": {"14": 0.49, "17": 0.5}})

    assert "vWA" == refused.value.locus


def test_small_deviation_is_scaled_away() -> None:
    table = FrequencyTable("t", "invented", {"vWA": {"14": 0.499, "17": 0.499}})

    assert {"14": 0.5, "17": 0.5} == table.loci["vWA"]


@pytest.mark.parametrize(
    "alleles",
    [
        {"14": -0.1, "17": 1.1},
        {"14": float("nan"), "17": 1.0},
        {"<14": 0.5, "17": 0.5},
        {"14": 0.5, "14.0": 0.5},
        {"14": "0.5", "17": 0.5},
        {},
    ],
)
def test_impossible_frequencies_are_refused_with_the_locus(alleles: dict[str, float]) -> None:
    with pytest.raises(TableRefused, match="locus vWA"):
        FrequencyTable("t", "invented", {"vWA": alleles})


def test_hash_is_of_the_frequencies_and_not_of_their_order() -> None:
    turned = {locus: dict(reversed(alleles.items())) for locus, alleles in reversed(TWO.items())}
    changed = {**TWO, "vWA": {"14": 0.49, "17": 0.51}}

    hashes = [FrequencyTable("t", "invented", loci).sha256 for loci in (TWO, turned, changed)]

    assert hashes[0] == hashes[1] != hashes[2]


def test_restricted_table_has_the_named_loci_only() -> None:
    table = FrequencyTable("t", "invented", TWO, people=100)

    found = table.restricted(["vWA"])

    assert ["vWA"] == list(found.loci)
    assert 100 == found.people
    with pytest.raises(TableRefused, match="locus FGA"):
        table.restricted(["FGA"])


def test_unseen_allele_has_the_minimum_and_the_rest_makes_room() -> None:
    found = with_minimum(TWO["TH01"], {"7"}, 0.02, locus="TH01")

    assert {"6": 0.25 * 0.98, "7": 0.02, "9.3": 0.75 * 0.98} == pytest.approx(found, rel=1e-12)


def test_rare_allele_is_raised_only_if_somebody_here_carries_it() -> None:
    rare = {"6": 0.01, "9.3": 0.99}

    assert rare == with_minimum(rare, {"9.3"}, 0.02, locus="TH01")
    assert {"6": 0.02, "9.3": 0.98} == pytest.approx(with_minimum(rare, {"6"}, 0.02, locus="TH01"))


def test_minimum_is_five_copies_of_the_sampled_people_and_stands_on_the_result() -> None:
    typed = {who: Typing({"vWA": ("21",)}) for who in ("child", "parent")}
    table = FrequencyTable("t", "invented", TWO, people=250)

    found = compare(*duo(), typed, table, Model(0, Mutation()))

    assert 0.01 == found.minimum_frequency
    assert 100 == pytest.approx(10**found.log10_lr, rel=1e-12)


def test_without_a_minimum_an_unseen_allele_is_refused_with_the_locus() -> None:
    typed = {who: Typing({"vWA": ("21",)}) for who in ("child", "parent")}

    with pytest.raises(TableRefused, match="locus vWA: Allele 21 is not in the table"):
        compare(*duo(), typed, FrequencyTable("t", "invented", TWO), Model(minimum_frequency=0))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", json.dumps(TWO)),
        ("a.json", json.dumps({"name": "a", "source": "invented", "people": 10, "loci": TWO})),
        ("a.csv", "Locus,Allele,Frequency\nTH01,6,0.25\nTH01,9.3,0.75\nvWA,14,0.5\nvWA,17,0.5\n"),
        ("a.csv", "Allele,TH01,vWA\n6,0.25,\n9.3,0.75,\n14,,0.5\n17,,0.5\n"),
        ("a.tsv", "allele\tTH01\tvWA\n6\t0.25\t\n9.3\t0.75\t\n14\t\t0.5\n17\t\t0.5\n"),
        ("a.txt", "TH01\n6\t0.25\n9.3\t0.75\n\nvWA\n14\t0.5\n17\t0.5\n"),
        ("a.txt", "TH01\r\n6 0.25\r\n9.3 0.75\r\n\r\nvWA\r\n14 0.5\r\n17 0.5\r\n"),
    ],
)
def test_every_form_of_file_gives_the_same_table(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")

    found = load_table(tmp_path / name)

    assert FrequencyTable("a", "invented", TWO).sha256 == found.sha256


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", "{"),
        ("a.json", "[1]"),
        ("a.json", '{"loci": {"vWA": 1}}'),
        ("a.json", '{"vWA": {"14": "much"}}'),
        ("a.csv", ""),
        ("a.csv", "what,is,this\n1,2,3\n"),
        ("a.csv", "locus,allele,frequency\nvWA,14,half\n"),
        ("a.csv", "locus,allele,frequency\nvWA,14,0.5\nvWA,14,0.5\n"),
        ("a.csv", "locus,allele,frequency\nvWA,14\n"),
        ("a.txt", "nothing\n"),
    ],
)
def test_file_that_is_no_table_is_refused(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")

    with pytest.raises(TableRefused):
        load_table(tmp_path / name)


def test_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(TableRefused, match="nist1036_asian, norstr_east_asia"):
        load_table("nowhere")
