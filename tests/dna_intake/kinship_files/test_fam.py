"""Familias `.fam` files: what they mean, and that what can't be represented is refused with its line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dna_intake.kinship_files.case import LrCase
from dna_intake.kinship_files.case_files import case_of_json, read_case
from dna_intake.kinship_files.fam import case_of_fam
from dna_intake.kinship_files.refused import CaseRefused
from dna_intake.kinship_files.resolve import question_of
from dna_intake.kinship_files.result import LrResult
from dna_intake.kinship_files.weigh import weigh
from harness.fam_files import FamLocusText, FamText, paternity

STEPS = {"11": 0.3, "12": 0.1, "13": 0.6}


def weighed(case: LrCase) -> LrResult:
    return weigh(question_of(case, None))


def test_a_paternity_case_has_its_closed_form() -> None:
    """TH01: 1/(4 p7); Penta E: 1/(2 p12)."""
    result = weighed(case_of_fam(paternity().text(), "paternity.fam"))

    assert result.lr == pytest.approx(1 / (4 * 0.25) * 1 / (2 * 0.1))
    assert (result.h1, result.h2) == ("father", "stranger")
    assert [one.locus for one in result.loci] == ["TH01", "Penta E"]
    assert result.table.name == "fictional"


def test_models_of_single_loci_are_kept() -> None:
    loci = {
        "TH01": FamLocusText(
            {"6": 0.2, "7": 0.25, "9": 0.3, "9.3": 0.25}, (0.001, 0.002), (4, 4), rates2=(1e-6, 1e-6)
        ),
        "PENTA_E": FamLocusText(STEPS, (0.003, 0.003), (1, 1), minimum=0.01),
    }

    case = case_of_fam(paternity(loci=loci, theta=0.02).text(), "paternity.fam")

    th01, penta = case.model, case.locus_models["Penta E"]
    assert (th01.mutation.model, th01.mutation.rate_female, th01.mutation.rate_male) == (
        "stepwise",
        0.001,
        0.002,
    )
    assert (th01.mutation.rate_microvariant, th01.theta, th01.minimum_frequency) == (1e-6, 0.02, 0.0)
    assert (penta.mutation.model, penta.mutation.rate_male, penta.minimum_frequency) == (
        "proportional",
        0.003,
        0.01,
    )
    assert weighed(case).log10_lr == pytest.approx(sum(one.log10_lr or 0 for one in weighed(case).loci))


def test_the_case_says_the_same_as_the_same_case_in_json() -> None:
    rates = FamLocusText(STEPS, (0.001, 0.004), (2, 2), ranges=(0.2, 0.2))
    persons = {"man": (True, {"vWA": ("11", "11")}), "child": (True, {"vWA": ("12", "13")})}
    fam = FamText(persons, {"father": [("man", "child")], "stranger": []}, {"vWA": rates})
    json_case = f"""
    {{"people": [{{"id": "man", "sex": "male", "genotypes": {{"vWA": ["11"]}}}},
                {{"id": "child", "genotypes": {{"vWA": ["12", "13"]}}}}],
     "relation": {{"kind": "duo", "child": "child", "parent": "man"}},
     "frequencies": {{"loci": {{"vWA": {str(STEPS).replace("'", '"')}}}}},
     "model": {{"theta": 0, "minimum_frequency": 0, "mutation": {{"model": "stepwise", "rate_male": 0.004,
        "rate_female": 0.001, "rate_microvariant": 0, "range": 0.2}}}}}}"""

    from_fam = weighed(case_of_fam(fam.text(), "duo.fam"))
    from_json = weighed(case_of_json(json_case, "duo.json"))

    assert from_fam.log10_lr == pytest.approx(from_json.log10_lr, rel=1e-12)
    assert from_fam.table.sha256 == from_json.table.sha256


def test_a_child_of_one_parent_has_somebody_unknown_for_the_other() -> None:
    pedigrees = {"father": [("man", "child")], "stranger": []}

    case = case_of_fam(paternity(pedigrees=pedigrees).text(), "paternity.fam")

    assert case.h1 is not None
    [child] = [one for one in case.h1.people if one.id == "child"]
    assert (child.father, child.mother) == ("man", "unknown_mother_4")
    assert weighed(case).lr == pytest.approx(1 / (4 * 0.25) * 1 / (2 * 0.1))


def test_nameless_people_join_their_pedigree() -> None:
    """Half siblings through a nameless woman: (1 + 1/(4p))/2 where one allele is shared, 1/2 where none is."""
    pedigrees = {"half": [("extra 0", "man"), ("extra 0", "child")], "strangers": []}

    result = weighed(case_of_fam(paternity(pedigrees=pedigrees, extras=(1, 0)).text(), "half.fam"))

    assert result.lr == pytest.approx((0.5 + 1 / (8 * 0.25)) * (0.5 + 1 / (4 * 0.1)))


def test_silent_alleles_and_dropout_reach_the_model() -> None:
    shares = {allele: share * 0.98 for allele, share in STEPS.items()}
    loci = {
        "TH01": FamLocusText({"6": 0.2, "7": 0.25, "9": 0.3, "9.3": 0.25}, dropout=0.1),
        "PENTA_E": FamLocusText(shares, silent=0.02, dropout=0.1),
    }

    case = case_of_fam(paternity(loci=loci, dropouts=["child"]).text(), "silent.fam")

    assert {one.id: one.dropout for one in case.people} == {"man": 0.0, "child": 0.1, "mother": 0.0}
    assert case.locus_models["Penta E"].silent == 0.02
    assert weighed(case).log10_lr is not None


def test_two_of_several_pedigrees_are_chosen_by_name(tmp_path: Path) -> None:
    three = {"a": [], "b": [("man", "child")], "c": [("mother", "child")]}
    path = tmp_path / "three.fam"
    path.write_text(paternity(pedigrees=three).text(), encoding="latin-1")

    case = read_case(path, "b", "c")

    assert case.h1 is not None
    assert case.h2 is not None
    assert (case.h1.name, case.h2.name) == ("b", "c")
    with pytest.raises(CaseRefused, match="3 pedigrees: a, b, c"):
        read_case(path)


def test_settings_of_other_modules_are_read_over() -> None:
    after = ["[Advanced]", "[[Direct/Identity]]", "Dropin= 0", "[[Other]]", "NumberOfDecimals= 10", ""]

    case = case_of_fam(paternity(after=after).text(), "paternity.fam")

    assert len(case.people) == 3


Spoil = Callable[[list[str]], None]


def replaced(old: str, new: str, nth: int = 0) -> Spoil:
    def spoil(lines: list[str]) -> None:
        at = [i for i, line in enumerate(lines) if line == old][nth]
        lines[at] = new

    return spoil


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (replaced("3", "three"), "Line 5 is not the number of persons"),
        (replaced('"man"', "man"), "Line 6 is not the name of a person in quotation marks"),
        (replaced("#TRUE#", "yes"), "Line 10 is not whether this person is male"),
        (replaced('"Known relations"', '"Relations"'), 'is not "Known relations"'),
        (replaced("0.25", "a quarter"), "a number from 0 to 1"),
        (replaced('"9.3"', '"Rest allele"'), "'Rest allele' is no repeat number"),
        (replaced("0.3", "0.1"), "The frequencies sum to 0.8000, not to 1"),
        (lambda lines: lines.__delitem__(slice(60, None)), "The file ends after line 60"),
        (lambda lines: lines.append("[DVI]"), "a session of disaster victim identification"),
        (lambda lines: lines.append("[Blind search]"), "section .Blind search."),
    ],
    ids=str,
)
def test_a_spoilt_line_is_refused_by_its_number(spoil: Spoil, says: str) -> None:
    lines = paternity().lines()
    spoil(lines)

    with pytest.raises(CaseRefused, match=says):
        case_of_fam("\n".join(lines), "spoilt.fam")


def one_locus(**fields: object) -> str:
    locus = FamLocusText(STEPS, **fields)  # type: ignore[arg-type]
    persons = {"man": (True, {"vWA": ("11", "11")}), "child": (True, {"vWA": ("12", "13")})}
    return FamText(persons, {"father": [("man", "child")], "stranger": []}, {"vWA": locus}).text()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"rates": (0.001, 0.001), "codes": (3, 3)}, "stationary stepwise model is not ours"),
        ({"rates": (0.001, 0.001), "codes": (0, 1)}, "Women and men differ"),
        ({"rates": (0.001, 0.001), "codes": (4, 4), "ranges": (0.1, 0.2)}, "Women and men differ"),
        ({"rates": (0.001, 0.001), "codes": (4, 4), "rates2": (0.0, 1e-6)}, "Women and men differ"),
        ({"rates": (0.001, 0.001), "codes": (4, 4), "ranges": (0.0, 0.0)}, "The mutation range is 0"),
    ],
)
def test_a_mutation_model_that_is_not_ours_is_refused_with_line_and_locus(
    fields: dict[str, object], says: str
) -> None:
    text = one_locus(**fields)

    with pytest.raises(CaseRefused, match=says) as refusal:
        case_of_fam(text, "duo.fam")

    [trouble] = refusal.value.troubles
    line_of_models = text.splitlines().index('"vWA"') + 5
    assert trouble.locus == "vWA"
    assert trouble.says_en.startswith(f"Line {line_of_models}:")


def test_steps_by_position_are_refused_where_the_list_has_gaps() -> None:
    """The old stepwise model counts positions: 9 to 9.3 would be as far as 7 to 9."""
    loci = paternity().loci
    with_gaps = {
        "TH01": FamLocusText(loci["TH01"].alleles, (0.001, 0.001), (2, 2)),
        "PENTA_E": loci["PENTA_E"],
    }

    with pytest.raises(CaseRefused, match=r"TH01: Line .*by position in the list"):
        case_of_fam(paternity(loci=with_gaps).text(), "paternity.fam")


def test_a_second_father_is_refused_with_the_child() -> None:
    persons = {"man": (True, {}), "other": (True, {}), "child": (False, {"vWA": ("12", "13")})}
    pedigrees = {"both": [("man", "child"), ("other", "child")], "none": []}
    text = FamText(persons, pedigrees, {"vWA": FamLocusText(STEPS)}).text()

    with pytest.raises(CaseRefused, match=r"child: Line .*second father or mother"):
        case_of_fam(text, "two.fam")


def test_an_allele_outside_the_list_is_refused_with_person_and_locus() -> None:
    lines = paternity().lines()
    at = lines.index('"child"') + 6
    lines[at] = "7"

    with pytest.raises(CaseRefused, match=r"child, TH01: Line .*none of the locus' list"):
        case_of_fam("\n".join(lines), "paternity.fam")


def test_results_computed_before_are_refused() -> None:
    lines = [line.replace("#FALSE# (#Data", "#TRUE# (#Data") for line in paternity().lines()]

    with pytest.raises(CaseRefused, match="results that were computed before"):
        case_of_fam("\n".join(lines), "paternity.fam")


@pytest.mark.parametrize("cut", range(0, 90, 3))
def test_a_file_cut_anywhere_is_refused_and_never_half_read(cut: int) -> None:
    lines = paternity().lines()[:cut]

    with pytest.raises(CaseRefused):
        case_of_fam("\n".join(lines), "cut.fam")
