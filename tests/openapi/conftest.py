"""Each HTTP face as a process on the run's PostgreSQL, with rows that requests can be about."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from contracts.base import CaseId
from contracts.order import MutualAidRequested
from dispatch.pages import TARGETS
from dispatch.settings import dispatch_settings
from dna_intake.agents import REACTIONS as DNA_REACTIONS
from guitu.embedded.node import Node
from guitu.migrate import migrate_now
from guitu.pg import schema_of
from guitu.service import Runtime
from guitu.settings import Settings
from harness import dispatch_stories, dna_stories, ground, notice_stories
from harness.alert_stories import identity, report_body
from harness.faces import Face, serving
from harness.ground import react
from notifications.agents import REACTIONS as NOTICE_REACTIONS
from notifications.domain.delivery import RANK

CASES = 16
"""Enough that stand-downs, merges and erasures drawn for one request leave open cases for the next."""
CUSTODY = ("collected", "received", "extracted", "quantified", "amplified", "typed", "quality_checked")


@contextmanager
def lone(package: str, node: Node, log: Path, **env: str) -> Iterator[str]:
    """A service without its readers."""
    with serving(["-m", "harness.lone_face", package], node.env | env, log / package) as url:
        yield url


@asynccontextmanager
async def prepared(service: str, settings: Settings) -> AsyncIterator[Runtime]:
    """The service's empty tables, and the real time."""
    await asyncio.to_thread(migrate_now, settings.database_url, (schema_of(service),))
    async with ground.runtime(service, settings) as run:
        assert isinstance(run.clock, ground.SettableClock)
        run.clock.moment = datetime.now(UTC)
        yield run


@asynccontextmanager
async def asking(face: Face) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who may do everything."""
    headers = face.as_role("admin")
    async with httpx.AsyncClient(base_url=face.url, headers=headers, trust_env=False) as http:
        yield http


async def posted(http: httpx.AsyncClient, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """What a POST that succeeds answers."""
    answer = await http.post(path, json=body, headers={"Idempotency-Key": str(uuid4())})
    assert answer.is_success, answer.text
    return dict(answer.json())


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the processes write what they have to say."""
    return tmp_path_factory.mktemp("faces")


@pytest_asyncio.fixture(scope="module")
async def alerts(postgres_node: Node, settings: Settings, logs: Path) -> AsyncIterator[Face]:
    """Alerts with open cases, each with an identity and a sighting."""
    async with prepared("alerts", settings):
        with lone("alerts", postgres_node, logs) as url:
            face = Face(url, settings, [])
            async with asking(face) as http:
                rows = [await _case(http) for _ in range(CASES)]
            yield Face(url, settings, rows)


async def _case(http: httpx.AsyncClient) -> dict[str, Any]:
    now = datetime.now(UTC)
    case = await posted(http, "/reports", report_body(now, identity=identity()))
    into = await posted(http, "/reports", report_body(now))
    seen = {"seen_at": now.isoformat(), "place": {"lon": 108.69, "lat": 30.93}}
    sighting = await posted(http, f"/cases/{case['case_id']}/sightings", seen)
    return {
        "case_id": case["case_id"],
        "into": into["case_id"],
        "sighting_id": sighting["sighting_id"],
        "region_code": "500235",
        "tier": "cross_region",
        "last_seen_at": now.isoformat(),
        "seen_at": now.isoformat(),
        "last_seen_place": seen["place"],
        "place": seen["place"],
        "Idempotency-Key": str(uuid4()),
    }


@pytest_asyncio.fixture(scope="module")
async def dispatch(postgres_node: Node, settings: Settings, logs: Path) -> AsyncIterator[Face]:
    """Dispatch in Yunyang with two cases planned and ordered."""
    async with prepared("dispatch", settings) as run:
        await dispatch_stories.seed(run)
        service = dispatch_stories.Dispatch(run)
        now = run.clock.now()
        for name in ("one", "two"):
            seen = {"occurred_at": now, "last_seen_at": now - timedelta(minutes=5)}
            await service.hears(dispatch_stories.raised(name, **seen))
        orders = await service.orders()
        aid = await service.said(MutualAidRequested)
        edges = await run.pool.fetch(
            "select edge_id from network_edge order by ordinal limit $1", len(orders)
        )
        assert dispatch_settings(settings).respond_within > timedelta(minutes=2)
    rows = [
        {
            "order_id": str(order.order_id),
            "case_id": str(order.case_id),
            "token": order.page_path.removeprefix("/o/"),
            "button": button,
            "unit_id": str(order.unit_id),
            "place_id": str(order.stop.place_id),
            "edge_id": edge["edge_id"],
            "request_id": str(request.request_id),
            "at": now.isoformat(),
        }
        for order, button, edge, request in zip(orders, cycle(TARGETS), edges, cycle(aid), strict=False)
    ]
    with lone("dispatch", postgres_node, logs) as url:
        yield Face(url, settings, rows)


@pytest_asyncio.fixture(scope="module")
async def dna_intake(postgres_node: Node, settings: Settings, logs: Path) -> AsyncIterator[Face]:
    """DNA intake with cases, and a specimen of each at every step of its custody."""
    cases = [CaseId(uuid4()) for _ in range(CASES)]
    async with prepared("dna-intake", settings) as run:
        for case_id in cases:
            await react(run, DNA_REACTIONS, dna_stories.alert(run.clock.now(), case_id))
        requests = await run.pool.fetch("select id, case_id from cross_match_request")
    request_of = {row["case_id"]: str(row["id"]) for row in requests}
    with lone("dna_intake", postgres_node, logs) as url:
        async with asking(Face(url, settings, [])) as http:
            rows = [
                {"request_id": request_of[case_id]}
                | await _specimen(http, case_id, n)
                | await _subscribed(http)
                for n, case_id in enumerate(cases)
            ]
        yield Face(url, settings, rows)


async def _subscribed(http: httpx.AsyncClient) -> dict[str, Any]:
    """An office's system that nobody can call."""
    body = {"region_code": "500235", "url": "https://office.invalid/gate"}
    subscription = await posted(http, "/gate-subscriptions", body)
    return {"subscription_id": subscription["id"]}


async def _specimen(http: httpx.AsyncClient, case_id: CaseId, steps: int) -> dict[str, Any]:
    category = "parent_of_missing_child" if steps % 3 else "suspected_trafficked"
    body = {"category": category, "region_code": "500235", "case_id": str(case_id)}
    specimen = await posted(http, "/specimens", body)
    for state in CUSTODY[: steps % (len(CUSTODY) + 1)]:
        move = {"to_state": state, "seal": "S-0001", "location": "DNA室"}
        await posted(http, f"/specimens/{specimen['id']}/moves", move)
    travelling, box = await _shipment(http, str(case_id), steps)
    row = {
        "shipment_id": box["id"],
        "barcodes": [travelling["barcode"]],
        "seal": box["seal"],
        "specimen_ids": [specimen["id"]],
        "case_id": str(case_id),
        "specimen_id": specimen["id"],
        "barcode": specimen["barcode"],
        "region_code": "500235",
        "at": datetime.now(UTC).isoformat(),
        "loci": dna_stories.profile(),
        "kit": dna_stories.KIT,
        "idempotency-key": str(uuid4()),
    }
    if category == "parent_of_missing_child":
        return row
    asked = {"specimen_id": specimen["id"], "office_reference": f"YY-{steps:03}", "kind": "adoption"}
    return row | {"request_id": (await posted(http, "/gate-requests", asked))["request_id"]}


async def _shipment(
    http: httpx.AsyncClient, case_id: str, number: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A box on its way, and the specimen in it."""
    specimen = await posted(
        http, "/specimens", {"category": "adopted", "region_code": "500235", "case_id": case_id}
    )
    move = {"to_state": "collected", "seal": "S-0001", "location": "站"}
    await posted(http, f"/specimens/{specimen['id']}/moves", move)
    box = {"seal": f"BOX-{number:03}", "sent_from": "站", "laboratory": "DNA室"}
    return specimen, await posted(http, "/shipments", box | {"barcodes": [specimen["barcode"]]})


@pytest_asyncio.fixture(scope="module")
async def notifications(
    postgres_node: Node, settings: Settings, logs: Path, sms_simulator: Face
) -> AsyncIterator[Face]:
    """Notifications with notices on their way to the simulator."""
    async with prepared("notifications", settings) as run:
        sites = [notice_stories.site(n, n) for n in range(1, CASES + 1)]
        await notice_stories.fill(run, sites, [notice_stories.contact(n, n) for n in range(1, CASES + 1)])
        await react(run, NOTICE_REACTIONS, notice_stories.raised(run.clock.now()))
        with lone("notifications", postgres_node, logs, GUITU_TWILIO_URL=sms_simulator.url) as url:
            yield Face(url, settings, await _attempts(run))


async def _attempts(run: Runtime) -> list[dict[str, str]]:
    """Each delivery once it was handed over; waits 20 s at most."""
    wanted = """
    select d.id, d.case_id, d.site_id, d.page_token, a.token, a.provider_id, c.phone from delivery d
    join attempt a on a.delivery_id = d.id join contact c using (contact_id)
    where a.provider_id is not null
    """
    for _ in range(400):
        rows = await run.pool.fetch(wanted)
        if len(rows) == CASES:
            break
        await asyncio.sleep(0.05)
    return [
        {
            "delivery_id": str(row["id"]),
            "case_id": str(row["case_id"]),
            "site_id": str(row["site_id"]),
            "token": row["page_token"],
            "attempt": row["token"],
            "seen_at": "08:30",
            "MessageSid": row["provider_id"],
            "MessageStatus": status,
            "From": row["phone"],
            "Body": body,
        }
        for row, status, body in zip(rows, cycle(RANK), cycle(_REPLIES), strict=False)
    ]


_REPLIES = ("1", "收到", "看到一个红衣男孩", "STOP", "签收", "sighting: near the ferry", " ")


@pytest.fixture(scope="module")
def sms_simulator(postgres_node: Node, settings: Settings, logs: Path) -> Iterator[Face]:
    """The simulator of Twilio's API, which keeps nothing."""
    with serving(["-m", "sms_simulator", "--ephemeral"], postgres_node.env, logs / "simulator") as url:
        yield Face(url, settings, [_HARMLESS | each for each in _messages(url, settings)])


def _messages(url: str, settings: Settings) -> list[dict[str, str]]:
    """Some that the simulator took, so that there is something to fetch, to change and to delete."""
    sid = settings.twilio_account_sid
    path = f"{url}/2010-04-01/Accounts/{sid}/Messages.json"
    sms = {"To": _HARMLESS["To"], "From": _HARMLESS["From"], "Body": "a text"}
    account = (sid, settings.twilio_auth_token.get_secret_value())
    with httpx.Client(auth=account, trust_env=False) as http:
        return [{"AccountSid": sid, "Sid": http.post(path, data=sms).json()["sid"]} for _ in range(CASES)]


NOWHERE = "http://127.0.0.1:9/nobody"
_HARMLESS = {
    "inbound_url": NOWHERE,
    "StatusCallback": NOWHERE,
    "To": "+447700900123",
    "From": "+12025550100",
    "number": "+12025550100",
    "wait_s": 0.01,
    "seconds": 0.01,
}
