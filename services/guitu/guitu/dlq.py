"""`guitu dlq list|show|replay`: dead letters of every service, until a person has mended what was wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID

import asyncpg
import typer

from contracts.flow import TOPIC_BY_NAME
from guitu import dead_letters
from guitu.clock import Clock, Ids
from guitu.commands.attach import DATABASE, node_settings
from guitu.commands.shape import command_line
from guitu.embedded.trouble import NodeError
from guitu.migrate import PACKAGES
from guitu.pg import open_pool, schema_of

cli = command_line(
    "Dead letters, messages that could not be handled: list, show, replay.", no_args_is_help=True
)


def _known_service(name: str | None) -> str | None:
    if name is not None and schema_of(name) not in PACKAGES:
        raise typer.BadParameter(f"No service {name!r}; there are {', '.join(PACKAGES)}.")
    return name


def _known_topic(name: str | None) -> str | None:
    if name is not None and name not in TOPIC_BY_NAME:
        raise typer.BadParameter(f"No topic {name!r}; there are {', '.join(TOPIC_BY_NAME)}.")
    return name


Service = Annotated[
    str | None,
    typer.Option(callback=_known_service, help=f"Only this service: {', '.join(PACKAGES)}."),
]
OnlyTopic = Annotated[
    str | None, typer.Option(callback=_known_topic, help="Only this topic, such as guitu.reports.")
]


@asynccontextmanager
async def _connections(only: str | None) -> AsyncIterator[list[tuple[str, asyncpg.Connection]]]:
    url = node_settings(DATABASE).database_url
    names = [schema_of(only)] if only else list(PACKAGES)
    pools = [await open_pool(url, name, size=1) for name in names]
    try:
        yield [(name, await pool.acquire()) for name, pool in zip(names, pools, strict=True)]
    finally:
        for pool in pools:
            pool.terminate()


@cli.command("list")
def list_(
    service: Service = None,
    topic: OnlyTopic = None,
    everything: Annotated[bool, typer.Option("--all", help="Replayed ones too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many of each service.")] = 100,
) -> None:
    """List the dead letters that wait, the oldest first; times are UTC.

    \b
    Example: ./guitu dlq list --service alerts --topic guitu.reports
    """
    found = asyncio.run(_list(service, topic, everything, limit))
    if found:
        typer.echo(f"{found} shown. ./guitu dlq show ID tells more, ./guitu dlq replay [ID] tries again.")
    else:
        typer.echo("No dead letters." if everything else "No dead letters wait; --all shows replayed ones.")


async def _list(service: str | None, topic: str | None, everything: bool, limit: int) -> int:
    found = 0
    async with _connections(service) as connections:
        for name, conn in connections:
            for row in await dead_letters.waiting(conn, topic, everything, limit):
                found += 1
                replayed = f"  replayed {row['replayed_at']:%Y-%m-%d %H:%M:%S}" if row["replayed_at"] else ""
                typer.echo(f"{row['id']}  {row['arrived_at']:%Y-%m-%d %H:%M:%S}")
                typer.echo(f"    {name} from {row['topic']}{replayed}")
                typer.echo(f"    {row['reason']}: {row['detail']}")
    return found


@cli.command()
def show(
    letter_id: Annotated[UUID, typer.Argument(metavar="ID", help="As ./guitu dlq list shows it.")],
) -> None:
    """Show one dead letter: reason, headers, and the size of its body (the body itself may be personal)."""
    asyncio.run(_show(letter_id))


async def _show(letter_id: UUID) -> None:
    async with _connections(None) as connections:
        name, _, row = await _find(connections, letter_id)
    replayed = f"{row['replayed_at']:%Y-%m-%d %H:%M:%S} UTC" if row["replayed_at"] else "no"
    lines = {
        "service": name,
        "topic": f"{row['topic']}, partition {row['partition']}, offset {row['offset']}",
        "reason": f"{row['reason']}: {row['detail']}",
        "event": row["event_id"] or "has no readable id",
        "arrived": f"{row['arrived_at']:%Y-%m-%d %H:%M:%S} UTC",
        "replayed": replayed,
        "body": f"{len(row['value'] or b'')} bytes",
    }
    for word, text in lines.items():
        typer.echo(f"{word:<9} {text}")
    for header, value in row["headers"].items():
        typer.echo(f"{'header':<9} {header}: {value}")


@cli.command()
def replay(
    letter_id: Annotated[
        UUID | None, typer.Argument(metavar="ID", help="One letter; without it, all that wait.")
    ] = None,
    service: Service = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be replayed.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many of each service.")] = 1000,
) -> None:
    """Put dead letters back onto their topics, unchanged: first mend what refused them.

    The event id stays, so nothing is done twice; what is refused again comes back as a new dead letter.

    \b
    Examples:
      ./guitu dlq replay --dry-run
      ./guitu dlq replay 01a20f7f-8738-7066-b079-131b94da557e
    """
    count = asyncio.run(_replay(letter_id, service, dry_run, limit))
    typer.echo(f"{'Would replay' if dry_run else 'Replayed'}: {count}")


async def _replay(letter_id: UUID | None, service: str | None, dry_run: bool, limit: int) -> int:
    async with _connections(service) as connections:
        if letter_id is not None:
            _, conn, letter = await _find(connections, letter_id)
            return await _put_back(conn, [letter], dry_run)
        count = 0
        for _, conn in connections:
            rows = await dead_letters.waiting(conn, None, False, limit)
            letters = [await dead_letters.show(conn, row["id"]) for row in rows]
            count += await _put_back(conn, [each for each in letters if each], dry_run)
        return count


async def _put_back(conn: asyncpg.Connection, letters: list[asyncpg.Record], dry_run: bool) -> int:
    clock, ids, count = Clock(), Ids(), 0
    for letter in letters:
        if dry_run:
            typer.echo(f"{letter['id']}  {letter['topic']}  {letter['reason']}")
        else:
            try:
                await dead_letters.replay(conn, letter, ids.new(), clock.now())
            except dead_letters.TooLargeToReplay as refused:
                typer.echo(f"{letter['id']} stays: {refused}", err=True)
                continue
        count += 1
    return count


async def _find(
    connections: list[tuple[str, asyncpg.Connection]], letter_id: UUID
) -> tuple[str, asyncpg.Connection, asyncpg.Record]:
    for name, conn in connections:
        row = await dead_letters.show(conn, letter_id)
        if row:
            return name, conn, row
    raise NodeError(f"There is no dead letter {letter_id}. Mend: ./guitu dlq list --all shows them.")
