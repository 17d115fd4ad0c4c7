"""`guitu dna check`: the same judgement as the service's, on this machine alone."""

from __future__ import annotations

from pathlib import Path

import typer
from typer.testing import CliRunner

from dna_intake.domain.barcode import barcode_of
from dna_intake.intake.cli import check
from harness.dna_files import cmf, person, table

app = typer.Typer()
app.command()(check)
ONE = barcode_of(1)
KIT = "PowerPlex 21"


def run(tmp_path: Path, name: str, text: str, *options: str) -> tuple[int, str]:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, [str(file), *options])
    return result.exit_code, result.output


def test_a_sound_file_is_told_with_its_loci_and_nothing_else(tmp_path: Path) -> None:
    code, said = run(tmp_path, "plate.txt", table({ONE: person(1, kit=KIT)}), "--kit", KIT)

    assert (0, True, True) == (code, f"{ONE}: 20 loci" in said, "Nothing was sent" in said)


def test_the_file_itself_may_name_the_kit(tmp_path: Path) -> None:
    code, said = run(tmp_path, "plate.xml", cmf({ONE: person(1, kit=KIT)}, KIT))

    assert (0, True) == (code, "kit PowerPlex 21" in said)


def test_a_bad_file_ends_with_code_1_and_a_line_a_trouble(tmp_path: Path) -> None:
    loci = person(1, kit=KIT) | {"TH01": ["8.3", "9"], "vWA": ["77", "78"]}

    code, said = run(tmp_path, "plate.csv", table({ONE: loci}, ","), "--kit", KIT)

    assert 1 == code
    assert f"line 2 {ONE} TH01: An allele is off the ladder" in said
    assert f"{ONE} vWA" in said
    assert "Refused: 2 to mend" in said
    assert "77" not in said


def test_without_a_kit_the_known_ones_are_told(tmp_path: Path) -> None:
    code, said = run(tmp_path, "plate.csv", table({ONE: person(1, kit=KIT)}, ","))

    assert (1, True) == (code, "GlobalFiler, Identifiler Plus" in said)
