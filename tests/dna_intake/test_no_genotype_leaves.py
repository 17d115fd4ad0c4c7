"""From the lead to its second tier, by every answer, log line, audit row and fact: nothing says an allele."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from dna_intake.agents import REACTIONS
from dna_intake.matching.matcher import Matcher, matcher_of
from guitu.service import Runtime
from harness.dna_desk import Desk, desk
from harness.dna_stories import CASE, alert
from harness.ground import react
from harness.kin_stories import LOCI, TABLE, Here, all_searched, enters, family

RuntimeFor = Callable[[str], Awaitable[Runtime]]
RARE = ("27.2", "33.2")
"""Of SE33 or FGA, in father and child: nothing else in the story is written like them."""
BASE = ("16298C", "16311C", "249DEL")
Y = {f"DYS{n}": ["77.3"] for n in range(390, 402)}
OFF = {"D3S1358": ["88.1", "66.2", "55.1"]}
SECRETS = (*RARE, *BASE, "77.3", "88.1", "66.2", "55.1")


async def the_story(run: Runtime, lab: Desk) -> list[str]:
    """A lead, its second tier with results that are sound and that are not, and likelihood ratios; every answer."""
    kin, rare = family(41), {"SE33": RARE}
    father = await enters(
        run, {**kin.father, **rare}, "parent_of_missing_child", case_id=CASE, relation="father"
    )
    child = await enters(run, {**kin.child, **rare}, sex="male")
    await all_searched(run)
    candidate = await run.pool.fetchval("select id from candidate where relation = 'parent'")
    results = [
        {"marker": "y_str", "child": Y, "relative": Y},
        {"marker": "y_str", "child": Y, "relative": {"DYS390": ["77.3"]}},
        {"marker": "y_str", "child": {"DYS390": ["77.3"] * 9}, "relative": Y},
        {"marker": "mtdna", "child_variants": list(BASE), "relative_variants": list(BASE)}
        | {"sequenced_first": 1, "sequenced_last": 16_569},
        {"marker": "mtdna", "child_variants": ["16298C!"], "relative_variants": ["16311C?"]}
        | {"sequenced_first": 1, "sequenced_last": 16_569},
        {"marker": "more_loci", "child": OFF, "relative": OFF},
        {"marker": "more_loci", "child": _new_locus("88.1"), "relative": _new_locus("66.2")},
    ]
    sent = [await lab.posts(f"/candidates/{candidate}/second-tier", result) for result in results]
    assert {answer.status_code for answer in sent} == {201, 422}
    asked = [
        _ratio({"specimen_id": str(child.id)}, {"specimen_id": str(father.id)}),
        _ratio({"specimen_id": str(child.id)}, {"genotypes": {"SE33": ["88.1", "66.2", "55.1"]}}),
        _ratio({"specimen_id": str(child.id)}, {"genotypes": {"SE33": ["88.1", "x"]}}),
    ]
    sent += [await lab.posts("/likelihood-ratios", body) for body in asked]
    paths = (
        "/candidates",
        f"/candidates/{candidate}",
        f"/specimens/{child.id}",
        f"/specimens/{child.id}/readings",
        "/worklist",
    )
    return [*(answer.text for answer in sent), *[json.dumps(await lab.gets(path)) for path in paths]]


def _new_locus(allele: str) -> dict[str, list[str]]:
    return {next(locus for locus in TABLE.loci if locus not in LOCI): [allele, allele]}


def _ratio(child: dict[str, Any], father: dict[str, Any]) -> dict[str, Any]:
    people = [{"id": "child"} | child, {"id": "father", "sex": "male"} | father]
    relation = {"kind": "duo", "child": "child", "parent": "father"}
    return {"purpose": "file 2026-17", "people": people, "relation": relation}


async def test_no_allele_leaves_the_search_the_second_tier_or_a_ratio(
    runtime_for: RuntimeFor, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    run = await runtime_for("dna-intake")
    run.state["matcher"] = Matcher(run, Here(run.settings))
    caplog.set_level(logging.DEBUG)
    await react(run, REACTIONS, alert(run.clock.now()))
    async with desk(run) as lab:
        answers = await the_story(run, lab)
    await matcher_of(run).close()

    logged = capsys.readouterr()
    places = {f"answer {n}": text for n, text in enumerate(answers)}
    places |= {"log": caplog.text, "out": logged.out, "err": logged.err} | await _rows(run)
    assert "guitu.dna.candidate_found.v1" in logged.out + caplog.text, "The scan sees the log."
    assert [(secret, place) for place, text in places.items() for secret in SECRETS if secret in text] == []


async def _rows(run: Runtime) -> dict[str, str]:
    """Every row of every table by its table; bytes as text where they are text, as facts are."""
    tables = await run.pool.fetch(
        "select tablename from pg_tables where schemaname = 'dna_intake' and tablename <> 'alembic_version'"
    )
    found = {}
    for (name,) in tables:
        rows = await run.pool.fetch(f'select * from "{name}"')
        found[name] = "\n".join(_text(value) for row in rows for value in row.values())
    return found


def _text(value: Any) -> str:
    return value.decode("utf-8", "ignore") if isinstance(value, bytes) else json.dumps(value, default=str)
