"""A case written as a `.fam` file and read again gives the same number; what has no place there is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dna_intake.kinship_files.case import LrCase
from dna_intake.kinship_files.fam import case_of_fam
from dna_intake.kinship_files.fam_writing import fam_text
from dna_intake.kinship_files.refused import CaseRefused
from dna_intake.kinship_files.resolve import Question, question_of
from dna_intake.kinship_files.weigh import weigh
from guitu.cli import main
from harness.lr_cases import small_case


def question(**more: Any) -> Question:
    return question_of(LrCase.model_validate(small_case() | more), None)


def written_and_read(asked: Question) -> Question:
    return question_of(case_of_fam(fam_text(asked), "written.fam"), None)


@pytest.mark.parametrize(
    "model",
    [
        {},
        {"theta": 0.0, "mutation": {"model": "none"}},
        {"mutation": {"model": "equal", "rate_male": 0.003}},
        {"mutation": {"model": "proportional"}, "silent": 0.02},
        {
            "mutation": {"model": "stepwise", "range": 0.3, "rate_microvariant": 0.0001},
            "minimum_frequency": 0.05,
        },
    ],
    ids=str,
)
def test_the_number_survives_the_way_through_a_fam_file(model: dict[str, Any]) -> None:
    asked = question(model=model)

    read = written_and_read(asked)

    before, after = weigh(asked), weigh(read)
    assert after.log10_lr == pytest.approx(before.log10_lr, rel=1e-9)
    assert {one.locus: one.log10_h1 for one in after.loci} == pytest.approx(
        {one.locus: one.log10_h1 for one in before.loci}, rel=1e-9
    )


def test_dropout_and_a_locus_with_its_own_model_survive() -> None:
    case = small_case() | {"locus_models": {"TH01": {"mutation": {"model": "equal"}}}}
    case["people"][0]["dropout"] = 0.1
    asked = question_of(LrCase.model_validate(case), None)

    read = written_and_read(asked)

    assert weigh(read).log10_lr == pytest.approx(weigh(asked).log10_lr, rel=1e-9)
    assert read.typed["child"].dropout == 0.1
    assert read.case.locus_models["TH01"].mutation.model == "equal"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"model": {"mutation": {"stabilised": True}}}, "stabilised"),
        ({"locus_models": {"TH01": {"theta": 0.03}}}, "theta that differs"),
        ({"model": {"linked": [{"first": "FGA", "second": "vWA", "recombination": 0.4}]}}, "linked pair"),
    ],
)
def test_a_model_without_a_place_is_refused(more: dict[str, Any], says: str) -> None:
    with pytest.raises(CaseRefused, match=says):
        fam_text(question(**more))


def test_a_dropout_for_each_person_is_refused() -> None:
    case = small_case()
    case["people"][0]["dropout"], case["people"][1]["dropout"] = 0.1, 0.2

    with pytest.raises(CaseRefused, match="dropout that differs"):
        fam_text(question_of(LrCase.model_validate(case), None))


def test_a_name_can_not_break_the_lines() -> None:
    case = small_case()
    case["h1"]["name"] = 'father"\n#TRUE#'

    read = case_of_fam(fam_text(question_of(LrCase.model_validate(case), None)), "written.fam")

    assert read.h1 is not None
    assert read.h1.name == "father' #TRUE#"


def test_the_command_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, fam = tmp_path / "case.json", tmp_path / "case.fam"
    path.write_text(json.dumps(small_case()), encoding="utf-8")

    with pytest.raises(SystemExit) as left:
        main(["dna", "lr", str(path), "--fam", str(fam), "--json"])

    first = json.loads(capsys.readouterr().out)
    with pytest.raises(SystemExit):
        main(["dna", "lr", str(fam), "--json"])
    again = json.loads(capsys.readouterr().out)
    assert left.value.code in (0, None)
    assert again["log10_lr"] == pytest.approx(first["log10_lr"], rel=1e-9)
