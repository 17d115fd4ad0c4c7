"""Names of units and sites: asked once a minute, by the person's token, and never missed so much that nothing shows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest_asyncio

from console.county.directory import directory_of
from console.door.sessions import Visitor
from console.settings import ConsoleSettings
from console.upstream import Upstream
from guitu.auth import Principal
from harness.console_desk import SITES_HEAD

UNIT, SITE = UUID(int=1), UUID(int=2)


class Owners:
    """Dispatch and notifications on the wire; `away` ones do not answer."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.away: set[str] = set()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        assert "Bearer a-token" == request.headers["authorization"]
        if request.url.path in self.away:
            raise httpx.ConnectError("away", request=request)
        if request.url.path == "/units":
            unit = {"name_zh": "一号车", "name_en": "Car 1", "code": "C1", "kind": "patrol"}
            state = {"on_duty": True, "status": "available", "lon": None, "lat": None}
            return httpx.Response(200, json=[{"unit_id": str(UNIT)} | unit | state])
        row = f"{SITE},hotel,测试宾馆,Test hotel,500235001,108.7,30.9,500235,1\n"
        there = f"{UUID(int=3)},hotel,他县宾馆,Other hotel,500236001,108.7,30.9,500236,1\n"
        return httpx.Response(200, text=SITES_HEAD + row + there)


def visitor(region: str = "500235") -> Visitor:
    return Visitor(Principal("desk-1", "operator", region), "csrf", "en", "a-token")


@pytest_asyncio.fixture
async def owners() -> Owners:
    return Owners()


@pytest_asyncio.fixture
async def upstream(owners: Owners) -> AsyncIterator[Upstream]:
    async with Upstream(ConsoleSettings(), httpx.MockTransport(owners)) as opened:
        yield opened


async def test_units_and_sites_have_names_in_both_languages(upstream: Upstream) -> None:
    found = await directory_of(upstream, visitor(), "500235")

    assert ("一号车", "Car 1") == found.name_of(UNIT)
    assert ("测试宾馆", "Test hotel") == found.name_of(None, SITE)


async def test_many_who_ask_at_once_ask_the_owners_once(upstream: Upstream, owners: Owners) -> None:
    await asyncio.gather(*(directory_of(upstream, visitor(), "500235") for _ in range(20)))

    assert ["/directory/export", "/units"] == sorted(owners.asked)


async def test_an_owner_that_is_away_leaves_short_ids_and_is_named(
    upstream: Upstream, owners: Owners
) -> None:
    owners.away.add("/units")

    found = await directory_of(upstream, visitor(), "500235")

    assert ("dispatch",) == found.missing
    assert (str(UNIT)[:8], str(UNIT)[:8]) == found.name_of(UNIT)
    assert ("测试宾馆", "Test hotel") == found.name_of(None, SITE)


async def test_a_region_s_directory_has_no_site_of_another(upstream: Upstream) -> None:
    here, everywhere = (
        await directory_of(upstream, visitor("*"), "500235"),
        await directory_of(upstream, visitor("*"), "*"),
    )

    assert (1, 2) == (len(here.sites), len(everywhere.sites))
