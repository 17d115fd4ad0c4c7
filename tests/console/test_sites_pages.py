"""The pages of sites, with the real directory behind them: who is told, masked; drills; tables in and out."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from guitu.auth import Role
from guitu.service import Runtime
from harness.console_owners import Owners
from notifications.seed import seed
from notifications.service import SERVICE

RuntimeFor = Callable[[str], Awaitable[Runtime]]


class Directory:
    """notifications with Yunyang's directory, and people at the console."""

    def __init__(self, run: Runtime, console: Runtime) -> None:
        self.run, self.owners = run, Owners(console, (SERVICE, run))
        self.desk = self.owners.desk

    async def site(self) -> dict[str, Any]:
        """A site that takes part in exercises."""
        row = await self.run.pool.fetchrow("select * from site where exercise_ok order by site_id limit 1")
        return dict(row)

    async def table(self, name: str) -> list[dict[str, str]]:
        """A table as the administrator's page gives it."""
        async with self.desk("admin") as admin:
            text = await admin.looks(f"/sites/export/{name}")
        return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def as_file(rows: list[dict[str, str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


@pytest_asyncio.fixture
async def directory(runtime_for: RuntimeFor) -> Directory:
    console, run = await runtime_for("console"), await runtime_for("notifications")
    await seed(run)
    return Directory(run, console)


async def test_the_list_is_narrowed_by_kind_and_name(directory: Directory) -> None:
    site = await directory.site()
    async with directory.desk("operator") as someone:
        every = await someone.looks("/sites")
        one = await someone.looks(f"/sites?q={site['name_zh']}&category={site['category']}")
        none = await someone.looks("/sites?q=nowhere")

    count = await directory.run.pool.fetchval("select count(*) from site")
    assert count == len(re.findall(r'<th scope="row"', every))
    assert site["name_zh"] in one
    assert len(re.findall(r'<th scope="row"', one)) < count
    assert "没有符合条件的站点" in none


@pytest.mark.parametrize("role", ["operator", "case_leader", "auditor", "admin"])
async def test_a_site_shows_no_whole_phone_number(directory: Directory, role: Role) -> None:
    site = await directory.site()
    phones = await directory.run.pool.fetch("select phone from contact where site_id = $1", site["site_id"])
    async with directory.desk(role) as someone:
        shown = await someone.looks(f"/sites/{site['site_id']}")

    assert phones
    assert [] == [row["phone"] for row in phones if row["phone"] in shown]
    assert f"***{phones[0]['phone'][-2:]}" in shown


async def test_whole_numbers_leave_in_the_administrators_export_alone(directory: Directory) -> None:
    async with directory.desk("operator") as someone, directory.desk("admin") as admin:
        masked = await someone.looks("/sites/export/contacts")
        whole = await admin.looks("/sites/export/contacts")

    phone = await directory.run.pool.fetchval("select phone from contact limit 1")
    assert phone not in masked
    assert phone in whole


async def test_a_drill_is_queued_once_and_a_second_press_is_told_why_not(directory: Directory) -> None:
    path = f"/sites/{(await directory.site())['site_id']}"
    async with directory.desk("operator") as someone:
        await someone.does(f"{path}/drill")
        again = await someone.sends(f"{path}/drill")
        shown = await someone.looks(path)
        listed = await someone.looks("/sites")

    assert 409 == again.status_code
    assert 'role="alert"' in again.text
    assert "DRILL-" in shown
    assert "待发送" in listed
    assert 1 == await directory.run.pool.fetchval("select count(*) from drill")


async def test_files_are_looked_at_first_and_then_taken(directory: Directory) -> None:
    rows = await directory.table("sites")
    rows[0]["name_zh"] = "云阳新客运站"
    files = {"sites": ("sites.csv", as_file(rows))}
    async with directory.desk("admin") as admin:
        looked = await admin.uploads("/sites/import", files, act="look")
        before = (await directory.table("sites"))[0]["name_zh"]
        taken = await admin.uploads("/sites/import", files, act="take")

    assert (200, 200) == (looked.status_code, taken.status_code)
    assert "试导入" in looked.text
    assert "云阳新客运站" != before
    assert "云阳新客运站" == (await directory.table("sites"))[0]["name_zh"]


@pytest.mark.parametrize(("language", "words"), [("zh-CN", "不在县预案的类别之内"), ("en", "not a category")])
async def test_each_bad_row_is_named_in_the_language_of_the_page(
    directory: Directory, language: str, words: str
) -> None:
    rows = await directory.table("sites")
    rows[2]["category"] = "pub"
    files = {"sites": ("sites.csv", as_file(rows))}
    async with directory.desk("admin", language=language) as admin:
        answer = await admin.uploads("/sites/import", files, act="take", replace="yes")

    line = re.search(r'<tr class="grave">.*?</tr>', answer.text, re.DOTALL)
    assert 422 == answer.status_code
    assert line is not None
    assert words in line[0]
    assert ">4</td>" in line[0]
    assert 'name="replace" value="yes" checked' in answer.text


async def test_without_a_file_nothing_is_asked_of_the_owner(directory: Directory) -> None:
    directory.owners.away = True
    async with directory.desk("admin") as admin:
        answer = await admin.uploads("/sites/import", {"other": ("x", b"")}, act="take")

    assert 422 == answer.status_code
    assert "未选择文件" in answer.text


@pytest.mark.parametrize("role", ["operator", "case_leader", "auditor"])
async def test_only_the_administrator_reaches_the_import(directory: Directory, role: Role) -> None:
    async with directory.desk(role) as someone:
        page = await someone.opens("/sites/import")
        listed = await someone.looks("/sites")

    assert 403 == page.status_code
    assert "/sites/import" not in listed


async def test_an_owner_that_is_away_is_named_in_words(directory: Directory) -> None:
    directory.owners.away = True
    async with directory.desk("operator") as someone:
        answer = await someone.opens("/sites")

    assert 503 == answer.status_code
    assert "notifications" in answer.text
