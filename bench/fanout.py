"""One alert to 10,000 sites: queued, and accepted by the provider, unlimited and at a limit of 100 SMS a second.

The rival of `accepted_s` is the bare twilio client: the same number of creates to the same simulator in the same
run, as many at a time, with nothing stored, no callback and no guarantee. `client_ratio` is our rate over its.
`limited_s` is with GUITU_SMS_PER_S=100 at a provider that refuses whatever is over 100 a second: it counts what it
refused, and its ledger says what came in any one second. `stand_down_overtakes_s`: with another alert's notices waiting
at that limit, until everybody who was told of a case knows that it is over. `failover_s`: the first of two senders goes
hard down in the middle of an alert, until the second's first SMS; what was on its way is neither lost nor doubled.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import asyncpg
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from _figures import Figure, show
from _scarcity import answering, failing_over, overtaking, two_senders
from _stack import Desk, Filed, open_desk, running, until, write_directory
from guitu.embedded.ports import LOOPBACK, next_free_port
from guitu.settings import Settings
from guitu.supervisor.system import System
from notifications.settings import NotificationSettings

LIMIT_PER_S = 100
LOOK_S = 0.05
ANSWERS = 200
QUEUED = "select count(*) >= $2 from notifications.delivery where case_id = $1::text::uuid"
ENDED = """
select count(*) filter (where accepted_at is not null or state = 'failed') >= $2 from notifications.delivery
where case_id = $1::text::uuid
"""
FAILED = """
select count(*) from notifications.delivery
where case_id = $1::text::uuid and state = 'failed' and accepted_at is null
"""
QUIET = (
    "select not exists (select from notifications.delivery where state in ('queued', 'sending', 'unknown'))"
)


async def one_alert(
    desk: Desk, conn: asyncpg.Connection, sites: int, bound_s: float
) -> tuple[Filed, float, float]:
    """File a report; seconds until every site's notice is queued, and until the provider has all of them."""
    filed = await desk.files()
    queued_s = await until(conn, QUEUED, filed.case_id, sites, pause_s=LOOK_S)
    ended_s = await until(conn, ENDED, filed.case_id, sites, pause_s=LOOK_S, bound_s=bound_s)
    return filed, queued_s - filed.answered_s, ended_s - filed.answered_s


async def bare_client_s(settings: Settings, sites: int) -> float:
    """Seconds that the bare twilio client takes for so many creates, as many at a time as we allow ourselves."""
    at_once = NotificationSettings(**settings.model_dump()).sms_in_flight
    http = AsyncTwilioHttpClient(pool_connections=True)
    account, token = settings.twilio_account_sid, settings.twilio_auth_token.get_secret_value()
    client, room = Client(account, token, http_client=http), asyncio.Semaphore(at_once)
    client.api.base_url = settings.twilio_url

    async def create(n: int) -> None:
        async with room:
            to = f"+1{200 + n // 100}55501{n % 100:02}"
            await client.messages.create_async(to=to, from_="+12025550100", body="云阳公安 测试 bench")

    begin = time.perf_counter()
    await asyncio.gather(*(create(n) for n in range(sites)))
    seconds = time.perf_counter() - begin
    await http.close()
    return seconds


def most_in_a_second(accepted_at: Sequence[float]) -> int:
    """The most that were accepted within any one second that begins with one of them."""
    ordered, first, most = sorted(accepted_at), 0, 0
    for last, at in enumerate(ordered):
        while at - ordered[first] >= 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most


async def measure(system: System, settings: Settings, sites: int) -> dict[str, Figure]:
    """All figures; each alert is stood down before the next."""
    conn = await asyncpg.connect(settings.database_url)
    async with open_desk(system, settings) as desk:
        filed, queued_s, accepted_s = await one_alert(desk, conn, sites, bound_s=600)
        print(f"  unlimited: all queued in {queued_s:.2f} s, accepted in {accepted_s:.1f} s", flush=True)
        doubled = doubles(await desk.texts(filed, sites))
        answered = await answering(desk, conn, filed, ANSWERS)
        await desk.stands_down(filed)
        await asyncio.sleep(1)
        await until(conn, QUIET, pause_s=0.2, bound_s=600)
        bare_s = await bare_client_s(settings, sites)
        print(f"  bare client: {bare_s:.1f} s", flush=True)
    await conn.close()
    return {
        "queued_s": Figure(queued_s, "s", 1),
        "accepted_s": Figure(accepted_s, "s", 25, bare_s),
        "client_ratio": Figure(bare_s / accepted_s, "", 0.6),
        "doubled": Figure(doubled, "", 0),
        **answered,
    }


async def measure_limited(system: System, settings: Settings, sites: int) -> dict[str, Figure]:
    """The same at a provider that refuses what is over its limit."""
    conn = await asyncpg.connect(settings.database_url)
    async with open_desk(system, settings) as desk:
        await desk.simulator("PUT", "limit", segments_per_s=LIMIT_PER_S)
        filed, _, limited_s = await one_alert(desk, conn, sites, bound_s=sites / LIMIT_PER_S * 4 + 60)
        texts = await desk.texts(filed, 1)
        refused = (await desk.simulator("GET", "limit"))["refused"]
        await desk.stands_down(filed)
        await asyncio.sleep(2)
        await until(conn, QUIET, pause_s=0.2, bound_s=sites / LIMIT_PER_S * 4 + 60)
        overtaken = await overtaking(desk, conn)
    failed = await conn.fetchval(FAILED, filed.case_id)
    await conn.close()
    most = most_in_a_second([text["accepted_at"] for text in texts])
    return {
        "limited_s": Figure(limited_s, "s", 105 * sites / 10_000, sites / LIMIT_PER_S),
        "limited_most_in_a_second": Figure(most, "1/s", LIMIT_PER_S),
        "limited_refused": Figure(refused, "", 0),
        "limited_failed": Figure(failed, "", 0),
        **overtaken,
    }


def doubles(texts: Sequence[dict[str, object]]) -> int:
    """How many SMS some phone got twice about one case."""
    return sum(count - 1 for count in Counter(text["to"] for text in texts).values())


def main() -> None:
    """10,000 sites with a phone each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2,000 sites instead of 10,000")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args()
    sites = 2_000 if options.quick else 10_000
    with tempfile.TemporaryDirectory() as folder:
        directory = write_directory(Path(folder), sites)
        with running(directory) as (system, settings):
            figures = asyncio.run(measure(system, settings, sites))
        print(f"  at a limit of {LIMIT_PER_S} a second", flush=True)
        with running(directory, GUITU_SMS_PER_S=str(LIMIT_PER_S)) as (system, settings):
            figures |= asyncio.run(measure_limited(system, settings, sites))
        print("  with two senders, the first of which goes down", flush=True)
        port = next_free_port(31_000, span=1_000)
        with running(directory, GUITU_SENDERS=two_senders(f"http://{LOOPBACK}:{port}")) as (system, settings):
            figures |= asyncio.run(failing_over(system, settings, sites, port))
    show("fanout", figures, as_json=options.json)


if __name__ == "__main__":
    main()
