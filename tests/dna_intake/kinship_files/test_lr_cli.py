"""`guitu dna lr`: what is printed, where it goes, how it ends; and what is refused, with locus and person."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dna_intake.kinship_files import schemas
from guitu.cli import main
from harness.fam_files import paternity
from harness.lr_cases import SPOILT, Spoilt, small_case

EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "examples" / "lr"


def ends(*words: str) -> int:
    """Run the command line in this process; the code it ends with."""
    try:
        main(["dna", *words])
    except SystemExit as left:
        return int(left.code or 0)
    return 0


def written(case: Any, tmp_path: Path) -> str:
    path = tmp_path / "case.json"
    path.write_text(json.dumps(case), encoding="utf-8")
    return str(path)


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert ends("lr", *words, "--json") == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.json")))
def test_example_is_a_valid_case_and_its_result_a_valid_result(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    case = json.loads((EXAMPLES / name).read_text(encoding="utf-8"))

    result = answer(capsys, str(EXAMPLES / name))

    Draft202012Validator(schemas.schema("case")).validate(case)
    Draft202012Validator(schemas.schema("result")).validate(result)
    assert math.isclose(result["log10_lr"], sum(one["log10_lr"] for one in result["loci"]), rel_tol=1e-12)


def test_the_familias_example_is_weighed(capsys: pytest.CaptureFixture[str]) -> None:
    result = answer(capsys, str(EXAMPLES / "half_siblings.fam"))

    assert (result["h1"], len(result["loci"])) == ("half siblings, one mother", 3)
    assert result["locus_models"]["FGA"]["mutation"]["model"] == "proportional"


def test_committed_schemas_are_current() -> None:
    assert schemas.main(["--check"]) == 0


def test_a_result_names_table_and_model_and_gives_no_verdict(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    result = answer(capsys, written(small_case(), tmp_path))

    assert len(result["table"]["sha256"]) == 64
    assert (result["model"]["theta"], result["model"]["mutation"]["rate_male"]) == (0.01, 0.002)
    assert result["model"]["minimum_frequency"] == 0.001
    assert result["opinion"] is None
    assert result["lr"] == pytest.approx(10 ** result["log10_lr"])


def test_people_read_the_same_numbers_in_both_languages(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = written(small_case(), tmp_path)
    result = answer(capsys, path)

    assert (ends("lr", path, "--lang", "en"), ends("lr", path, "--lang", "zh")) == (0, 0)

    english, _, chinese = capsys.readouterr().out.partition("H1 father\n")[2].partition("H1 father\n")
    for said in (english, chinese):
        assert f"{result['log10_lr']:.6f}" in said
        assert result["table"]["sha256"] in said
        assert "supports" not in said
    assert "基因座" in chinese


def test_loci_that_are_not_used_are_left_out_with_the_reason(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    case = small_case()
    case["people"][0]["genotypes"] |= {"AMEL": ["X"], "SE33": ["18", "27.2"], "D8S1179": ["13"]}
    case["people"][1]["genotypes"] |= {"Amelogenin": ["X", "Y"], "SE33": ["18"]}

    result = answer(capsys, written(case, tmp_path))

    assert {one["locus"]: one["reason"] for one in result["left_out"]} == {
        "Amelogenin": "It tells sex, not kinship.",
        "SE33": "The frequency table does not have it.",
        "D8S1179": "The frequency table does not have it.",
    }


def test_an_exclusion_is_null_with_its_locus_and_never_a_zero_or_nan(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    case = small_case()
    case["people"][1]["genotypes"]["TH01"] = ["6"]
    case["model"] = {"mutation": {"model": "none"}}

    result = answer(capsys, written(case, tmp_path))

    assert (result["log10_lr"], result["lr"], result["impossible"]) == (None, None, ["TH01"])
    [th01] = [one for one in result["loci"] if one["locus"] == "TH01"]
    assert (th01["log10_lr"], th01["log10_h1"]) == (None, None)
    assert th01["log10_h2"] < 0


def test_a_locus_may_have_a_model_of_its_own(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    case = small_case()
    plain = answer(capsys, written(case, tmp_path))
    case["locus_models"] = {"th01": {"theta": 0.0, "mutation": {"model": "none"}}}

    result = answer(capsys, written(case, tmp_path))

    before, after = ({one["locus"]: one["log10_lr"] for one in found["loci"]} for found in (plain, result))
    assert [locus for locus in before if before[locus] != after[locus]] == ["TH01"]
    assert result["locus_models"]["TH01"]["mutation"]["rate_male"] == 0.0


@pytest.mark.parametrize(
    "relation",
    [
        {"kind": "duo", "child": "child", "parent": "man"},
        {"kind": "trio", "child": "child", "father": "man", "mother": "woman"},
        {"kind": "trio", "child": "child", "father": "man", "mother": "woman", "questioned": "mother"},
        {"kind": "couple", "child": "child", "father": "man", "mother": "woman"},
        {"kind": "full_siblings", "first": "child", "second": "man"},
        {"kind": "half_siblings", "first": "child", "second": "man", "shared": "father"},
        {"kind": "grandparent", "child": "child", "grandparent": "man", "through": "mother"},
        {"kind": "grandparents", "child": "child", "grandfather": "man", "grandmother": "woman"},
        {"kind": "uncle_aunt", "child": "child", "relative": "man"},
    ],
    ids=lambda relation: relation["kind"],
)
def test_a_standard_question_needs_no_pedigrees(
    relation: dict[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    case = small_case()
    del case["h1"], case["h2"]
    named = set(relation.values())
    case["people"] = [one for one in case["people"] if one["id"] in named]

    result = answer(capsys, written(case | {"relation": relation}, tmp_path))

    assert math.isfinite(result["log10_lr"])
    assert set(result["people_typed"]) == {one["id"] for one in case["people"]}


def test_a_trio_by_name_is_the_trio_that_is_written_out(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    case = small_case()
    by_pedigrees = answer(capsys, written(case, tmp_path))
    del case["h1"], case["h2"]
    case["relation"] = {"kind": "trio", "child": "child", "father": "man", "mother": "woman"}

    by_name = answer(capsys, written(case, tmp_path))

    assert by_name["log10_lr"] == pytest.approx(by_pedigrees["log10_lr"], rel=1e-12)


def test_the_report_mode_is_labelled_and_says_what_it_rests_on(capsys: pytest.CaptureFixture[str]) -> None:
    result = answer(capsys, str(EXAMPLES / "duo_gbt37223.json"))

    assert (result["mode"], result["model"], result["opinion"]["code"]) == ("gbt37223", None, "support")
    assert "not read" in result["opinion"]["basis"]
    assert {one["formula"] for one in result["loci"]} <= {"plain", "step"}


def test_the_mode_can_be_chosen_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    full = answer(capsys, str(EXAMPLES / "duo_gbt37223.json"), "--mode", "full")

    assert (full["mode"], full["opinion"]) == ("full", None)
    assert ends("lr", str(EXAMPLES / "pedigrees.json"), "--mode", "gbt37223") == 1
    assert "takes relation duo or trio" in capsys.readouterr().err


def test_the_report_mode_says_which_parts_of_the_model_it_does_not_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = json.loads((EXAMPLES / "duo_gbt37223.json").read_text(encoding="utf-8"))
    model = {"minimum_frequency": 0.01, "theta": 0.03, "silent": 0.01}

    notices = answer(capsys, written(plain | {"model": model}, tmp_path))["notices"]

    assert "The case gives silent, theta; this mode does not use that." in notices
    assert not any("does not use" in each for each in answer(capsys, written(plain, tmp_path))["notices"])


def test_the_report_mode_needs_everybody_of_the_relation(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    case = json.loads((EXAMPLES / "trio.json").read_text(encoding="utf-8")) | {"mode": "gbt37223"}
    case["people"][2]["genotypes"] = {}

    code = ends("lr", written(case, tmp_path))

    assert code == 1
    assert "mother: Not typed" in capsys.readouterr().err


def test_a_result_can_be_written_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "result.json"

    code = ends("lr", written(small_case(), tmp_path), "--out", str(out))

    assert code == 0
    assert json.loads(out.read_text(encoding="utf-8"))["format"] == "guitu.lr.result.v1"
    assert ends("lr", written(small_case(), tmp_path), "--out", str(tmp_path / "no" / "folder.json")) == 1
    assert "--out a folder that is there" in capsys.readouterr().err


def test_a_fam_file_is_weighed_like_any_case(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "paternity.fam"
    path.write_bytes(paternity().text().encode("latin-1"))

    result = answer(capsys, str(path), "--h1", "stranger", "--h2", "father")

    assert result["lr"] == pytest.approx(4 * 0.25 * 2 * 0.1)


@pytest.mark.parametrize("spoilt", SPOILT, ids=lambda spoilt: spoilt.name)
def test_bad_input_is_refused_with_locus_and_person_and_no_allele(
    spoilt: Spoilt, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = ends("lr", written(spoilt.case(), tmp_path), "--json")

    said = capsys.readouterr()
    assert (code, said.out) == (1, "")
    assert spoilt.says in said.err
    assert spoilt.locus in said.err
    assert any(person in said.err for person in spoilt.person.split("|"))
    assert "Mend" in said.err or "mend" in said.err or ";" in said.err


def test_a_family_that_is_too_large_is_refused_by_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Six untyped couples: with theta above 0 their alleles fall into too many groups."""
    case = small_case()
    for hypothesis in ("h1", "h2"):
        for n in range(6):
            couple = [{"id": f"{side}{n}", "sex": sex} for side, sex in (("f", "male"), ("m", "female"))]
            children = [{"id": f"c{n}{k}", "father": f"f{n}", "mother": f"m{n}"} for k in (1, 2)]
            case[hypothesis]["people"] += [*couple, *children]
            case["people"] += [] if hypothesis == "h2" else [_typed_child(n, k) for k in (1, 2)]

    code = ends("lr", written(case, tmp_path))

    said = capsys.readouterr().err
    assert code == 1
    assert "Too large: Hypothesis 'father'" in said
    assert "theta" in said


def _typed_child(couple: int, number: int) -> dict[str, Any]:
    return {"id": f"c{couple}{number}", "genotypes": {"TH01": ["7", "9"]}}


def test_all_troubles_are_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = small_case()
    case["people"][0]["genotypes"] |= {"FGA": ["OL"], "TH01": ["7", "8", "9"]}
    case["people"][1]["genotypes"]["vWA"] = ["99"]

    assert ends("lr", written(case, tmp_path)) == 1

    said = capsys.readouterr().err
    assert all(where in said for where in ("child, FGA", "child, TH01", "man, vWA"))
    assert "99" not in said


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is not JSON"),
        ("[]", "Input should be"),
        ("{}", "people: Field required"),
        ('{"people": [{"id": "a", "genotypes": {"TH01": ["7"], "TH01": ["9"]}}]}', "'TH01' is there twice"),
        ('{"people": [{"id": "a", "genotypes": {"TH01": 7}}], "relation": {"kind": "duo"}}', "a, TH01: "),
        ('{"people": [{"id": "a"}]}', "give relation, or both h1 and h2"),
        ('{"people": [{"id": "a"}], "verdict": 1}', "verdict: Extra inputs"),
        ('{"people": [{"id": "a"}], "model": {"theta": NaN}}', "model.theta"),
    ],
)
def test_a_file_that_is_no_case_is_refused_by_its_field(
    text: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "case.json"
    path.write_text(text, encoding="utf-8")

    assert ends("lr", str(path)) == 1
    assert says in capsys.readouterr().err


def test_a_file_that_is_not_there_is_said_to_be_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert ends("lr", "no/such/file.json") == 1
    assert "can't be read" in capsys.readouterr().err


def test_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert ends("schema", "result") == 0
    assert json.loads(capsys.readouterr().out)["$id"] == "urn:guitu.lr.result.v1"
    assert ends("schema", "opinion") == 1
