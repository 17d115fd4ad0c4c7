"""A plate: its controls are as their vendors publish them, or nothing of it is taken."""

from __future__ import annotations

import pytest

from dna_intake.domain.barcode import barcode_of
from dna_intake.intake import kits
from dna_intake.intake.files import read_file
from dna_intake.intake.plate import Judged, judge, part_of
from dna_intake.intake.sheet import FileRefused
from harness.dna_files import Loci, person, table

KIT = "PowerPlex Fusion 6C"
ONE = barcode_of(1)
ID = "99479948-2800-4007-8007-994799472800"


def control(name: str = "2800M") -> Loci:
    ladder = kits.kit(KIT).ladder
    shown = {locus: list(alleles) for locus, alleles in kits.controls()[name].items() if locus in ladder}
    return dict(shown)


def judged(**samples: Loci) -> Judged:
    return judge(read_file(table({ONE: person(1, kit=KIT)} | samples).encode()), KIT)


def refused(**samples: Loci) -> FileRefused:
    with pytest.raises(FileRefused) as error:
        judged(**samples)
    return error.value


@pytest.mark.parametrize(
    ("name", "part", "which"),
    [
        (ONE, "specimen", ""),
        (ID, "specimen", ""),
        ("2800M", "positive", "2800M"),
        ("PC_2800M_A1", "positive", "2800M"),
        ("阳性对照", "positive", "2800M"),
        ("PC", "positive", "2800M"),
        ("Control 007", "positive", "DNA007"),
        ("NC", "negative", ""),
        ("Neg_H12", "negative", ""),
        ("阴性对照", "negative", ""),
        ("空白", "negative", ""),
        ("Allelic Ladder", "ladder", ""),
        ("Ladder_B1", "ladder", ""),
        ("张三", "specimen", ""),
    ],
)
def test_a_sample_is_a_specimen_or_a_control_by_its_name(name: str, part: str, which: str) -> None:
    assert (part, which) == part_of(name, kits.kit(KIT))


def test_a_plate_with_good_controls_is_taken() -> None:
    found = judged(PC=control(), NC={"TH01": []}, Ladder={"TH01": ["4", "5"]}, C9947A=control("9947A"))

    assert {"positive", "negative", "ladder"} == {each.part for each in found.controls}
    assert [ONE] == [sample.name for sample, _ in found.profiles]
    assert 4 == len(found.controls)


@pytest.mark.parametrize(
    ("change", "locus"),
    [({"TH01": ["6", "8"]}, "TH01"), ({"FGA": []}, "FGA"), ({"Amelogenin": ["X"]}, "Amelogenin")],
)
def test_a_positive_control_that_differs_or_dropped_out_refuses_the_plate(change: Loci, locus: str) -> None:
    error = refused(PC=control() | change)

    assert [locus] == [row.locus for row in error.rows]
    assert "positive control" in error.rows[0].says_en
    assert "reject its specimens" in error.rows[0].mend


def test_a_negative_control_with_dna_refuses_the_plate() -> None:
    error = refused(NC={"TH01": ["9.3"], "FGA": []})

    assert ["TH01"] == [row.locus for row in error.rows]
    assert "9.3" not in repr(error.rows)


def test_a_control_whose_genotype_nobody_knows_refuses_the_plate() -> None:
    kit = "GlobalFiler + PowerPlex 21"
    assert ("positive", "DNA007") == part_of("PC", kits.kit(kit))

    with pytest.raises(FileRefused, match="1 troubles"):
        judge(read_file(b"Sample Name,Marker,Allele 1\nPC K562,TH01,9.3\n"), "K1")


def test_every_unsound_profile_is_told_with_its_line() -> None:
    two = barcode_of(2)
    few = dict(list(person(2, kit=KIT).items())[:9])

    error = refused(**{two: few, "someone": person(3, kit=KIT) | {"TH01": ["8.3", "9"]}})

    assert [(two, "profile"), ("", "TH01")] == [(row.specimen, row.locus) for row in error.rows]
    assert all(row.line and row.mend and row.says_zh for row in error.rows)
