"""The examples of docs/profiles_in.md are files that would be taken."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dna_intake.intake import kits
from dna_intake.intake.files import read_file
from dna_intake.intake.plate import judge
from harness.ground import repo_root

EXAMPLES = sorted((repo_root() / "docs" / "examples" / "profiles_in").iterdir())


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_an_example_is_a_sound_file(file: Path) -> None:
    judged = judge(read_file(file.read_bytes()), "PowerPlex 21")

    assert [20, 20] == [typed.genotype.loci_typed for _, typed in judged.profiles]


def test_the_page_names_every_kit_with_its_number_of_loci() -> None:
    page = (repo_root() / "docs" / "profiles_in.md").read_text(encoding="utf-8")

    told = {name.strip(): int(count) for name, count in re.findall(r"^\| ([\w ]+) \| (\d+) \|", page, re.M)}

    assert {kit.name: len(kit.ladder) - 1 for kit in kits.kits().values()} == told
