"""`guitu console rebuild` and `guitu console status`: build the picture anew; say how old and how large it is."""

from __future__ import annotations

import asyncio
import sys
import time
from zoneinfo import ZoneInfo

import typer
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError

from console.live import store_live
from console.live.age import SET_ASIDE_SHOWN, Age, waiting_by_topic
from console.projection import store_rebuild
from console.projection.rebuild import BrokerSilent, Progress, Say, rebuild
from guitu.clock import Clock
from guitu.commands.attach import DATABASE, KAFKA, node_settings
from guitu.embedded.trouble import NodeError
from guitu.pg import open_pool
from guitu.settings import Settings

ASKS_MAX = 10
BEIJING = ZoneInfo("Asia/Shanghai")


def rebuild_command() -> None:
    """Drop the picture and build it again from the topics' beginning; safe while the console runs.

    Pages show what they showed until it is done, and then the new picture. Interrupted, nothing has changed.
    """
    settings = node_settings(KAFKA, DATABASE)
    begun = time.monotonic()
    try:
        done = asyncio.run(_rebuild(settings))
    except BrokerSilent as silent:
        raise NodeError(str(silent)) from None
    except KafkaError as error:
        raise NodeError(
            f"The broker at {settings.kafka} does not answer ({type(error).__name__}). "
            "Mend: start it, then repeat; nothing was changed."
        ) from error
    seconds = time.monotonic() - begun
    typer.echo(f"Built again from {done.folded} facts in {seconds:.1f} s; pages that are open load anew.")
    if done.unreadable or done.set_aside:
        typer.echo(
            f"Left out: {done.unreadable} messages that can't be read, {done.set_aside} facts that no fold takes; "
            "./guitu dlq list --service console names them."
        )


async def _rebuild(settings: Settings) -> Progress:
    pool = await open_pool(settings.database_url, "console", size=1)
    try:
        return await rebuild(pool, settings, Clock(settings.clock_file), _on_screen())
    finally:
        pool.terminate()


def _on_screen() -> Say:
    """Progress on one line, at most ten times a second; a pipe gets none."""
    said_at = 0.0

    def say(progress: Progress) -> None:
        nonlocal said_at
        done = progress.read >= progress.total
        if sys.stderr.isatty() and (done or time.monotonic() - said_at > 0.1):
            said_at = time.monotonic()
            end = "\n" if done else ""
            print(f"\r{progress.read:>9} of {progress.total} facts", end=end, file=sys.stderr, flush=True)

    return say


def status_command() -> None:
    """Show up to when the picture is whole, how many facts wait on each topic, and how much it holds."""
    settings = node_settings(KAFKA, DATABASE)
    age, counts = asyncio.run(_status(settings))
    newest = age.facts_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S") if age.facts_at else "none yet"
    typer.echo(f"Newest fact: {newest} (Beijing time), change {age.seq}.")
    if age.waiting is None:
        typer.echo("The broker does not answer: nobody knows what is missing.")
    else:
        waiting = sum(age.waiting.values())
        typer.echo(f"Waiting on the broker: {waiting} facts." if waiting else "Nothing waits: it is whole.")
        for topic, many in age.waiting.items():
            typer.echo(f"  {topic:<18}{many:>8}")
    if age.set_aside:
        typer.echo(f"Set aside in the last day: {age.set_aside} messages; ./guitu dlq list --service console")
    typer.echo("Holds: " + ", ".join(f"{many} {name}" for name, many in counts.items()) + ".")


async def _status(settings: Settings) -> tuple[Age, dict[str, int]]:
    pool = await open_pool(settings.database_url, "console", size=1)
    try:
        _, seq, facts_at = await store_live.span(pool)
        now = Clock(settings.clock_file).now()
        aside = await store_live.set_aside(pool, now - SET_ASIDE_SHOWN)
        counts = dict(await store_rebuild.counts(pool))
    finally:
        pool.terminate()
    return Age(now, seq, facts_at, await _waiting(settings), set_aside=aside), counts


async def _waiting(settings: Settings) -> dict[str, int] | None:
    """By topic; None if the broker does not answer. One that is new makes its book of groups when first asked."""
    for _ in range(ASKS_MAX):
        try:
            return await asyncio.wait_for(waiting_by_topic(settings), 10)
        except GroupCoordinatorNotAvailableError:
            await asyncio.sleep(1.0)
        except (KafkaError, OSError, TimeoutError):
            return None
    return None
