"""`guitu plan`: what is printed, where it goes, how it ends."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dispatch.planning import schemas
from guitu.cli import main
from harness.plan_instances import bent

EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "examples" / "plan"


def ends(*words: str) -> int:
    """Run the command line in this process; the code it ends with."""
    try:
        main(["plan", *words])
    except SystemExit as left:
        return int(left.code or 0)
    return 0


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The examples' results, by verdict."""
    folder = tmp_path_factory.mktemp("results")
    results = {}
    for path in sorted(EXAMPLES.glob("*.json")):
        results[path.stem] = folder / path.name
        assert ends(str(path), "--out", str(results[path.stem]), "--quiet") == 0
    return results


@pytest.mark.parametrize("kind", ["guaranteed", "probabilistic", "impossible"])
def test_example_gets_the_verdict_it_is_named_for_and_the_checker_agrees(
    kind: str, answered: dict[str, Path], capsys: pytest.CaptureFixture[str]
):
    result = json.loads(answered[kind].read_text(encoding="utf-8"))

    code = ends("check", str(EXAMPLES / f"{kind}.json"), str(answered[kind]), "--json")
    findings = json.loads(capsys.readouterr().out)

    Draft202012Validator(schemas.schema("result")).validate(result)
    assert kind == result["verdict"]["kind"]
    assert (0, []) == (code, findings["wrong"])
    assert findings["verified"]


def bend_value(result: dict[str, Any]) -> None:
    result["value"] += 0.01


def bend_bound(result: dict[str, Any]) -> None:
    result["bound"] = result["value"] - 0.01


def bend_ready(result: dict[str, Any]) -> None:
    result["plan"][0]["ready_s"] -= 60


def bend_twice(result: dict[str, Any]) -> None:
    result["plan"][1]["place"] = result["plan"][0]["place"]


def bend_meets(result: dict[str, Any]) -> None:
    met = set(result["plan"][0]["meets"])
    result["plan"][0]["meets"] = [next(route for route in range(10) if route not in met)]


def bend_hash(result: dict[str, Any]) -> None:
    result["network_sha256"] = "0" * 64


def bend_free(result: dict[str, Any]) -> None:
    result["free_units"] = ["Somebody"]


def bend_proof(result: dict[str, Any]) -> None:
    result["verdict"]["basis"] = "proof"


def bend_prices(result: dict[str, Any]) -> None:
    result["proof"]["bound_certificate"]["routes"].pop()


@pytest.mark.parametrize(
    "bend",
    [
        bend_value,
        bend_bound,
        bend_ready,
        bend_twice,
        bend_meets,
        bend_hash,
        bend_free,
        bend_proof,
        bend_prices,
    ],
)
def test_checker_finds_what_was_bent(bend: Any, answered: dict[str, Path], tmp_path: Path):
    result = json.loads(answered["probabilistic"].read_text(encoding="utf-8"))
    bend(result)
    bent_file = tmp_path / "result.json"
    bent_file.write_text(json.dumps(result), encoding="utf-8")

    assert 4 == ends("check", str(EXAMPLES / "probabilistic.json"), str(bent_file))


def test_checker_finds_a_guarantee_without_its_guard(answered: dict[str, Path], tmp_path: Path):
    result = json.loads(answered["guaranteed"].read_text(encoding="utf-8"))
    result["verdict"]["guards"].pop()
    bent_file = tmp_path / "result.json"
    bent_file.write_text(json.dumps(result), encoding="utf-8")

    assert 4 == ends("check", str(EXAMPLES / "guaranteed.json"), str(bent_file))


def test_checker_finds_an_impossibility_whose_ways_were_cut_off(answered: dict[str, Path], tmp_path: Path):
    result = json.loads(answered["impossible"].read_text(encoding="utf-8"))
    for path in result["proof"]["certificate"]["paths"]:
        path["flow"] = 0.0
    bent_file = tmp_path / "result.json"
    bent_file.write_text(json.dumps(result), encoding="utf-8")

    assert 4 == ends("check", str(EXAMPLES / "impossible.json"), str(bent_file))


def test_result_of_another_instance_is_refused(answered: dict[str, Path], tmp_path: Path):
    instance = json.loads((EXAMPLES / "guaranteed.json").read_text(encoding="utf-8"))
    instance["delay_s"] = 31
    other = tmp_path / "other.json"
    other.write_text(json.dumps(instance), encoding="utf-8")

    assert 4 == ends("check", str(other), str(answered["guaranteed"]))


def test_summary_is_in_the_language_asked_for_and_progress_on_the_error_stream(
    capsys: pytest.CaptureFixture[str],
):
    assert ends(str(EXAMPLES / "guaranteed.json"), "--lang", "zh") == 0

    said = capsys.readouterr()

    assert said.out.startswith("保证：所有出口都已封闭")
    assert "North 1 -> North bridge" in said.out
    assert "first plan" in said.err


def test_options_win_over_the_file_and_the_result_names_the_seed(capsys: pytest.CaptureFixture[str]):
    example = str(EXAMPLES / "impossible.json")

    assert ends(example, "--json", "--quiet", "--seed", "99", "--deadline", "0.5") == 0

    assert 99 == json.loads(capsys.readouterr().out)["seed"]


def test_solver_that_can_not_start_leaves_a_valid_plan_and_the_code_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The interpreter that the solver's process needs is gone, as after an upgrade under a running program."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    example, out = str(EXAMPLES / "probabilistic.json"), tmp_path / "result.json"

    code = ends(example, "--quiet", "--out", str(out))

    assert (3, 0) == (code, ends("check", example, str(out)))
    assert json.loads(out.read_text(encoding="utf-8"))["trouble"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["none.json"], "none.json cannot be read: No such file"),
        (["check", "none.json", "none.json"], "none.json: No such file"),
        (["schema", "planet"], "There is no schema of 'planet'; there are: instance, result."),
    ],
)
def test_what_is_not_there_is_said_plainly(words: list[str], said: str, capsys: pytest.CaptureFixture[str]):
    assert 1 == ends(*words)
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not JSON in UTF-8"),
        ("[]", "holds no JSON object"),
        ('{"format": "guitu.plan.instance.v1"}', "network: Field required"),
        (json.dumps(bent(units=[{"id": "U", "lon": 9, "lat": 9}])), "units[0] (9.0, 9.0) is off the network"),
        (json.dumps(bent(start={"time_s": 5})), "a sighting cannot lie in the future"),
    ],
)
def test_bad_instance_ends_with_its_mend(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "bad.json"
    file.write_text(text, encoding="utf-8")

    assert 1 == ends(str(file), "--quiet")
    assert said in capsys.readouterr().err


def test_result_that_is_no_result_can_not_be_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "bad.json"
    file.write_text("{}", encoding="utf-8")

    assert 1 == ends("check", str(EXAMPLES / "guaranteed.json"), str(file))
    assert "can't be checked: KeyError" in capsys.readouterr().err


def test_out_into_a_folder_that_is_not_there_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert 1 == ends(str(EXAMPLES / "guaranteed.json"), "--quiet", "--out", str(tmp_path / "no" / "r.json"))
    assert "can't be written" in capsys.readouterr().err


def test_schema_is_printed_as_it_is_committed(capsys: pytest.CaptureFixture[str]):
    assert ends("schema", "result") == 0
    assert schemas.text_of("result") == capsys.readouterr().out
