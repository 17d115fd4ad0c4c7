"""`guitu dlq`: what was set aside, why, and back onto its topic once the reason is mended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID

import asyncpg
import typer

from guitu import dead_letters
from guitu.clock import Clock, Ids
from guitu.migrate import PACKAGES
from guitu.pg import open_pool
from guitu.settings import Settings

cli = typer.Typer(help="Dead letters: list, show, replay.", no_args_is_help=True)
Service = Annotated[str | None, typer.Option(help=f"Only this service: {', '.join(PACKAGES)}.")]


@asynccontextmanager
async def _connections(only: str | None) -> AsyncIterator[list[tuple[str, asyncpg.Connection]]]:
    names = [only] if only else list(PACKAGES)
    pools = [await open_pool(Settings().database_url, name, size=1) for name in names]
    try:
        yield [(name, await pool.acquire()) for name, pool in zip(names, pools, strict=True)]
    finally:
        for pool in pools:
            pool.terminate()


@cli.command("list")
def list_(
    service: Service = None,
    topic: Annotated[str | None, typer.Option(help="Only this topic.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Replayed ones too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
) -> None:
    """List dead letters, the oldest first."""

    async def work() -> int:
        found = 0
        async with _connections(service) as connections:
            for name, conn in connections:
                for row in await dead_letters.waiting(conn, topic, everything, limit):
                    found += 1
                    typer.echo(
                        f"{row['id']}  {row['arrived_at']:%Y-%m-%d %H:%M:%S}Z  {name}  "
                        f"{row['topic']}  {row['reason']}: {row['detail']}"
                    )
        return found

    if not asyncio.run(work()):
        typer.echo("No dead letters.")


@cli.command()
def show(letter_id: UUID) -> None:
    """Show one dead letter: reason, headers, and the size of its body (the body itself may be personal)."""

    async def work() -> bool:
        async with _connections(None) as connections:
            for name, conn in connections:
                row = await dead_letters.show(conn, letter_id)
                if row:
                    typer.echo(
                        f"service  {name}\ntopic    {row['topic']}[{row['partition']}]@{row['offset']}"
                    )
                    typer.echo(f"reason   {row['reason']}: {row['detail']}\nevent    {row['event_id']}")
                    typer.echo(
                        f"arrived  {row['arrived_at']}\nreplayed {row['replayed_at']}\n"
                        f"bytes    {len(row['value'] or b'')}"
                    )
                    for header, value in row["headers"].items():
                        typer.echo(f"header   {header}: {value}")
                    return True
        return False

    if not asyncio.run(work()):
        raise typer.BadParameter(f"No dead letter {letter_id}; `guitu dlq list` shows them.")


@cli.command()
def replay(
    letter_id: Annotated[UUID | None, typer.Argument(help="One letter; without it, all that wait.")] = None,
    service: Service = None,
    dry_run: Annotated[bool, typer.Option(help="Only say what would be replayed.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 1000,
) -> None:
    """Put dead letters back onto their topics; the event id stays, so nothing is done twice."""

    async def work() -> int:
        count, clock, ids = 0, Clock(), Ids()
        async with _connections(service) as connections:
            for _, conn in connections:
                for row in await dead_letters.waiting(conn, None, letter_id is not None, limit):
                    if letter_id not in (None, row["id"]):
                        continue
                    count += 1
                    whole = await dead_letters.show(conn, row["id"])
                    if whole and not dry_run:
                        await dead_letters.replay(conn, whole, ids.new(), clock.now())
        return count

    typer.echo(f"{'Would replay' if dry_run else 'Replayed'}: {asyncio.run(work())}")
