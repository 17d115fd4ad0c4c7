"""Those who hand things in and are as patient as they should be: the same request again until it is answered.

An outside system that got no 2xx does not know whether it was heard, so it repeats itself with the same
Idempotency-Key, or the same event id on the topic. Only what was answered becomes a promise.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import aiohttp
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from contracts import wire
from contracts.base import Child, EventId, Place, Position, ReportId, Sex
from contracts.report import ReportFiled
from guitu import auth
from harness.chaos.county import County
from harness.chaos.script import Report

PATIENCE_S = 120.0
REQUEST_S = 10.0
PAUSE_S = 0.25
SERVER_ERROR = 500
TOO_MANY = 429
SERVICE_NUMBER = "+12025550100"


class NeverAnswered(Exception):
    """Nobody answered for two minutes; says what was asked."""


class Desk:
    """The command centre's desk: HTTP, patient."""

    def __init__(self, http: aiohttp.ClientSession, county: County) -> None:
        region = county.settings.region_code
        token = auth.mint(county.settings, "desk", "operator", region, datetime.now(UTC), timedelta(hours=12))
        self._headers = {"Authorization": f"Bearer {token}"}
        self._http, self._urls = http, county.system.urls
        self.retries = 0

    async def ask(
        self, service: str, method: str, path: str, body: Any = None, key: str = ""
    ) -> tuple[int, Any]:
        """Ask until there is an answer below 500; returns its status and JSON. Raises: NeverAnswered."""
        headers = self._headers | ({"Idempotency-Key": key} if key else {})
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            answer = await self._once(f"{self._urls[service]}{path}", method, body, headers)
            if answer is not None:
                return answer
            self.retries += 1
            await asyncio.sleep(PAUSE_S)
        raise NeverAnswered(f"{method} {service}{path} for {PATIENCE_S:g} s.")

    async def _once(
        self, url: str, method: str, body: Any, headers: dict[str, str]
    ) -> tuple[int, Any] | None:
        try:
            timeout = aiohttp.ClientTimeout(total=REQUEST_S)
            async with self._http.request(method, url, json=body, headers=headers, timeout=timeout) as answer:
                if answer.status >= SERVER_ERROR or answer.status == TOO_MANY:
                    return None
                return answer.status, await answer.json()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None

    async def files(self, report: Report, seen_at: datetime) -> dict[str, Any]:
        """File a report; returns the answer to it. Raises: AssertionError, if it is refused."""
        body = {
            "last_seen_place": {"lon": report.lon, "lat": report.lat, "name": f"{report.number}号路口"},
            "last_seen_at": seen_at.isoformat(),
            "sex": "female",
            "age_years": 6,
            "appearance": "红色羽绒服,蓝色书包",
        }
        status, answer = await self.ask("alerts", "POST", "/reports", body, report.key)
        assert 201 == status, answer
        return dict(answer)

    async def texts(self, case_code: str, wait_s: float) -> list[dict[str, Any]]:
        """SMS about a case, oldest first, once there is one or the time is over."""
        path = f"/simulator/messages?containing={case_code}&at_least=1&wait_s={wait_s:g}"
        _, answer = await self.ask("sms-simulator", "GET", path)
        return list(answer["messages"])

    async def types(self, phone: str, text: str) -> tuple[str, int]:
        """A phone answers by SMS; returns the provider's id and how our webhook answered.

        Once only: a person sees no answer either, and a second SMS is another one.
        """
        url = f"{self._urls['sms-simulator']}/simulator/inbound"
        body = {"from": phone, "to": SERVICE_NUMBER, "body": text}
        answer = await self._once(url, "POST", body, {})
        if answer is None:
            return "", 0
        return str(answer[1]["sid"]), int(answer[1]["webhook_status"] or 0)


@asynccontextmanager
async def open_desk(county: County) -> AsyncIterator[Desk]:
    """Yield a desk and say where texts from phones go; its connections close afterwards."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=100)) as http:
        desk = Desk(http, county)
        inbound = {"inbound_url": f"{county.system.urls['notifications']}/twilio/inbound"}
        await desk.ask("sms-simulator", "PUT", f"/simulator/numbers/{SERVICE_NUMBER}", inbound)
        yield desk


class Feeder:
    """An outside system that writes to guitu.reports itself, past the proxy."""

    def __init__(self, broker: str) -> None:
        self._broker = broker
        self._producer: AIOKafkaProducer | None = None
        self._turn = asyncio.Lock()
        self.events: set[UUID] = set()

    async def feeds(self, report: Report, seen_at: datetime, event_id: UUID) -> None:
        """Write a report; returns when the broker has acknowledged it. Raises: NeverAnswered."""
        fact = ReportFiled(
            region_code="500235",
            occurred_at=datetime.now(UTC),
            report_id=ReportId(report.report_id),
            child=Child(sex=Sex.female, age_years=6, appearance="红色羽绒服,蓝色书包"),
            last_seen_place=Place(
                position=Position(lon=report.lon, lat=report.lat), name=f"{report.number}号路口"
            ),
            last_seen_at=seen_at,
            source="110",
        )
        message = wire.encode(fact, EventId(event_id), "outside/110")
        self.events.add(event_id)
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                async with asyncio.timeout(REQUEST_S):
                    producer = await self._connected()
                    await producer.send_and_wait(
                        message.topic, message.value, message.key.encode(), headers=message.headers
                    )
                return
            except (KafkaError, OSError, TimeoutError):
                await asyncio.sleep(PAUSE_S)
        raise NeverAnswered(f"Report {report.number} was not acknowledged by the broker.")

    async def _connected(self) -> AIOKafkaProducer:
        async with self._turn:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self._broker, acks="all", enable_idempotence=True
                )
                await producer.start()
                self._producer = producer
        return self._producer

    async def close(self) -> None:
        """Close the connection."""
        if self._producer is not None:
            await self._producer.stop()


@asynccontextmanager
async def open_feeder(broker: str) -> AsyncIterator[Feeder]:
    """Yield a feeder and close it afterwards."""
    feeder = Feeder(broker)
    try:
        yield feeder
    finally:
        await feeder.close()
