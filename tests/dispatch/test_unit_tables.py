"""The county's table of units as a file: all of it or nothing, and open cases are planned again."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from contracts.order import PlanPublished
from dispatch.importing import unit_files
from dispatch.live_handlers import replan_wished
from dispatch.network_files import read_network
from guitu.auth import Role, mint
from harness.dispatch_http import Centre, over_http
from harness.dispatch_stories import dispatch_in_yunyang, raised
from harness.ground import owner

Rows = list[dict[str, str]]
UNITS = len(read_network().units)


@pytest.fixture
async def centre(runtime_for: Any) -> AsyncIterator[Centre]:
    dispatch = await dispatch_in_yunyang(runtime_for)
    await dispatch.hears(raised("one"))
    async with over_http(dispatch) as http:
        yield Centre(dispatch, http)


async def exported(centre: Centre) -> Rows:
    answer = await centre.desk("admin").reads("/units/export")
    assert answer.status_code == 200, answer.text
    assert answer.text.startswith("\ufeffunit_id,")
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"), newline="")))


def as_file(rows: Rows, encoding: str = "utf-8") -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


async def imports(
    centre: Centre, content: bytes, query: str = "dry_run=false", role: Role = "admin", region: str = "500235"
) -> httpx.Response:
    run = centre.dispatch.run
    token = mint(run.settings, f"{role}-1", role, region, run.clock.now(), timedelta(days=1))
    return await centre.http.post(
        f"/units/import?{query}",
        files={"units": ("units.csv", content, "text/csv")},
        headers={"Authorization": f"Bearer {token}"},
    )


async def test_what_is_exported_can_be_imported_and_changes_nothing(centre: Centre) -> None:
    rows = await exported(centre)

    answer = await imports(centre, as_file(rows), "dry_run=false&replace=true")

    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (0, 0, UNITS, 0, 0) == tuple(
        told[name] for name in ("added", "changed", "unchanged", "retired", "cases_replanned")
    )


async def test_a_table_as_a_chinese_excel_saves_it_is_read(centre: Centre) -> None:
    rows = await exported(centre)
    rows[0]["name_zh"] = "云阳县城关派出所"

    answer = await imports(centre, as_file(rows, "gb18030"))

    assert 1 == answer.json()["changed"]
    assert "云阳县城关派出所" == (await exported(centre))[0]["name_zh"]


async def test_a_dry_run_says_what_would_be_and_changes_nothing(centre: Centre) -> None:
    before = await exported(centre)
    changed = [dict(row) for row in before]
    changed[0]["turnout_s"] = "300"

    answer = await imports(centre, as_file(changed), "dry_run=true")

    assert (True, 1, 1) == tuple(answer.json()[n] for n in ("dry_run", "changed", "cases_replanned"))
    assert before == await exported(centre)
    assert 0 == await replan_wished(centre.dispatch.run)


async def test_an_import_plans_open_cases_again(centre: Centre) -> None:
    rows = await exported(centre)
    rows[0]["turnout_s"] = "300"
    plans = len(await centre.dispatch.said(PlanPublished))

    await imports(centre, as_file(rows))
    await replan_wished(centre.dispatch.run)

    assert plans + 1 == len(await centre.dispatch.said(PlanPublished))


Mend = Callable[[Rows], None]


def _set(column: str, value: str, row: int = 0) -> Mend:
    def change(rows: Rows) -> None:
        rows[row][column] = value

    return change


def _code_twice(rows: Rows) -> None:
    rows[1]["code"] = rows[0]["code"]


def _id_twice(rows: Rows) -> None:
    rows[1]["unit_id"] = rows[0]["unit_id"]


@pytest.mark.parametrize(
    ("spoil", "line", "code"),
    [
        (_set("unit_id", "YY01"), 2, "uuid"),
        (_set("base_node", "nowhere"), 2, "unknown"),
        (_set("region_code", "500236", row=2), 4, "region_row"),
        (_set("shift_start", "25:00"), 2, "time"),
        (_set("name_zh", "派出所\x00"), 2, "not_printable"),
        (_set("name_zh", "=HYPERLINK(A1)"), 2, "formula"),
        (_set("code", "@SUM(A1)"), 2, "formula"),
        (_set("name_en", "x" * 81), 2, "too_long"),
        (_code_twice, 3, "twice"),
        (_id_twice, 3, "twice"),
    ],
    ids=["id", "base", "region", "time", "unprintable", "formula", "macro", "long", "code twice", "id twice"],
)
async def test_a_bad_row_refuses_the_whole_file_and_names_itself(
    centre: Centre, spoil: Mend, line: int, code: str
) -> None:
    before = await exported(centre)
    rows = [dict(row) for row in before]
    rows[3]["turnout_s"] = "333"
    spoil(rows)

    answer = await imports(centre, as_file(rows))

    assert 422 == answer.status_code
    first = answer.json()["errors"][0]
    assert ("units.csv", line, code) == (first["file"], first["line"], first["code"])
    assert first["says"]
    assert first["says_zh"]
    assert before == await exported(centre)


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "columns_missing"), (b"unit_id,code\r\n", "columns_missing"), (b"\xff\xff\xff", "not_utf8")],
)
async def test_a_file_that_is_no_table_of_units_is_refused(centre: Centre, content: bytes, code: str) -> None:
    answer = await imports(centre, content)

    assert (422, code) == (answer.status_code, answer.json()["errors"][0]["code"])


async def test_a_file_of_more_units_than_a_county_has_is_said_to_be_too_long_in_both_languages(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit_files, "UNITS_MAX", 1)

    answer = await imports(centre, as_file(await exported(centre)))

    [error] = answer.json()["errors"]
    assert ("too_many_units", "超过 1 组警力;请核对是否选错文件") == (error["code"], error["says_zh"])


async def test_a_unit_of_another_county_can_not_be_taken_over(centre: Centre) -> None:
    rows = await exported(centre)
    conn = await owner(centre.dispatch.run.settings.database_url)
    try:
        await conn.execute(
            "update dispatch.unit set region_code = '500236' where unit_id = $1", rows[0]["unit_id"]
        )
    finally:
        await conn.close()

    answer = await imports(centre, as_file(rows))

    assert (422, "id_taken") == (answer.status_code, answer.json()["errors"][0]["code"])


async def test_replacing_retires_units_that_the_file_no_longer_has(centre: Centre) -> None:
    busy = {str(order.unit_id) for order in await centre.dispatch.orders()}
    rows = await exported(centre)
    gone = next(row for row in rows if row["unit_id"] not in busy)

    answer = await imports(
        centre, as_file([row for row in rows if row is not gone]), "dry_run=false&replace=true"
    )

    assert [gone["unit_id"]] == answer.json()["retired_ids"]
    assert gone not in await exported(centre)


async def test_a_unit_with_an_open_order_can_not_be_left_out(centre: Centre) -> None:
    busy = str((await centre.dispatch.orders())[0].unit_id)
    rows = await exported(centre)

    answer = await imports(
        centre, as_file([r for r in rows if r["unit_id"] != busy]), "dry_run=false&replace=true"
    )

    assert (422, "unit_busy") == (answer.status_code, answer.json()["errors"][0]["code"])
    assert rows == await exported(centre)


@pytest.mark.parametrize("role", ["operator", "case_leader", "auditor", "unit"])
async def test_only_the_administrator_imports(centre: Centre, role: Role) -> None:
    answer = await imports(centre, as_file(await exported(centre)), role=role)

    assert 403 == answer.status_code


async def test_an_administrator_of_another_county_neither_imports_nor_exports_this_one(
    centre: Centre,
) -> None:
    rows = await exported(centre)

    answer = await imports(centre, as_file(rows), region="500236")
    elsewhere = await centre.desk("admin", region="500236").reads("/units/export?region_code=500235")

    assert (409, "no_network") == (answer.status_code, answer.json()["code"])
    assert 403 == elsewhere.status_code
