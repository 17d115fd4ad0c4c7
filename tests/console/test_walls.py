"""Walls of the console as a whole: each page seen from another region, and with markup in everything people typed."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from console.service import SERVICE
from contracts import notice, order
from contracts.base import Place
from guitu.auth import Role
from guitu.service import Runtime
from harness.console_desk import SITES_HEAD, opened, streaming
from harness.console_http import at_the_desk
from harness.console_stories import SEAT, CaseStory, RuntimeFor, told

FILES = {"/static/{mark}/{name:path}", "/alerts/worker.js"}
"""The same for everybody."""
NOBODYS = "00000000-0000-4000-8000-000000000000"
EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>"
MARKUP = re.compile(r"<script>alert|<img src=x|\"'><")
ROLES: tuple[Role, ...] = ("operator", "case_leader", "auditor", "laboratory", "registry", "admin")


def pages_of(run: Runtime) -> list[str]:
    """Every address that can be read, but streams and files of ours."""
    found = [each for router in SERVICE.routers(run) for each in router.routes if isinstance(each, APIRoute)]
    paths = {each.path for each in found if "GET" in each.methods}
    return sorted(path for path in paths if not path.endswith("/live") and path not in FILES)


def filled(path: str, story: CaseStory) -> str:
    """The address with what the case has of it."""
    known = {
        "case_id": story.case_id,
        "order_id": story.id(f"{story.case_id} order 1"),
        "region_code": "500235",
    }
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda found: str(known.get(found[1], NOBODYS)), path)


async def a_case(run: Runtime) -> CaseStory:
    """A case in which everybody who could type something typed markup."""
    story = CaseStory(run.clock.now())
    child = {"sex": "female", "age_years": 6, "appearance": EVIL}
    place = Place(position=SEAT, name=EVIL, township_code="500235001")
    stop = order.Stop(place_id=story.id("place 1"), name_zh=EVIL, name_en=EVIL, position=SEAT)
    ordered = story.ordered(0.2).model_copy(update={"stop": stop, "reason": EVIL, "child_summary": EVIL})
    await told(
        run,
        story.raised(child=child, last_seen_place=place),
        story.planned(0.1),
        ordered,
        story.told(notice.NoticeQueued, 0.3),
        story.told(notice.NoticeFailed, 0.6, reason=EVIL),
        story.seen(1, note=EVIL, place=place),
        story.sample_due(0.1),
    )
    return story


def nothing_there(request: httpx.Request) -> httpx.Response:
    """Owners that show nothing of another region."""
    return httpx.Response(404, json={"code": "none", "detail": "None.", "detail_zh": "无。"})


def evil_owners(story: CaseStory) -> Any:
    """Owners whose names of units and sites are markup."""
    unit = {
        "unit_id": str(story.id("unit 1")),
        "code": EVIL,
        "name_zh": EVIL,
        "name_en": EVIL,
        "kind": "police_car",
        "on_duty": True,
        "status": "available",
        "status_note": EVIL,
        "busy_order_id": None,
        "busy_case_id": None,
        "capabilities": [EVIL],
        "start_node": None,
        "base_node": None,
        "starts_from": "base",
        "shift_start": "00:00",
        "shift_end": "24:00",
        "position_age_s": 60,
        "lon": 108.7,
        "lat": 30.9,
    }

    def answer(request: httpx.Request) -> httpx.Response:
        quoted = '"' + EVIL.replace('"', '""') + '"'
        if request.url.path == "/units":
            return httpx.Response(200, json=[unit])
        if request.url.path == "/directory/export":
            row = f"{story.id('site 1')},transit,{quoted},{quoted},500235001,108.7,30.9,500235,1\n"
            return httpx.Response(200, text=SITES_HEAD + row)
        return httpx.Response(404, json={"code": "none", "detail": EVIL, "detail_zh": EVIL, "mend": EVIL})

    return answer


@pytest.mark.parametrize("role", ROLES)
async def test_nothing_of_a_case_is_on_any_page_of_another_region(
    runtime_for: RuntimeFor, role: Role
) -> None:
    run = await runtime_for("console")
    story = await a_case(run)
    told_of, seen = (story.code, str(story.id("unit 1")), str(story.id("site 1")), "onerror"), 0
    async with at_the_desk(run, role, region="500236", owners=nothing_there) as http:
        for path in pages_of(run):
            for query in (
                "",
                f"?code={story.code[3:6]}",
                f"?order={story.id(f'{story.case_id} order 1')}",
                "?exercise=",
            ):
                answer = await http.get(filled(path, story) + query, headers={"Accept-Language": "en"})
                seen += answer.status_code == 200
                assert [] == [word for word in told_of if word in answer.text], (
                    path,
                    query,
                    answer.status_code,
                )
                assert str(story.case_id) not in answer.headers.get("location", "").split("?")[0]
    assert seen > 5


@pytest.mark.parametrize("role", ROLES)
async def test_no_answer_is_kept_by_anybody_or_runs_what_is_not_ours(
    runtime_for: RuntimeFor, role: Role
) -> None:
    run = await runtime_for("console")
    story = await a_case(run)
    loose = []
    async with at_the_desk(run, role, owners=nothing_there) as http:
        for path in pages_of(run):
            answer = await http.get(filled(path, story))
            headers = answer.headers
            bad = [
                name
                for name, want in {
                    "cache-control": "no-store",
                    "content-security-policy": "default-src 'self'",
                    "x-content-type-options": "nosniff",
                }.items()
                if want not in headers.get(name, "")
            ]
            inline = re.findall(
                r"<script(?![^>]*(?:src=|application/json))|\sstyle=|\son[a-z]+=\"", answer.text
            )
            if bad or inline:
                loose.append((path, answer.status_code, bad, inline))

    assert [] == loose


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_what_people_typed_is_never_markup_on_any_page(runtime_for: RuntimeFor, language: str) -> None:
    run = await runtime_for("console")
    story = await a_case(run)
    shown = 0
    keys = {
        "order": story.id(f"{story.case_id} order 1"),
        "site": story.id("site 1"),
        "sighting": story.id(f"{story.case_id} sighting 1"),
    }
    queries = [
        "",
        "?wall=1",
        "?done=" + EVIL,
        "?code=" + EVIL[:20],
        "?to=/" + EVIL,
        "?township=" + EVIL,
        "?month=" + EVIL,
    ]
    queries += [f"?{part}={key}{bare}" for part, key in keys.items() for bare in ("", "&bare=1")]
    async with at_the_desk(run, "admin", region="*", owners=evil_owners(story), language=language) as http:
        for path in pages_of(run):
            for query in queries:
                answer = await http.get(filled(path, story) + query)
                if "html" in answer.headers.get("content-type", ""):
                    shown += "alert(1)" in answer.text
                    assert MARKUP.search(answer.text) is None, (path, query)
    assert shown > 10


async def test_what_people_typed_is_never_markup_in_a_stream(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")
    async with opened(run) as console:
        story = await a_case(run)
        await told(run, story.raised())
        for path in (f"/cases/{story.case_id}/live?after=0", "/cases/live?after=0"):
            async with streaming(console, path) as stream:
                patch = await stream.next("patch")
                assert patch is not None
                said = " ".join([row["html"] for row in patch.data["rows"]] + [patch.data["head"] or ""])
                assert ("alert(1)" in said) == (str(story.case_id) in path)
                assert MARKUP.search(said) is None


async def test_the_database_itself_keeps_regions_apart_wherever_facts_are_folded(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("console")
    story = await a_case(run)
    tables = await run.pool.fetch(
        "select c.relname as name, c.relrowsecurity as walled from pg_class c join pg_attribute a on a.attrelid = c.oid"
        " where c.relnamespace = 'console'::regnamespace and c.relkind = 'r' and a.attname = 'region_code'"
    )
    open_ones = {row["name"] for row in tables if not row["walled"]}
    seen = {}
    async with run.read(region="500236") as conn:
        for row in tables:
            if row["walled"]:
                seen[row["name"]] = await conn.fetchval(f"select count(*) from {row['name']}")
    async with run.read(region="500235") as conn:
        own = await conn.fetchval("select count(*) from case_line where case_id = $1", story.case_id)

    # Who may log in is asked before anybody's region is known, and `change` holds ids only.
    assert {"account", "session", "login_link", "change"} == open_ones
    assert {0} == set(seen.values())
    assert len(seen) >= 11
    assert 1 == own
