"""The live streams: what changes comes once, whatever happens to the connection, and only to who may see it."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Literal, cast
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI

from console.board import store_board
from console.board.board import board_of
from console.county import directory as directories
from console.county.directory import Directory, UnitEntry
from console.live import hub as hubs
from console.live import store_live
from console.live.of_board import HEAD_EVERY_S, BoardChannel
from console.live.snapshots import snapshot
from console.projection.agents import REACTIONS
from contracts import notice, order
from contracts.base import EventId
from guitu import service
from guitu.auth import Principal
from guitu.embedded.ports import LOOPBACK
from guitu.service import Runtime
from guitu.tx import Tx
from harness.console_desk import WAIT_S, Console, Stream, nobody_known, opened, streaming
from harness.console_door import cookies_of
from harness.console_http import Answer
from harness.console_stories import CaseStory, RuntimeFor, told
from harness.ground import START


@pytest_asyncio.fixture
async def console(runtime_for: RuntimeFor) -> AsyncIterator[Console]:
    async with opened(await runtime_for("console")) as desk:
        yield desk


@pytest_asyncio.fixture
async def story(console: Console) -> CaseStory:
    made = CaseStory(START)
    await told(console.run, made.raised())
    return made


async def place(run: Runtime) -> int:
    async with snapshot(run, "*") as conn:
        return (await store_live.span(conn))[1]


async def test_a_change_comes_as_the_row_it_touches(console: Console, story: CaseStory) -> None:
    async with streaming(console, f"/cases/{story.case_id}/live?after={await place(console.run)}") as stream:
        await told(console.run, story.ordered(1))

        patch = await stream.next("patch")

    assert patch is not None
    (row,) = patch.data["rows"]
    order_id = str(story.id(f"{story.case_id} order 1"))
    assert ("order", order_id, "issued") == (row["part"], row["key"], row["map"]["state"])
    assert 1 == len(patch.data["timeline"])
    assert patch.data["seq"] == patch.id == await place(console.run)


async def test_what_happened_since_the_page_was_made_is_told_first(
    console: Console, story: CaseStory
) -> None:
    before = await place(console.run)
    await told(console.run, story.ordered(1), story.moved(order.OrderAccepted, 2))

    async with streaming(console, f"/cases/{story.case_id}/live?after={before}") as stream:
        patch = await stream.next("patch")

    assert patch is not None
    assert ["accepted"] == [row["map"]["state"] for row in patch.data["rows"]]
    assert 2 == len(patch.data["timeline"])


async def test_the_end_of_a_case_reaches_the_rows_that_it_changes(console: Console, story: CaseStory) -> None:
    await told(console.run, story.told(notice.NoticeQueued, 0), story.sample_due(0))
    async with streaming(console, f"/cases/{story.case_id}/live?after={await place(console.run)}") as stream:
        await told(console.run, story.stood_down(1))

        patch = await stream.next("patch")

    assert patch is not None
    site, dna = patch.data["rows"]
    assert ("site", "dna") == (site["part"], dna["part"])
    assert 'data-state="cancelled"' in site["html"]
    assert "if not taken yet" in dna["html"]


async def test_a_page_that_is_new_is_told_nothing_but_the_time(console: Console, story: CaseStory) -> None:
    async with streaming(console, f"/cases/{story.case_id}/live?after={await place(console.run)}") as stream:
        first = await stream.next("patch", "beat")

    assert first is not None
    assert "beat" == first.name
    assert START.isoformat() == first.data["facts_at"]


async def test_another_case_s_change_is_not_told_here(console: Console, story: CaseStory) -> None:
    other = CaseStory(START, "second")
    async with streaming(console, f"/cases/{story.case_id}/live?after={await place(console.run)}") as stream:
        await told(console.run, other.raised(), other.ordered(1), story.planned(2))

        patch = await stream.next("patch")

    assert patch is not None
    assert ["guitu.plan.published.v1"] == await types_of(console.run, patch.data["timeline"])


async def types_of(run: Runtime, timeline: list[dict[str, Any]]) -> list[str]:
    keys = [entry["key"] for entry in timeline]
    rows = await run.pool.fetch("select type from timeline where event_id::text = any($1)", keys)
    return [row["type"] for row in rows]


async def test_twenty_cut_connections_lose_and_double_nothing(console: Console, story: CaseStory) -> None:
    """Facts go on while the stream is cut at random places; each line of the timeline comes exactly once."""
    rng = random.Random(20261201)
    begins_at = await place(console.run)
    told_keys: list[str] = []
    states: dict[str, int] = {}
    names = [str(n) for n in range(30)]

    async with streaming(console, f"/cases/{story.case_id}/live?after={begins_at}") as stream:
        for _ in range(20):
            await told(console.run, *some_facts(story, rng, names))
            for _ in range(rng.randint(0, 2)):
                await read_one(stream, told_keys, states)
            await stream.cut()
            drain(stream, told_keys, states)
            await told(console.run, *some_facts(story, rng, names))
            await stream.open()
        await told(console.run, story.stood_down(99))
        await read_up_to(stream, await place(console.run), told_keys, states)

    rows = await console.run.pool.fetch("select event_id, type from timeline where type <> $1", RAISED)
    assert len(told_keys) == len(set(told_keys))
    assert {str(row["event_id"]) for row in rows} == set(told_keys)
    async with snapshot(console.run, "*") as conn:
        board = await board_of(conn, story.case_id, Directory())
    assert board is not None
    assert {str(line.order_id): line.badness for line in board.orders} == states


REBUILT = (
    "insert into change (region_code, part, key, fact_at, written_at) values ('*', 'rebuilt', '', $1, $1)"
)
RAISED = "guitu.alert.raised.v1"


def some_facts(story: CaseStory, rng: random.Random, names: list[str]) -> list[Any]:
    kinds = [order.OrderAccepted, order.UnitInPosition, order.StandDownAcknowledged]
    return [story.moved(rng.choice(kinds), rng.uniform(1, 60), rng.choice(names)) for _ in range(3)]


async def read_one(stream: Stream, keys: list[str], states: dict[str, int]) -> None:
    event = await stream.next("patch", "beat")
    assert event is not None
    take(event, keys, states)


def drain(stream: Stream, keys: list[str], states: dict[str, int]) -> None:
    """What came before the cut was seen."""
    while not stream.events.empty():
        take(stream.events.get_nowait(), keys, states)


async def read_up_to(stream: Stream, seq: int, keys: list[str], states: dict[str, int]) -> None:
    while stream.last_event_id is None or stream.last_event_id < seq or not stream.events.empty():
        await read_one(stream, keys, states)


def take(event: Any, keys: list[str], states: dict[str, int]) -> None:
    assert event is None or event.name in ("patch", "beat"), event
    if event and event.name == "patch":
        keys += [entry["key"] for entry in event.data["timeline"]]
        states |= {row["key"]: row["sort"] for row in event.data["rows"]}


async def test_a_fold_that_commits_late_is_not_stepped_over(console: Console, story: CaseStory) -> None:
    """Two processes fold at once; what is numbered first becomes visible first, so nobody passes it by."""
    before, keys = await place(console.run), set()
    slow_began, slow_may_end = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with console.run.pool.acquire() as conn, conn.transaction():
            await fold(console.run, conn, story.ordered(1))
            slow_began.set()
            await slow_may_end.wait()

    async with streaming(console, f"/cases/{story.case_id}/live?after={before}") as stream:
        slowly = asyncio.create_task(slow())
        await slow_began.wait()
        quickly = asyncio.create_task(told(console.run, story.planned(2)))
        await stream.next("beat")
        await stream.next("beat")
        slow_may_end.set()
        await asyncio.gather(slowly, quickly)
        while len(keys) < 2:
            patch = await stream.next("patch")
            assert patch is not None
            keys |= {entry["key"] for entry in patch.data["timeline"]}

    assert 2 == len(keys)


async def fold(run: Runtime, conn: Any, fact: Any) -> None:
    """A fold in somebody else's transaction."""
    tx = Tx(conn, run.clock.now(), run.ids, "guitu.console", "guitu/console", EventId(uuid4()))
    await next(each.handle for each in REACTIONS if each.fact is type(fact))(tx, fact)
    await tx.flush()


async def test_what_another_process_folds_comes_here_too(console: Console, story: CaseStory) -> None:
    async with opened(console.run) as other:
        path = f"/cases/{story.case_id}/live?after={await place(console.run)}"
        async with streaming(other, path) as there, streaming(console, path) as here:
            await told(console.run, story.ordered(1))

            patches = await there.next("patch"), await here.next("patch")

    assert all(patch and 1 == len(patch.data["rows"]) for patch in patches)


async def test_a_page_newer_than_the_hub_s_last_look_is_not_read_anew(
    console: Console, story: CaseStory
) -> None:
    async with opened(console.run, turn_s=60.0) as seldom:
        async with streaming(seldom, "/cases/live?after=0") as first:
            await first.next("beat")
        await told(console.run, story.ordered(1))

        async with streaming(seldom, f"/cases/live?after={await place(console.run)}") as stream:
            event = await stream.next("resync", "beat")

    assert event is not None
    assert "beat" == event.name


async def test_a_page_older_than_what_is_kept_is_read_anew(console: Console, story: CaseStory) -> None:
    await told(console.run, *(story.ordered(1, str(n)) for n in range(5)))
    async with console.run.pool.acquire() as conn:
        await conn.execute("delete from change where seq < (select max(seq) from change)")

    async with streaming(console, f"/cases/{story.case_id}/live?after=1") as stream:
        first, then = await stream.next("resync", "patch"), await stream.next("patch")

    assert first is not None
    assert ("resync", None) == (first.name, then)


async def test_a_number_of_another_life_of_the_database_is_read_anew(
    console: Console, story: CaseStory
) -> None:
    async with streaming(console, f"/cases/{story.case_id}/live?after=999999") as stream:
        first = await stream.next("resync", "patch", "beat")

    assert first is not None
    assert "resync" == first.name


async def test_what_the_browser_remembers_wins_over_the_page_s_number(
    console: Console, story: CaseStory
) -> None:
    before = await place(console.run)
    await told(console.run, story.ordered(1))
    after = await place(console.run)
    await told(console.run, story.planned(2))

    path = f"/cases/{story.case_id}/live?after={before}"
    async with streaming(console, path, last_event_id=after) as stream:
        patch = await stream.next("patch")

    assert patch is not None
    assert ["guitu.plan.published.v1"] == await types_of(console.run, patch.data["timeline"])


async def test_who_reads_too_slowly_reads_the_page_anew(console: Console, story: CaseStory) -> None:
    listener = await console.hub.join(channel(story), "en", await place(console.run))
    for _ in range(hubs.QUEUE_MAX + 1):
        listener.offer(b"event: patch\n\n")

    assert listener.behind
    assert hubs.RESYNC == listener.waiting.get_nowait()
    assert listener.over


def channel(story: CaseStory) -> hubs.Channel:
    return BoardChannel(story.case_id, Directory())


async def test_a_rebuilt_picture_is_read_anew_by_all(console: Console, story: CaseStory) -> None:
    async with streaming(console, f"/cases/{story.case_id}/live?after={await place(console.run)}") as stream:
        await console.run.pool.execute(REBUILT, START)

        event = await stream.next("resync", "patch")

    assert event is not None
    assert "resync" == event.name


async def test_another_region_s_case_has_no_stream(console: Console, story: CaseStory) -> None:
    async with streaming(console, f"/cases/{story.case_id}/live", region="500236") as stream:
        assert 404 == stream.status


async def test_a_quiet_region_s_page_is_as_new_as_any(console: Console, story: CaseStory) -> None:
    """Its own newest change may be forgotten long ago; the page that it was just given is new all the same."""
    other = CaseStory(START, "second", region_code="500236")
    await told(console.run, other.raised(), other.ordered(1))
    await console.run.pool.execute("delete from change where seq < (select max(seq) from change)")
    async with snapshot(console.run, "500235") as conn:
        seq, _ = await store_board.position(conn)

    async with streaming(console, f"/cases/live?after={seq}") as stream:
        first = await stream.next("resync", "beat")

    assert first is not None
    assert "beat" == first.name


async def test_a_page_made_after_a_rebuild_is_not_read_anew_again(console: Console, story: CaseStory) -> None:
    await console.run.pool.execute(REBUILT, START)
    async with snapshot(console.run, "500235") as conn:
        seq, _ = await store_board.position(conn)

    async with streaming(console, f"/cases/live?after={seq}") as stream:
        first = await stream.next("resync", "beat")

    assert first is not None
    assert "beat" == first.name


async def test_what_one_person_left_open_makes_room_for_what_they_open_now_and_shuts_nobody_out(
    console: Console, story: CaseStory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "LISTENERS_OF_ONE_MAX", 3)
    path = f"/cases/{story.case_id}/live?after={await place(console.run)}"
    async with AsyncExitStack() as stack:
        other = await stack.enter_async_context(streaming(console, path, role="auditor"))
        mine = [await stack.enter_async_context(streaming(console, path)) for _ in range(5)]
        ended = [await each.next("none") for each in mine[:2]]
        await told(console.run, story.ordered(1))
        heard = [await each.next("patch") for each in (*mine[2:], other)]

    assert [None, None] == ended
    assert all(heard)
    assert 0 == console.hub.listeners


async def test_a_stream_that_nobody_reads_is_closed_and_its_place_is_free(
    console: Console, story: CaseStory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over a real socket: a browser that hangs takes what fits into its buffers, and nothing more."""
    monkeypatch.setattr(service, "UNREAD_MS_MAX", 1_000)
    cookies = await cookies_of(console.run, Principal("operator-1", "operator", "500235"))
    asked = (
        f"GET /cases/{story.case_id}/live?after=0 HTTP/1.1\r\nHost: console.test\r\n"
        f"Cookie: {'; '.join(f'{name}={value}' for name, value in cookies.items())}\r\n\r\n"
    )
    async with served(console.app) as address:
        with socket.socket() as hangs:
            hangs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            hangs.connect(address)
            hangs.sendall(asked.encode())
            assert await comes(lambda: console.hub.listeners == 1)
            for number in range(1, 41):
                await told(console.run, story.ordered(1, str(number)))

            assert await comes(lambda: console.hub.listeners == 0)


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[tuple[str, int]]:
    """The application behind a socket of ours, with the smallest buffers that the kernel gives."""
    with service.listener_at(LOOPBACK, 0) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[sock]))
        assert await comes(lambda: server.started)
        yield sock.getsockname()
        server.should_exit = server.force_exit = True
        await serving


async def comes(said: Callable[[], bool]) -> bool:
    """Wait for it, 30 s at most."""
    for _ in range(600):
        if said():
            return True
        await asyncio.sleep(0.05)
    return False


async def test_a_laboratory_has_no_stream(console: Console, story: CaseStory) -> None:
    async with streaming(console, f"/cases/{story.case_id}/live", role="laboratory") as stream:
        assert 403 == stream.status


async def test_a_session_that_ends_ends_its_streams(console: Console, story: CaseStory) -> None:
    async with streaming(console, f"/cases/{story.case_id}/live?after=0") as stream:
        await stream.next("beat")
        console.run.clock.advance(days=400)  # type: ignore[attr-defined]

        ended = await stream.next("ended")

    assert ended is not None


async def test_the_list_tells_its_region_s_cases_only(console: Console, story: CaseStory) -> None:
    other = CaseStory(START, "second", region_code="500236")
    async with streaming(console, f"/cases/live?after={await place(console.run)}") as stream:
        await told(console.run, other.raised(), story.told(notice.NoticeQueued, 1))

        patch = await stream.next("patch")

    assert patch is not None
    assert [str(story.case_id)] == [row["key"] for row in patch.data["rows"]]


async def test_the_head_of_a_burst_comes_seldom_and_its_last_counts_come_too(
    console: Console, story: CaseStory
) -> None:
    """What was left out of a patch is owed: it comes although nothing changes any more."""
    orders = 4
    async with streaming(console, f"/cases/{story.case_id}/live?after={await place(console.run)}") as stream:
        patches, begun = [], time.monotonic()
        for number in range(1, orders + 1):
            await told(console.run, story.ordered(number, str(number)))
            patches.append(await next_patch(stream))
        heads = [patch["head"] for patch in patches if patch["head"]]
        seldom = 1 + (time.monotonic() - begun) / HEAD_EVERY_S
        if not patches[-1]["head"]:
            patches.append(await next_patch(stream))

    assert orders == sum(len(patch["rows"]) for patch in patches)
    assert len(heads) <= seldom
    assert f"<strong>{orders}</strong>" in patches[-1]["head"]


async def next_patch(stream: Stream) -> Any:
    """What the next change on the board is."""
    patch = await stream.next("patch")
    assert patch is not None
    return patch.data


class Owners:
    """Dispatch lists one unit and notifications no site, unless both are away or stand still."""

    def __init__(self, unit_id: UUID) -> None:
        names = {"unit_id": str(unit_id), "code": "C1", "name_zh": "一号车", "name_en": "Car 1"}
        self.unit = names | {
            "kind": "patrol",
            "on_duty": True,
            "status": "available",
            "lon": None,
            "lat": None,
        }
        self.are: Literal["there", "away", "still"] = "there"
        self.stand_still = asyncio.Event()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.are == "away":
            raise httpx.ConnectError("away", request=request)
        if self.are == "still":
            self.stand_still.set()
            await asyncio.Event().wait()
        return (
            httpx.Response(200, json=[self.unit]) if request.url.path == "/units" else nobody_known(request)
        )


async def test_names_that_come_late_come_into_the_rows_too(
    runtime_for: RuntimeFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that is drawn while dispatch is away would else show a short id until it changes again."""
    monkeypatch.setattr(directories, "AGAIN_S", 0.0)
    story = CaseStory(START)
    owners = Owners(story.ordered(1).unit_id)
    owners.are = "away"
    async with opened(await runtime_for("console"), cast(Answer, owners)) as console:
        await told(console.run, story.raised(), story.ordered(1))
        async with streaming(console, f"/cases/{story.case_id}/live?after=0") as stream:
            patch = await stream.next("patch")
            assert patch is not None
            assert "Car 1" not in patch.data["rows"][0]["html"]
            owners.are = "there"

            assert await stream.next("resync") is not None

        async with streaming(console, f"/cases/{story.case_id}/live?after=0") as stream:
            patch = await stream.next("patch")
            assert patch is not None
            assert "Car 1" in patch.data["rows"][0]["html"]


async def test_an_owner_that_stands_still_holds_up_no_news(
    runtime_for: RuntimeFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every few seconds a stream asks for newer names; it must go on with the old ones."""
    monkeypatch.setattr(directories, "KEPT_S", 0.0)
    monkeypatch.setattr(directories, "PATIENCE_S", 0.05)
    story = CaseStory(START)
    owners = Owners(story.ordered(1).unit_id)
    async with opened(await runtime_for("console"), cast(Answer, owners)) as console:
        await told(console.run, story.raised())
        async with streaming(
            console, f"/cases/{story.case_id}/live?after={await place(console.run)}"
        ) as stream:
            await stream.next("beat")
            owners.are = "still"
            await asyncio.wait_for(owners.stand_still.wait(), WAIT_S)

            await told(console.run, story.ordered(1))
            patch = await stream.next("patch")

    assert patch is not None
    assert "Car 1" in patch.data["rows"][0]["html"]


def test_two_people_who_know_other_units_do_not_let_a_page_load_for_ever() -> None:
    """One channel hears the names of each of its listeners in turn: each name is news once."""
    mine, theirs = (_directory(uuid4()) for _ in range(2))
    channel = BoardChannel(uuid4(), mine)

    assert [False, True, False, False] == [channel.learn(each) for each in (mine, theirs, mine, theirs)]


def _directory(unit_id: UUID) -> Directory:
    unit = UnitEntry(unit_id, "C1", "一号车", "Car 1", "patrol", True, "available", None, None)
    return Directory(units={unit_id: unit})
