"""The whole story on real Kafka, PostgreSQL, the simulator and the four services, each in a process of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

import dispatch.seed
import notifications.seed
from guitu import auth
from guitu.pg import open_pool
from guitu.settings import Settings
from guitu.supervisor.system import System
from harness import ground

WAIT_S = 30.0


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with System(ephemeral=True, port_base=21_200, show_logs=False) as running:
        asyncio.run(seed(ground.settings_for(running.env)))
        yield running


async def seed(settings: Settings) -> None:
    for service, load in (("dispatch", dispatch.seed.seed), ("notifications", notifications.seed.seed)):
        pool = await open_pool(settings.database_url, service)
        await load(pool)
        await pool.close()


class CommandCentre:
    """The operator's desk: raises alerts, sees what happens, stands down."""

    def __init__(self, system: System) -> None:
        settings = ground.settings_for(system.env)
        token = auth.mint(settings, "desk-1", "operator", "500235", datetime.now(UTC), timedelta(hours=1))
        self._http = httpx.Client(
            base_url=system.urls["alerts"], headers={"Authorization": f"Bearer {token}"}, timeout=10
        )

    def files(self, key: str = "", **more: Any) -> httpx.Response:
        """File a report of a fictional child last seen at the bus station of the county seat."""
        body = {
            "last_seen_place": {"lon": 108.71, "lat": 30.926, "name": "云阳汽车站"},
            "last_seen_at": (datetime.now(UTC) - timedelta(minutes=12)).isoformat(),
            "sex": "male",
            "age_years": 6,
            "appearance": "红色外套,蓝裤子",
        }
        return self._http.post("/reports", json=body | more, headers={"Idempotency-Key": key or str(uuid4())})

    def case(self, case_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._http.get(f"/cases/{case_id}").raise_for_status().json()
        return answer

    def stands_down(self, case_id: str) -> None:
        self._http.post(f"/cases/{case_id}/stand-down", json={"outcome": "found"}).raise_for_status()

    def waits_for(self, case_id: str, what: str, true_of: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            case = self.case(case_id)
            if true_of(case):
                return case
            time.sleep(0.1)
        raise AssertionError(f"No {what} within {WAIT_S} s: {case['orders']} {case['notices']}")


@pytest.fixture(scope="module")
def command_centre(system: System) -> CommandCentre:
    return CommandCentre(system)


@pytest.mark.xfail(reason="Stand-down numbers are compared before all notices went out; see issue 3.", strict=False)
def test_a_report_becomes_orders_notices_and_a_dna_intake_and_its_end_reaches_those_who_were_told(
    command_centre: CommandCentre, system: System
) -> None:
    case_id = command_centre.files().json()["case_id"]

    case = command_centre.waits_for(case_id, "plan", lambda c: c["plan_number"] >= 1 and c["orders"])
    told = command_centre.waits_for(
        case_id, "notices", lambda c: sum(c["notices"].values()) > 100 and not c["notices"].get("queued")
    )
    command_centre.waits_for(case_id, "DNA intake", lambda c: len(c["dna"]) >= 2)
    ledger_before = messages(system)
    command_centre.stands_down(case_id)
    command_centre.waits_for(case_id, "stand-down of orders", lambda c: set(c["orders"]) == {"stood_down"})
    after = command_centre.waits_for(
        case_id,
        "stand-down notices",
        lambda c: (
            sum(c["notices"].values()) >= 2 * sum(told["notices"].values()) - case["orders"]["issued"]
            and not c["notices"].get("queued")
        ),
    )

    kinds = {line["type"] for line in after["dna"]}
    assert {"guitu.dna.sample_requested.v1", "guitu.dna.cross_match_requested.v1"} <= kinds
    numbers_told, numbers_stood_down = {m["to"] for m in ledger_before}, {m["to"] for m in messages(system)}
    assert numbers_told == numbers_stood_down


def messages(system: System) -> list[dict[str, Any]]:
    """Every SMS the simulator accepted."""
    found = httpx.get(system.urls["sms-simulator"] + "/simulator/messages", params={"limit": 10_000}).json()
    listed: list[dict[str, Any]] = found["messages"] if isinstance(found, dict) else found
    return listed


def test_the_same_key_gives_the_same_case_and_another_body_is_refused(command_centre: CommandCentre) -> None:
    key, seen_at = str(uuid4()), datetime.now(UTC).isoformat()

    first = command_centre.files(key, last_seen_at=seen_at, exercise=True)
    again = command_centre.files(key, last_seen_at=seen_at, exercise=True)
    other = command_centre.files(key, last_seen_at=seen_at, exercise=True, age_years=7)

    assert (201, first.json()) == (again.status_code, again.json())
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    "wrong",
    [
        {"age_years": "six"},
        {"age_years": 40},
        {"nmae": "x"},
        {"appearance": "a\x00b"},
        {"last_seen_at": "9999-12-31T23:59:59-12:00"},
        {"last_seen_at": "2999-01-01T00:00:00Z"},
        {"last_seen_at": "2026-01-01T00:00:00"},
        {"last_seen_place": {"lon": 0, "lat": 0}},
    ],
    ids=str,
)
def test_a_bad_report_is_refused_with_what_to_mend(
    command_centre: CommandCentre, wrong: dict[str, Any]
) -> None:
    answer = command_centre.files(**wrong)

    assert answer.status_code == 422
    assert answer.json()["detail"]
