"""The directory's tables over HTTP: all rows or none, errors that can be mended, nothing deleted."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from contracts.notice import NoticeQueued
from guitu.auth import Role
from guitu.service import Runtime
from harness.ground import facts, react
from harness.notice_http import Office, over_http
from harness.notice_stories import YUNYANG, contact, raised, site, widened
from notifications.agents import REACTIONS
from notifications.directory_rows import ContactRow, SiteRow

RuntimeFor = Callable[[str], Awaitable[Runtime]]
NOTHING = {"added": 0, "changed": 0, "unchanged": 0, "retired": 0, "changed_ids": [], "retired_ids": []}


@dataclass
class Bureau:
    """A service with nothing in its directory, and the people who keep it."""

    run: Runtime
    http: httpx.AsyncClient

    def person(self, role: Role = "admin", region: str = YUNYANG) -> Office:
        return Office(self.run, self.http, role, region)

    async def imports(
        self, *, region: str = YUNYANG, role: Role = "admin", query: str = "", **files: Any
    ) -> Any:
        """Import for good, unless the query says otherwise."""
        parts = {
            name: (f"{name}.csv", text if isinstance(text, bytes) else text.encode())
            for name, text in files.items()
        }
        path = f"/directory/import?{query or 'dry_run=false'}"
        return await self.person(role, region).sends(path, files=parts)

    async def count(self, table: str, where: str = "true") -> int:
        found: int = await self.run.pool.fetchval(f"select count(*) from {table} where {where}")
        return found


@pytest_asyncio.fixture
async def bureau(runtime_for: RuntimeFor) -> AsyncIterator[Bureau]:
    run = await runtime_for("notifications")
    async with over_http(run) as http:
        yield Bureau(run, http)


def table(rows: list[SiteRow] | list[ContactRow], **more: str) -> str:
    text = io.StringIO(newline="")
    fields = [row.model_dump(mode="json") | more for row in rows]
    writer = csv.DictWriter(text, list(fields[0]))
    writer.writeheader()
    writer.writerows([{k: int(v) if isinstance(v, bool) else v for k, v in row.items()} for row in fields])
    return text.getvalue()


SITES = table([site(1, 1), site(2, 20)])
CONTACTS = table([contact(1, 1), contact(4, 1, 2), contact(2, 2), contact(5, None)])


async def test_an_import_says_what_it_added_and_a_second_one_that_nothing_changed(bureau: Bureau) -> None:
    first = await bureau.imports(sites=SITES, contacts=CONTACTS)
    second = await bureau.imports(sites=SITES, contacts=CONTACTS)

    assert (200, False) == (first.status_code, first.json()["dry_run"])
    assert NOTHING | {"added": 2} == first.json()["sites"]
    assert NOTHING | {"added": 4} == first.json()["contacts"]
    assert NOTHING | {"unchanged": 4} == second.json()["contacts"]


async def test_a_dry_run_says_the_same_and_keeps_nothing(bureau: Bureau) -> None:
    dry = await bureau.imports(sites=SITES, contacts=CONTACTS, query="replace=false")

    assert dry.json()["dry_run"] is True
    assert NOTHING | {"added": 4} == dry.json()["contacts"]
    assert 0 == await bureau.count("site") == await bureau.count("audit")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
async def test_chinese_names_come_through_however_excel_wrote_them(bureau: Bureau, encoding: str) -> None:
    answer = await bureau.imports(sites=SITES.encode(encoding))

    assert 200 == answer.status_code, answer.text
    assert "1号站" == await bureau.run.pool.fetchval(
        "select name_zh from site where site_id = $1", UUID(int=1)
    )


async def test_every_error_is_named_with_line_column_and_mend_and_nothing_is_imported(bureau: Bureau) -> None:
    sites = SITES.replace("bus_station", "zoo", 1)
    rows = [
        contact(1, 1).model_dump(mode="json") | {"phone_e164": "07700 900001"},
        contact(4, 1, 2).model_dump(mode="json") | {"phone_e164": "+862355128110", "voice": 0},
        contact(2, 2).model_dump(mode="json") | {"phone_e164": "", "duty_hours": "office hours"},
        contact(3, 77).model_dump(mode="json") | {"webhook_url": "http://user:secret@site.example/x"},
    ]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)

    refused = await bureau.imports(sites=sites, contacts=text.getvalue())

    assert (422, "directory_refused") == (refused.status_code, refused.json()["code"])
    errors = refused.json()["errors"]
    places = {(e["file"], e["line"], e["column"]) for e in errors}
    assert {
        ("sites.csv", 2, "category"),
        ("contacts.csv", 2, "phone_e164"),
        ("contacts.csv", 3, ""),
        ("contacts.csv", 4, "duty_hours"),
        ("contacts.csv", 5, "webhook_url"),
    } <= places
    assert all(e["says"] and e["says_zh"] and e["mend"] and e["mend_zh"] for e in errors)
    assert "ferry_terminal" in next(e["mend"] for e in errors if e["column"] == "category")
    assert "voice" in next(e["mend"] for e in errors if e["line"] == 3)
    for value in ("07700", "862355128110", "secret"):
        assert value not in refused.text
    assert 0 == await bureau.count("site") == await bureau.count("contact")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "column_missing"),
        (b"\xff\xfe\x00\x80", "not_csv"),
        (SITES.replace("name_zh", "name_cn").encode(), "column_unknown"),
        ((SITES + "a,b\r\n").encode(), "columns"),
        ((SITES + SITES.splitlines()[1] + "\r\n").encode(), "twice"),
        (SITES.replace("1号站", "1\x00号站").encode(), "not_printable"),
        (SITES.replace("1号站", "=1号站").encode(), "formula"),
    ],
)
async def test_what_is_no_table_is_refused(bureau: Bureau, content: bytes, says: str) -> None:
    from notifications.row_errors import SAYS

    refused = await bureau.imports(sites=content)

    assert 422 == refused.status_code
    wanted = SAYS[says][1][0]
    assert wanted in {error["mend"] for error in refused.json()["errors"]}
    assert 0 == await bureau.count("site")


async def test_an_import_without_files_says_what_to_send(bureau: Bureau) -> None:
    refused = await bureau.person().sends("/directory/import")

    assert (422, "no_file") == (refused.status_code, refused.json()["code"])


@pytest.mark.parametrize("role", ["operator", "case_leader", "auditor", "site"])
async def test_only_the_administrator_may_import(bureau: Bureau, role: Role) -> None:
    refused = await bureau.imports(sites=SITES, role=role)

    assert 403 == refused.status_code
    assert 0 == await bureau.count("site")


async def test_another_county_can_neither_add_here_nor_take_over_a_row(bureau: Bureau) -> None:
    await bureau.imports(sites=SITES, contacts=CONTACTS)

    adds = await bureau.imports(region="500101", sites=SITES)
    takes = await bureau.imports(region="500101", sites=SITES.replace(YUNYANG, "500101"))
    contacts = await bureau.imports(region="500101", contacts=CONTACTS)

    assert [422, 422, 422] == [answer.status_code for answer in (adds, takes, contacts)]
    assert {"region_code"} == {error["column"] for error in adds.json()["errors"]}
    assert {"site_id"} == {error["column"] for error in takes.json()["errors"]}
    assert {"site_id", "contact_id"} == {error["column"] for error in contacts.json()["errors"]}
    assert 2 == await bureau.count("site", f"region_code = '{YUNYANG}'")


async def test_contacts_alone_may_name_sites_that_are_known_already(bureau: Bureau) -> None:
    await bureau.imports(sites=SITES)

    added = await bureau.imports(contacts=CONTACTS)

    assert NOTHING | {"added": 4} == added.json()["contacts"]
    assert NOTHING == added.json()["sites"]


async def test_replacing_retires_what_is_left_out_and_the_next_import_brings_it_back(bureau: Bureau) -> None:
    await bureau.imports(sites=SITES, contacts=CONTACTS)
    await react(bureau.run, REACTIONS, raised(bureau.run.clock.now()))
    fewer = {"sites": table([site(1, 1)]), "contacts": table([contact(4, 1, 2), contact(5, None)])}

    kept = await bureau.imports(**fewer)
    gone = await bureau.imports(query="dry_run=false&replace=true", **fewer)

    assert 0 == kept.json()["contacts"]["retired"]
    assert [str(UUID(int=2))] == gone.json()["sites"]["retired_ids"]
    assert 2 == gone.json()["contacts"]["retired"]
    assert 4 == await bureau.count("contact"), "Deliveries refer to contacts; none is deleted."
    back = await bureau.imports(sites=SITES, contacts=CONTACTS)
    assert (1, 2) == (back.json()["sites"]["changed"], back.json()["contacts"]["changed"])
    assert 0 == await bureau.count("contact", "retired_at is not null")


async def test_replacing_sites_refuses_contacts_of_a_site_that_goes(bureau: Bureau) -> None:
    await bureau.imports(sites=SITES, contacts=CONTACTS)

    refused = await bureau.imports(
        query="dry_run=false&replace=true", sites=table([site(1, 1)]), contacts=CONTACTS
    )

    assert {"site_id"} == {error["column"] for error in refused.json()["errors"]}


async def test_retired_sites_and_contacts_are_told_no_more(bureau: Bureau) -> None:
    await bureau.imports(sites=SITES, contacts=CONTACTS)
    await bureau.imports(
        query="dry_run=false&replace=true",
        sites=table([site(1, 1)]),
        contacts=table([contact(4, 1, 2)]),
    )

    await react(bureau.run, REACTIONS, raised(bureau.run.clock.now()))
    await react(bureau.run, REACTIONS, widened(bureau.run.clock.now()))

    assert [1] == [q.site_id.int for q in await facts(bureau.run, NoticeQueued) if q.site_id]
    told = await bureau.run.pool.fetchval("select contact_id from delivery")
    assert contact(4, 1).contact_id == told


async def test_an_export_is_what_can_be_imported_and_only_the_administrator_sees_phones(
    bureau: Bureau,
) -> None:
    hours = table([contact(1, 1, duty_hours="周一-周五 08:00-18:00", label="值班, 1")])
    await bureau.imports(sites=SITES, contacts=hours)

    own = {
        name: (await bureau.person().reads(f"/directory/export?table={name}"))
        for name in ("sites", "contacts")
    }
    masked = await bureau.person("operator").reads("/directory/export?table=contacts")
    elsewhere = await bureau.person("operator", "500101").reads("/directory/export?table=sites")
    again = await bureau.imports(sites=own["sites"].content, contacts=own["contacts"].content)

    assert NOTHING | {"unchanged": 1} == again.json()["contacts"]
    assert NOTHING | {"unchanged": 2} == again.json()["sites"]
    assert contact(1, 1).phone_e164 in own["contacts"].text
    assert contact(1, 1).phone_e164 not in masked.text
    assert "***01" in masked.text
    assert 1 == len(elsewhere.text.splitlines())


async def test_a_fixed_line_is_kept_for_calls_only(bureau: Bureau) -> None:
    fixed = table([contact(1, 1, phone_e164="+862355128110", voice=True)])

    await bureau.imports(sites=SITES, contacts=fixed)

    found = await bureau.run.pool.fetchrow("select sms_ok, voice from contact")
    assert (False, True) == tuple(found.values())


async def test_a_contact_with_a_webhook_needs_no_phone(bureau: Bureau) -> None:
    only = table([contact(1, 1, phone_e164="", webhook_url="https://site.example/hook")])

    answer = await bureau.imports(sites=SITES, contacts=only)

    assert 200 == answer.status_code, answer.text
    found = await bureau.run.pool.fetchrow("select phone, webhook_url, sms_ok from contact")
    assert (None, "https://site.example/hook", False) == tuple(found.values())


async def test_a_site_is_shown_with_masked_contacts_to_staff_of_its_region(bureau: Bureau) -> None:
    await bureau.imports(sites=SITES, contacts=CONTACTS)

    shown = await bureau.person("operator").reads(f"/sites/{UUID(int=1)}")
    elsewhere = await bureau.person("operator", "500101").reads(f"/sites/{UUID(int=1)}")

    assert ["***01", "***04"] == [found["phone"] for found in shown.json()["contacts"]]
    assert all(found["on_duty_now"] for found in shown.json()["contacts"])
    assert ("汽车站", "Bus station") == (shown.json()["category_zh"], shown.json()["category_en"])
    assert "+4477" not in shown.text
    assert 404 == elsewhere.status_code
