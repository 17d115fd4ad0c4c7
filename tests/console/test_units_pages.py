"""The pages of units and roads, with the real dispatch behind them: what is entered there, cases plan anew by."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
import pytest_asyncio

from dispatch.service import SERVICE
from guitu.auth import Role
from guitu.service import Runtime
from harness.console_owners import Owners
from harness.dispatch_stories import Dispatch, dispatch_in_yunyang, raised

RuntimeFor = Callable[[str], Awaitable[Runtime]]


class Centre:
    """dispatch with Yunyang's network and one open case, and people at the console."""

    def __init__(self, dispatch: Dispatch, console: Runtime) -> None:
        self.dispatch, self.run = dispatch, dispatch.run
        self.owners = Owners(console, (SERVICE, dispatch.run))
        self.desk = self.owners.desk

    async def busy(self) -> str:
        """A unit that has an order."""
        return str((await self.dispatch.orders())[0].unit_id)

    async def table(self) -> list[dict[str, str]]:
        """The units as the page gives them."""
        async with self.desk("operator") as someone:
            text = await someone.looks("/units/export")
        return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def as_file(rows: list[dict[str, str]]) -> dict[str, tuple[str, bytes]]:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return {"units": ("units.csv", text.getvalue().encode("gb18030"))}


@pytest_asyncio.fixture
async def centre(runtime_for: RuntimeFor) -> Centre:
    dispatch = await dispatch_in_yunyang(runtime_for)
    await dispatch.hears(raised("one"))
    return Centre(dispatch, await runtime_for("console"))


async def test_the_list_says_who_can_be_sent_and_who_has_an_order(centre: Centre) -> None:
    async with centre.desk("operator") as someone:
        every = await someone.looks("/units")
        ordered = await someone.looks("/units?show=ordered")
        ready = await someone.looks("/units?show=ready")

    rows = {name: len(re.findall('<th scope="row"', text)) for name, text in
            (("every", every), ("ordered", ordered), ("ready", ready))}  # fmt: skip
    assert len(await centre.dispatch.orders()) == rows["ordered"]
    assert len(await centre.table()) == rows["every"]
    assert f"当前可派 {rows['ready']} 个" in every


async def test_a_unit_that_goes_off_duty_loses_its_order(centre: Centre) -> None:
    unit = await centre.busy()
    async with centre.desk("operator") as someone:
        page = await someone.does(f"/units/{unit}/status", status="broken_down", note="爆胎")
        shown = await someone.looks(page)

    assert page.endswith("?done=replanned")
    assert "故障" in shown
    assert "爆胎" in shown
    ended = await centre.run.pool.fetchval("select state from interception_order where unit_id = $1", unit)
    assert "stood_down" == ended


async def test_a_position_off_every_road_is_refused_and_kept(centre: Centre) -> None:
    unit = await centre.busy()
    async with centre.desk("operator") as someone:
        refused = await someone.sends(f"/units/{unit}/position", lon="12.5", lat="41.9")
        page = await someone.does(f"/units/{unit}/position", lon="108.71", lat="30.93")

    assert 422 == refused.status_code
    assert 'value="12.5"' in refused.text
    assert f"/units/{unit}?done=saved" == page


async def test_what_a_unit_can_do_is_changed_and_given_back_to_the_table(centre: Centre) -> None:
    unit = next(row for row in await centre.table() if row["capabilities"] == "passengers;road")
    path = f"/units/{unit['unit_id']}"
    read = "select capabilities from unit_live where unit_id = $1"
    async with centre.desk("operator") as someone:
        await someone.does(f"{path}/capabilities", act="put", capability=["passengers"])
        changed = await centre.run.pool.fetchval(read, unit["unit_id"])
        await someone.does(f"{path}/capabilities", act="listed")

    assert ["passengers"] == changed
    assert await centre.run.pool.fetchval(read, unit["unit_id"]) is None


async def test_a_table_is_looked_at_first_and_then_taken(centre: Centre) -> None:
    rows = await centre.table()
    rows[0]["name_zh"] = "云阳城关派出所"
    async with centre.desk("admin") as admin:
        looked = await admin.uploads("/units/import", as_file(rows), act="look")
        before = await centre.table()
        taken = await admin.uploads("/units/import", as_file(rows), act="take")

    assert (200, 200) == (looked.status_code, taken.status_code)
    assert "试导入" in looked.text
    assert "云阳城关派出所" not in [row["name_zh"] for row in before]
    assert "云阳城关派出所" in [row["name_zh"] for row in await centre.table()]


@pytest.mark.parametrize(
    ("language", "words"), [("zh-CN", "请填 00:00 至 24:00 的时间"), ("en", "give a time")]
)
async def test_each_bad_row_is_named_in_the_language_of_the_page(
    centre: Centre, language: str, words: str
) -> None:
    rows = await centre.table()
    rows[3]["shift_start"] = "8 o'clock"
    async with centre.desk("admin", language=language) as admin:
        answer = await admin.uploads("/units/import", as_file(rows), act="take")

    line = re.search(r'<tr class="grave">.*?</tr>', answer.text, re.DOTALL)
    assert 422 == answer.status_code
    assert line is not None
    assert words in line[0]
    assert ">5</td>" in line[0]


@pytest.mark.parametrize("role", ["operator", "case_leader", "auditor"])
async def test_only_the_administrator_imports(centre: Centre, role: Role) -> None:
    async with centre.desk(role) as someone:
        answer = await someone.uploads("/units/import", as_file(await centre.table()), act="take")

    assert 403 == answer.status_code


async def test_a_closed_bridge_is_entered_shown_and_cleared_again(centre: Centre) -> None:
    place = str(
        await centre.run.pool.fetchval("select place_id from network_place where kind = 'bridge' limit 1")
    )
    until = (centre.run.clock.now() + timedelta(hours=10)).strftime("%Y-%m-%dT%H:%M")
    async with centre.desk("operator") as someone:
        entered = await someone.does("/units/roads", place_id=place, how="closed", until=until, note="滑坡")
        shown = await someone.looks("/units/roads")
        cleared = await someone.does("/units/roads/clear", place_id=place)
        after = await someone.looks("/units/roads")

    assert ("/units/roads?done=replanned", "/units/roads?done=replanned") == (entered, cleared)
    assert "滑坡" in shown
    assert "路况正常" in after


async def test_the_end_of_a_condition_is_read_as_beijing_time(centre: Centre) -> None:
    place = str(await centre.run.pool.fetchval("select place_id from network_place limit 1"))
    async with centre.desk("operator") as someone:
        await someone.does("/units/roads", place_id=place, how="slow", percent="30", until="2026-03-02T08:00")
        row = await centre.run.pool.fetchrow("select until, traffic_factor from road_condition")

    assert ("2026-03-02T00:00:00+00:00", 0.3) == (row["until"].isoformat(), row["traffic_factor"])


@pytest.mark.parametrize(
    "typed",
    [
        {"edge_id": "no such road", "how": "closed"},
        {"how": "closed"},
        {"how": "slow", "percent": "fast"},
        {"how": "closed", "until": "2020-01-01T08:00"},
        {"edge_id": "../../units", "how": "closed"},
    ],
    ids=["unknown road", "nothing", "no number", "over", "another address"],
)
async def test_a_condition_that_can_not_be_is_refused_and_kept(centre: Centre, typed: dict[str, str]) -> None:
    async with centre.desk("operator") as someone:
        answer = await someone.sends("/units/roads", note="路况", **typed)

    assert answer.status_code in (404, 422)
    assert 'value="路况"' in answer.text
    assert 0 == await centre.run.pool.fetchval("select count(*) from road_condition")


async def test_an_auditor_sees_everything_and_may_enter_nothing(centre: Centre) -> None:
    unit = await centre.busy()
    async with centre.desk("auditor", language="en") as someone:
        texts = [await someone.looks(path) for path in ("/units", f"/units/{unit}", "/units/roads")]
        refused = await someone.sends(f"/units/{unit}/status", status="off_duty")

    assert [] == [text for text in texts if 'method="post" action="/units' in text]
    assert 403 == refused.status_code
