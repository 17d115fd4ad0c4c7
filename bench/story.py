"""How long people wait: report -> effect in another service, first order, first SMS; idle and at 200 reports/s.

The ceiling of `effect` and `order` is one bare hop in the same run: insert, produce, consume, insert by asyncpg
and aiokafka alone, one after another. The ceiling of `sms` is that hop and one bare create at the provider.
Loaded, the county's units are used up within a second; a case's answer is then its plan with the exits that stay
open, which is written in the same transaction as orders are, so that is what is timed there.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from pathlib import Path

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from _figures import Figure, percentile, show
from _stack import Arrivals, Desk, Filed, ms, open_arrivals, open_desk, running, until, write_directory
from guitu.settings import Settings

ORDER, PLAN = "guitu.order.issued.v1", "guitu.plan.published.v1"
EFFECT = "select 1 from dna_intake.sample_request where case_id = $1::text::uuid"
QUIET = """
select not exists (select from notifications.delivery where state in ('queued', 'sending', 'unknown'))
    and not exists (select from alerts.outbox where published_at is null)
    and not exists (select from dispatch.outbox where published_at is null)
    and not exists (select from notifications.outbox where published_at is null)
"""
REST_S = 0.5
LOADED_PER_S = 200
SEED = 20260301


async def idle(
    desk: Desk, arrivals: Arrivals, conn: asyncpg.Connection, cases: int
) -> dict[str, list[float]]:
    """Milliseconds of each step, one case after another, each stood down before the next."""
    steps: dict[str, list[float]] = {"effect": [], "order": [], "sms": []}
    for n in range(cases):
        filed = await desk.files()
        effect_s = await until(conn, EFFECT, filed.case_id)
        order_s = await arrivals.first(filed.case_id, ORDER)
        first = min(text["accepted_at"] for text in await desk.texts(filed))
        steps["effect"] += ms([(filed.posted_s, effect_s)])
        steps["order"] += ms([(filed.answered_s, order_s)])
        steps["sms"] += ms([(filed.answered_at, first)])
        await quiet(desk, conn)
        await desk.stands_down(filed)
        await quiet(desk, conn)
        if n % 10 == 9:
            print(f"  idle: {n + 1} of {cases} cases", flush=True)
    return steps


async def quiet(desk: Desk, conn: asyncpg.Connection) -> None:
    """Wait until nothing is under way any more: else the next case would wait for the last one's callbacks."""
    for _ in range(2):
        await until(conn, QUIET, pause_s=0.02)
        await desk.simulator("GET", "idle?wait_s=30")
        await asyncio.sleep(REST_S)


async def loaded(desk: Desk, arrivals: Arrivals, seconds: float) -> tuple[list[float], float]:
    """Open loop: a report every 5 ms whatever happens; milliseconds to each plan, and reports accepted a second."""
    rng, begin = random.Random(SEED), time.perf_counter()

    async def one(n: int) -> tuple[Filed, float]:
        await asyncio.sleep(begin + n / LOADED_PER_S - time.perf_counter())
        lon, lat = 108.706 + rng.uniform(-0.05, 0.05), 30.93 + rng.uniform(-0.05, 0.05)
        filed = await desk.files(lon, lat)
        return filed, await arrivals.first(filed.case_id, PLAN)

    done = await asyncio.gather(*(one(n) for n in range(int(seconds * LOADED_PER_S))))
    last_s = max(filed.answered_s for filed, _ in done)
    return ms([(filed.answered_s, plan_s) for filed, plan_s in done]), len(done) / (last_s - begin)


async def bare_hop(settings: Settings, times: int) -> list[float]:
    """Milliseconds of insert, produce, consume, insert; each commits and is acknowledged."""
    conn = await asyncpg.connect(settings.database_url)
    await conn.execute("create table if not exists bare_hop (n integer)")
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka, acks="all", enable_idempotence=True)
    consumer = AIOKafkaConsumer("guitu.dna.dlq", bootstrap_servers=settings.kafka)
    await producer.start()
    await consumer.start()
    await consumer.seek_to_end()
    taken: list[tuple[float, float]] = []
    for n in range(times):
        begin = time.perf_counter()
        await conn.execute("insert into bare_hop values ($1)", n)
        await producer.send_and_wait("guitu.dna.dlq", b"bare")
        await consumer.getone()
        await conn.execute("insert into bare_hop values ($1)", n)
        taken.append((begin, time.perf_counter()))
    await producer.stop()
    await consumer.stop()
    await conn.close()
    return ms(taken)


async def bare_create(settings: Settings, times: int) -> list[float]:
    """Milliseconds of one create at the provider by a bare HTTP client."""
    sid, taken = settings.twilio_account_sid, []
    auth = (sid, settings.twilio_auth_token.get_secret_value())
    form = {"To": "+447700900999", "From": "+12025550100", "Body": "bare"}
    async with httpx.AsyncClient(auth=auth, trust_env=False) as http:
        for _ in range(times):
            begin = time.perf_counter()
            url = f"{settings.twilio_url}/2010-04-01/Accounts/{sid}/Messages.json"
            (await http.post(url, data=form)).raise_for_status()
            taken.append((begin, time.perf_counter()))
    return ms(taken)


async def measure_idle(system: object, settings: Settings, cases: int) -> dict[str, Figure]:
    """The idle figures, each beside the bare hop of the same run."""
    conn = await asyncpg.connect(settings.database_url)
    async with open_desk(system, settings) as desk, open_arrivals(settings, "guitu.orders") as arrivals:  # type: ignore[arg-type]
        await idle(desk, arrivals, conn, 3)
        hop_ms, create_ms = await bare_hop(settings, 200), await bare_create(settings, 100)
        steps = await idle(desk, arrivals, conn, cases)
    await conn.close()
    goals = {"effect": (10, 30), "order": (50, 150), "sms": (100, 300)}
    figures = {}
    for name, values in steps.items():
        for label, share, goal in (("p50", 0.5, goals[name][0]), ("p99", 0.99, goals[name][1])):
            bare = percentile(hop_ms, share) + (percentile(create_ms, share) if name == "sms" else 0)
            figures[f"{name}_ms_{label}"] = Figure(percentile(values, share), "ms", goal, bare)
    return figures


async def measure_loaded(system: object, settings: Settings, seconds: float) -> dict[str, Figure]:
    """The figures at 200 reports a second."""
    async with open_desk(system, settings) as desk, open_arrivals(settings, "guitu.orders") as arrivals:  # type: ignore[arg-type]
        for _ in range(5):
            await arrivals.first((await desk.files()).case_id, PLAN)
        plan_ms, rate = await loaded(desk, arrivals, seconds)
    return {
        "order_ms_p50_loaded": Figure(percentile(plan_ms, 0.5), "ms"),
        "order_ms_p99_loaded": Figure(percentile(plan_ms, 0.99), "ms", 1000),
        "reports_per_s_loaded": Figure(rate, "1/s", LOADED_PER_S, LOADED_PER_S),
    }


def main() -> None:
    """Idle on the whole Yunyang directory; loaded on a directory of one site, else its SMS alone fill the machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="30 cases and 5 s of load instead of 100 and 15 s"
    )
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args()
    cases, seconds = (30, 5.0) if options.quick else (100, 15.0)
    with running() as (system, settings):
        figures = asyncio.run(measure_idle(system, settings, cases))
    with tempfile.TemporaryDirectory() as folder:
        one_site = write_directory(Path(folder), 1)
        with running(one_site) as (system, settings):
            figures |= asyncio.run(measure_loaded(system, settings, seconds))
    show("story", figures, as_json=options.json)


if __name__ == "__main__":
    main()
