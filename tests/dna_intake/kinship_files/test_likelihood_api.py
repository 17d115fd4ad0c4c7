"""`POST /likelihood-ratios` on real PostgreSQL: numbers, purpose on record, region and role, and clear refusals."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from dna_intake.kinship_files.case import LrCase
from dna_intake.kinship_files.resolve import question_of
from dna_intake.kinship_files.weigh import OutOfTime, weigh
from dna_intake.likelihood_models import AskLikelihoodRatio
from dna_intake.likelihoods import Desk as ComputingDesk
from guitu.auth import Role
from guitu.problem import Problem
from guitu.service import Runtime
from harness.dna_desk import TO_QUALITY, Desk, desk
from harness.dna_files import person
from harness.dna_stories import KIT, YUNYANG, profile
from harness.lr_cases import SPOILT, Spoilt, small_case

RuntimeFor = Callable[[str], Awaitable[Runtime]]
PURPOSE = "Order 2026-17"
SOMEBODY_ELSE = person(2, kit=KIT)
"""So different that nobody takes both for the same person."""


async def asks(lab: Desk, case: dict[str, Any], purpose: str = PURPOSE) -> httpx.Response:
    return await lab.posts("/likelihood-ratios", case | {"purpose": purpose})


async def enters_profile(lab: Desk, **loci: list[str]) -> str:
    """A specimen whose profile is entered, by as many readings as the laboratory wants."""
    specimen = await lab.registers()
    await lab.moves(specimen["id"], *TO_QUALITY)
    entered = await lab.enters(specimen["id"], **loci)
    assert entered.is_success, entered.text
    return str(specimen["id"])


def duo_of(child: dict[str, Any], man: dict[str, Any]) -> dict[str, Any]:
    return {
        "people": [{"id": "child"} | child, {"id": "man", "sex": "male"} | man],
        "relation": {"kind": "duo", "child": "child", "parent": "man"},
    }


async def audited(run: Runtime) -> list[Any]:
    found = await run.pool.fetch(
        "select actor, subject, details from audit where action = 'dna.likelihood_asked'"
    )
    return list(found)


async def test_a_case_gets_the_numbers_of_the_library(runtime_for: RuntimeFor) -> None:
    expected = weigh(question_of(LrCase.model_validate(small_case()), None))
    async with desk(await runtime_for("dna-intake")) as lab:
        answer = await asks(lab, small_case())

    assert answer.status_code == 200
    result = answer.json()
    assert result["log10_lr"] == pytest.approx(expected.log10_lr, rel=1e-12)
    assert [one["locus"] for one in result["loci"]] == [one.locus for one in expected.loci]
    assert (result["table"]["sha256"], result["mode"]) == (expected.table.sha256, "full")


async def test_specimens_are_compared_inside_with_the_purpose_on_record(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        child = await enters_profile(lab, TH01=["7", "9"], vWA=["14", "17"])
        man = await enters_profile(lab, **SOMEBODY_ELSE)

        by_specimen = await asks(lab, duo_of({"specimen_id": child}, {"specimen_id": man}))

        typed = {"TH01": ["7", "9"], "vWA": ["14", "17"]}, SOMEBODY_ELSE
        loci = [{"genotypes": profile() | one} for one in typed]
        by_genotype = await asks(lab, duo_of(*loci))
    assert by_specimen.status_code == 200
    assert by_specimen.json()["log10_lr"] == pytest.approx(by_genotype.json()["log10_lr"], rel=1e-12)
    opened, inline = (await audited(run))[:2], (await audited(run))[2:]
    assert {str(row["subject"]) for row in opened} == {child, man}
    assert [row["subject"] for row in inline] == [None]
    assert all(row["details"]["purpose"] == PURPOSE for row in opened + inline)


async def test_of_specimens_no_likelihood_and_no_allele_is_told(runtime_for: RuntimeFor) -> None:
    """The likelihood of one hypothesis is the genotype's own probability: it tells the genotype."""
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        child = await enters_profile(lab, vWA=["14", "17"])

        answer = await asks(lab, duo_of({"specimen_id": child}, {"genotypes": profile()}))

    assert {(one["log10_h1"], one["log10_h2"]) for one in answer.json()["loci"]} == {(None, None)}
    told = [json.dumps(row["details"]) for row in await run.pool.fetch("select details from audit")]
    assert not any("vWA" in details or "alleles" in details for details in told)


async def test_a_specimen_of_another_region_does_not_exist(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        child = await enters_profile(lab)
    async with desk(run, region="110101") as elsewhere:
        answer = await asks(elsewhere, duo_of({"specimen_id": child}, {"genotypes": profile()}))

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (answer.json()["person"], answer.json()["specimen_id"]) == ("child", child)
    assert await audited(run) == []


async def test_a_specimen_without_a_profile_is_named(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        specimen = await lab.registers(region_code=YUNYANG)

        answer = await asks(lab, duo_of({"specimen_id": specimen["id"]}, {"genotypes": profile()}))

    assert (answer.status_code, answer.json()["code"]) == (409, "no_profile")
    assert answer.json()["specimen_id"] == specimen["id"]


async def test_an_expunged_profile_is_not_there_any_more(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        child = await enters_profile(lab)
        await lab.moves(child, "withdrawn", "expunged")

        answer = await asks(lab, duo_of({"specimen_id": child}, {"genotypes": profile()}))

    assert (answer.status_code, answer.json()["code"]) == (409, "no_profile")


@pytest.mark.parametrize("role", ["registry", "case_leader", "operator", "auditor"])
async def test_only_the_laboratory_may_ask(role: Role, runtime_for: RuntimeFor) -> None:
    async with desk(await runtime_for("dna-intake"), role) as other:
        answer = await asks(other, small_case())

    assert answer.status_code == 403


@pytest.mark.parametrize("purpose", ["", "  ", "abc", "two\nlines", "x" * 201])
async def test_without_a_purpose_nothing_is_compared(purpose: str, runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        answer = await asks(lab, small_case(), purpose)

    assert answer.status_code == 422
    assert await audited(run) == []


@pytest.mark.parametrize("spoilt", SPOILT, ids=lambda spoilt: spoilt.name)
async def test_bad_input_is_a_problem_in_both_languages_that_names_locus_and_person(
    spoilt: Spoilt, runtime_for: RuntimeFor
) -> None:
    async with desk(await runtime_for("dna-intake")) as lab:
        answer = await asks(lab, spoilt.case())

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "case_refused")
    [trouble, *_] = problem["troubles"]
    assert spoilt.says in trouble["says_en"]
    assert spoilt.locus == trouble["locus"]
    assert trouble["person"] in spoilt.person.split("|")
    assert trouble["says_zh"]
    assert "detail_zh" in problem
    said = " ".join((trouble["says_en"], trouble["says_zh"], problem["detail"], problem["detail_zh"]))
    assert not spoilt.person or not any(allele in said for allele in ("OL", "45", "14.7"))


async def test_a_refusal_of_a_specimen_names_it(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        child = await enters_profile(lab, TH01=["7", "9"])
        case = duo_of({"specimen_id": child}, {"genotypes": {"TH01": ["6"]}})
        case["model"] = {"mutation": {"model": "none"}}
        case["relation"] = None
        one = [
            {"id": "man"},
            {"id": "wife", "sex": "female"},
            {"id": "child", "father": "man", "mother": "wife"},
        ]
        case["h1"], case["h2"] = {"people": one}, {"name": "stranger", "people": one[:2]}

        answer = await asks(lab, case)

    [trouble] = answer.json()["troubles"]
    assert (trouble["person"], trouble["specimen_id"]) == ("child", child)


@pytest.mark.parametrize(
    ("frequencies", "says"),
    [({"file": "t.csv"}, "can't be a file"), ({"table": "t.csv"}, "No table 't.csv' ships")],
)
async def test_no_file_of_the_server_can_be_named(
    frequencies: dict[str, str],
    says: str,
    runtime_for: RuntimeFor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "t.csv").write_text("locus,allele,frequency\nTH01,7,0.5\nTH01,9,0.5\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    async with desk(await runtime_for("dna-intake")) as lab:
        answer = await asks(lab, small_case() | {"frequencies": frequencies})

    assert (answer.status_code, answer.json()["code"]) == (422, "case_refused")
    assert says in answer.json()["detail"]


async def test_a_crowded_family_is_refused_before_it_is_weighed(runtime_for: RuntimeFor) -> None:
    case = small_case()
    case["h1"]["people"] += [{"id": f"cousin {n}"} for n in range(30)]
    async with desk(await runtime_for("dna-intake")) as lab:
        answer = await asks(lab, case)

    assert answer.status_code == 422
    assert "may have 20 people here" in answer.json()["detail"]


@pytest.mark.parametrize("deadline_s", [-1.0, 1e-9])
async def test_a_case_that_takes_too_long_is_refused(deadline_s: float) -> None:
    asked = AskLikelihoodRatio.model_validate(small_case() | {"purpose": PURPOSE})

    with pytest.raises(Problem) as refusal:
        await ComputingDesk(deadline_s=deadline_s).answer(asked, {})

    assert (refusal.value.status, refusal.value.code) == (422, "case_too_large")


def test_time_is_looked_at_between_two_loci() -> None:
    question = question_of(LrCase.model_validate(small_case()), None)

    with pytest.raises(OutOfTime):
        weigh(question, -1.0)


async def test_too_many_cases_at_once_are_sent_away() -> None:
    asked = AskLikelihoodRatio.model_validate(small_case() | {"purpose": PURPOSE})

    with pytest.raises(Problem) as refusal:
        await ComputingDesk(waiting_max=0).answer(asked, {})

    assert (refusal.value.status, refusal.value.code) == (503, "busy")


async def test_the_report_mode_is_the_same_over_http(runtime_for: RuntimeFor) -> None:
    case = small_case() | {"mode": "gbt37223"}
    del case["h1"], case["h2"]
    case["people"] = case["people"][:2]
    case["relation"] = {"kind": "duo", "child": "child", "parent": "man"}
    async with desk(await runtime_for("dna-intake")) as lab:
        answer = await asks(lab, case)

    result = answer.json()
    assert (answer.status_code, result["mode"], result["opinion"]["code"]) == (200, "gbt37223", "undecided")


async def test_a_specimen_that_does_not_exist_is_not_found(runtime_for: RuntimeFor) -> None:
    async with desk(await runtime_for("dna-intake")) as lab:
        answer = await asks(lab, duo_of({"specimen_id": str(uuid4())}, {"genotypes": profile()}))

    assert answer.status_code == 404
