"""When sending is scarce: a stand-down overtakes, a second provider takes over, an answer ends the waiting."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from _figures import Figure, percentile
from _stack import Desk, Filed, open_desk, until
from guitu.settings import Settings
from guitu.supervisor.system import System

FIRST, SECOND = "+12025550100", "+12025550101"
LOOK_S = 0.05
TOLD = "select count(*) >= $2 from notifications.delivery where case_id = $1::text::uuid and accepted_at is not null"
HOW_MANY_TOLD = TOLD.replace(" >= $2", "")
QUEUED = TOLD.replace(" and accepted_at is not null", "")
ALL_STOOD_DOWN = """
select count(*) > 0 and bool_and(s.accepted_at is not null) from notifications.delivery d
left join notifications.delivery s
    on s.case_id = d.case_id and s.contact_id = d.contact_id and s.kind = 'stood_down'
where d.case_id = $1::text::uuid and d.kind <> 'stood_down' and d.attempted_at is not null
"""
BY_SECOND = """
select count(*) > 0 from notifications.attempt where sender = 'second' and state = 'accepted' and started_at > $1
"""
SETTLED = """
select count(*) = $2 from notifications.delivery where case_id = $1::text::uuid and accepted_at is not null
"""
TO_ANSWER = """
select c.phone, d.ack_code, d.id from notifications.delivery d join notifications.contact c using (contact_id)
where d.case_id = $1::text::uuid and d.kind = 'raised' and d.accepted_at is not null
order by d.distance_km limit $2
"""
ANSWERED = (
    "select acknowledged_at is not null and answer_due_at is null from notifications.delivery where id = $1"
)


async def overtaking(desk: Desk, conn: asyncpg.Connection) -> dict[str, Figure]:
    """With a whole alert's routine notices waiting, another case is stood down: until all who were told know it."""
    first = await desk.files()
    await until(conn, TOLD, first.case_id, 200, pause_s=LOOK_S)
    behind = await desk.files()
    await until(conn, QUEUED, behind.case_id, 200, pause_s=LOOK_S)
    begin = time.perf_counter()
    await desk.stands_down(first)
    end = await until(conn, ALL_STOOD_DOWN, first.case_id, pause_s=LOOK_S, bound_s=120)
    told = await conn.fetchval(HOW_MANY_TOLD, first.case_id)
    print(f"  {told} SMS of the first case stood down while the second's waited", flush=True)
    await desk.stands_down(behind)
    return {"stand_down_overtakes_s": Figure(end - begin, "s", 10)}


async def answering(desk: Desk, conn: asyncpg.Connection, filed: Filed, count: int) -> dict[str, Figure]:
    """From the moment at which a phone sends its code until nobody else will be asked."""
    waits: list[float] = []
    for row in await conn.fetch(TO_ANSWER, filed.case_id, count):
        begin = time.perf_counter()
        await desk.simulator("POST", "inbound", **{"from": row["phone"], "body": f"收到 {row['ack_code']}"})
        waits.append((await until(conn, ANSWERED, row["id"]) - begin) * 1000)
    return {"ack_ends_escalation_ms_p99": Figure(percentile(waits, 0.99), "ms", 1000)}


def two_senders(first_url: str) -> str:
    """GUITU_SENDERS: the first behind `first_url`, the second straight at the simulator."""
    return json.dumps(
        [
            {"name": "first", "provider": "twilio", "address": FIRST, "url": first_url},
            {"name": "second", "provider": "twilio", "address": SECOND},
        ]
    )


@contextmanager
def forwarding(port: int, behind: int) -> Iterator[subprocess.Popen[str]]:
    """A way to the provider that can be killed."""
    script = Path(__file__).with_name("_forward.py")
    command = [sys.executable, str(script), str(port), str(behind)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


async def failing_over(system: System, settings: Settings, sites: int, port: int) -> dict[str, Figure]:
    """The first sender's provider goes hard down in the middle of an alert."""
    behind = int(system.urls["sms-simulator"].rpartition(":")[2])
    conn = await asyncpg.connect(settings.database_url)
    async with open_desk(system, settings) as desk:
        with forwarding(port, behind) as way:
            filed = await desk.files()
            await until(conn, TOLD, filed.case_id, sites // 4, pause_s=LOOK_S)
            way.kill()
            begin, cut_at = time.perf_counter(), await conn.fetchval("select now()")
        taken_s = await until(conn, BY_SECOND, cut_at, pause_s=0.01, bound_s=60) - begin
        # All but what was on its way when the line went dead: that may have arrived, and is not repeated.
        await until(conn, TOLD, filed.case_id, sites - 64, pause_s=LOOK_S, bound_s=300)
        print(f"  taken over after {taken_s:.2f} s; the first comes back to say what it had", flush=True)
        with forwarding(port, behind):
            await until(conn, SETTLED, filed.case_id, sites, pause_s=0.2, bound_s=300)
            texts = await desk.texts(filed, sites)
    await conn.close()
    return {
        "failover_s": Figure(taken_s, "s", 15),
        "failover_doubled": Figure(sum(n - 1 for n in Counter(t["to"] for t in texts).values()), "", 0),
        "failover_lost": Figure(sites - len({text["to"] for text in texts}), "", 0),
    }
