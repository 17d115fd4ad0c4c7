"""Events a second through all services, sustained, with nothing left waiting; and through the ground alone.

An outside system floods guitu.reports; every report becomes a case, a plan, a DNA intake and an SMS to one site,
and all of it is folded into the case's live status. An event is a fact on a topic. The ceiling is bare asyncpg and
aiokafka doing one row in, one message and one row out an event, in the same run.
`--minutes` floods at a bounded rate for so long and says how the services' memory grew.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import aiokafka
import asyncpg
import psutil

from _bare import bare_events_per_s
from _figures import Figure, show
from _ground_cost import measure_ground
from _stack import running, until, write_directory
from contracts import wire
from contracts.base import Child, EventId, Place, Position, ReportId, Sex
from contracts.report import ReportFiled
from guitu.settings import Settings
from guitu.supervisor.members import SERVICES
from guitu.supervisor.system import System

SCHEMAS = ("alerts", "dispatch", "dna_intake", "notifications")
SOAK_REPORTS_PER_S = 10
DRAINED = """
select (select count(*) from alerts.case_file) = $1
    and (select count(*) from alerts.plan_line) = $1
    and (select count(*) from alerts.dna_line) = 2 * $1
    and (select count(*) from alerts.notice_line where state = 'delivered') >= $1
    and not exists (select from notifications.delivery where state not in ('delivered', 'cancelled'))
"""
FACTS = " + ".join(f"(select count(*) from {schema}.outbox)" for schema in SCHEMAS)


def report(number: int) -> ReportFiled:
    """A fictional child somewhere around the county seat."""
    now = datetime.now(UTC)
    place = Position(lon=108.65 + number % 100 * 0.001, lat=30.9 + number // 100 % 100 * 0.001)
    return ReportFiled(
        region_code="500235",
        occurred_at=now,
        report_id=ReportId(uuid4()),
        child=Child(sex=Sex.male, age_years=number % 18, appearance="红色外套"),
        last_seen_place=Place(position=place, name="云阳客运中心"),
        last_seen_at=now - timedelta(minutes=10),
        source="bench",
    )


async def flood(settings: Settings, reports: int, per_s: float | None = None) -> None:
    """Write reports onto the topic, as fast as the broker takes them or so many a second."""
    producer = aiokafka.AIOKafkaProducer(
        bootstrap_servers=settings.kafka, acks="all", enable_idempotence=True
    )
    await producer.start()
    begin, acks = time.perf_counter(), []
    for n in range(reports):
        message = wire.encode(report(n), EventId(uuid4()), "bench")
        acks.append(
            await producer.send(
                message.topic, message.value, key=message.key.encode(), headers=message.headers
            )
        )
        if per_s:
            await asyncio.sleep(max(0.0, begin + n / per_s - time.perf_counter()))
    await asyncio.gather(*acks)
    await producer.stop()


async def sustained(settings: Settings, reports: int, already: int) -> tuple[float, int]:
    """Seconds from the first report to the last fold, and how many facts that were."""
    conn = await asyncpg.connect(settings.database_url)
    before = await conn.fetchval(f"select {FACTS}")
    begin = time.perf_counter()
    await flood(settings, reports)
    end = await until(conn, DRAINED, already + reports, pause_s=0.1, bound_s=900)
    facts = await conn.fetchval(f"select {FACTS}") - before + reports
    await conn.close()
    return end - begin, facts


def resident_mb(system: System) -> dict[str, float]:
    """Resident memory of each service."""
    return {
        each.name: psutil.Process(system.supervisor.pid(each.name)).memory_info().rss / 2**20
        for each in SERVICES
    }


async def soak(system: System, settings: Settings, minutes: float, already: int) -> dict[str, Figure]:
    """How much each service grew from one minute after the beginning to the end, in percent."""
    conn = await asyncpg.connect(settings.database_url)
    done = already
    warm: dict[str, float] = {}
    begin = time.perf_counter()
    while time.perf_counter() - begin < minutes * 60:
        await flood(settings, SOAK_REPORTS_PER_S * 10, SOAK_REPORTS_PER_S)
        done += SOAK_REPORTS_PER_S * 10
        await until(conn, DRAINED, done, pause_s=0.2, bound_s=120)
        if not warm and time.perf_counter() - begin > 60:
            warm = resident_mb(system)
        print(f"  soak: {(time.perf_counter() - begin) / 60:.1f} min, {done} reports", flush=True)
    await conn.close()
    now = resident_mb(system)
    return {
        f"growth_pct_{name.replace('-', '_')}": Figure((now[name] / warm[name] - 1) * 100, "%", 5)
        for name in warm
    }


async def measure(system: System, settings: Settings, reports: int, minutes: float) -> dict[str, Figure]:
    """All figures of the services together."""
    await sustained(settings, 100, 0)
    seconds, facts = await sustained(settings, reports, 100)
    bare = await bare_events_per_s(settings, max(2_000, facts))
    grown = await soak(system, settings, minutes, 100 + reports) if minutes else {}
    return {
        "events_per_s": Figure(facts / seconds, "1/s", 1000, bare),
        "reports_per_s": Figure(reports / seconds, "1/s"),
    } | grown


def main() -> None:
    """First all services, then the ground alone on a node of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="500 reports instead of 3,000")
    parser.add_argument("--minutes", type=float, default=0.0, help="then soak for so long")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        one_site = write_directory(Path(folder), 1)
        with running(one_site) as (system, settings):
            reports = 500 if options.quick else 3_000
            figures = asyncio.run(measure(system, settings, reports, options.minutes))
    figures |= measure_ground(4_000 if options.quick else 20_000)
    show("pipeline", figures, as_json=options.json)


if __name__ == "__main__":
    main()
