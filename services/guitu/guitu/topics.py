"""Topics exist before a worker starts (rule 5): created from `contracts.flow`, with a dead-letter topic beside each."""

from __future__ import annotations

import asyncio
from datetime import datetime
from textwrap import fill
from typing import Annotated

import typer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from contracts.flow import TOPIC_BY_NAME, TOPICS
from guitu.commands.attach import DATABASE, KAFKA, node_settings
from guitu.commands.shape import command_line
from guitu.settings import Settings

_DEAD_LETTER_PARTITIONS = 1


def wanted(partitions: int, replication: int) -> list[NewTopic]:
    """What the broker must have; facts are kept for ever unless the flow says otherwise."""
    new: list[NewTopic] = []
    for topic in TOPICS:
        keep = {"retention.ms": str(topic.retention_ms)}
        new.append(NewTopic(topic.name, partitions, replication, topic_configs=keep))
        new.append(NewTopic(topic.dead_letters, _DEAD_LETTER_PARTITIONS, replication, topic_configs=keep))
    return new


async def ensure_topics(settings: Settings) -> list[str]:
    """Create the topics that are missing; returns their names. Safe to repeat and to run twice at once."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka, client_id="guitu-topics")
    await admin.start()
    try:
        have = set(await admin.list_topics())
        brokers = len((await admin.describe_cluster())["brokers"])
        missing = [t for t in wanted(settings.partitions, min(3, brokers)) if t.name not in have]
        if missing:
            await admin.create_topics(missing)
            await _wait_for(admin, {t.name for t in missing})
        return [t.name for t in missing]
    finally:
        await admin.close()


async def _wait_for(admin: AIOKafkaAdminClient, names: set[str]) -> None:
    """Creation is asynchronous on the broker; a worker that starts before it would ignore the topic."""
    for _ in range(100):
        described = await admin.describe_topics(sorted(names))
        if all(d["error_code"] == 0 and d["partitions"] for d in described):
            return
        await asyncio.sleep(0.1)
    raise TimeoutError(f"The broker did not show the topics {sorted(names)} within 10 s; look at its log.")


cli = command_line("The topics of the story: list, create, write one again.", no_args_is_help=True)


@cli.command("list")
def list_() -> None:
    """Show each topic: key, facts, writers and readers. Needs no running node."""
    for topic in TOPICS:
        typer.echo(f"{topic.name}  {topic.title_zh}  key: {topic.keyed_by}")
        for word, names in {
            "facts": [fact.__name__ for fact in topic.facts],
            "writers": topic.writers,
            "readers": topic.readers,
        }.items():
            typer.echo(fill(", ".join(names), 79, initial_indent=f"  {word:<8} ", subsequent_indent=" " * 11))


@cli.command("create")
def create() -> None:
    """Create the topics that are missing on the running node, or on the broker of GUITU_KAFKA."""
    made = asyncio.run(ensure_topics(node_settings(KAFKA)))
    typer.echo(f"Created: {', '.join(made)}" if made else "Every topic exists already.")


@cli.command("republish")
def republish(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help=f"One of {', '.join(TOPIC_BY_NAME)}.")],
    since: Annotated[
        str, typer.Option(help="ISO time with its zone; facts from then on are written again.")
    ] = "1970-01-01T00:00:00Z",
) -> None:
    """Write a topic again from PostgreSQL; readers know the event ids and ignore what they have had.

    What outside systems wrote to guitu.reports themselves is not in PostgreSQL and is not written again.

    \b
    Example: ./guitu topics republish guitu.alerts --since 2026-11-24T08:00:00+08:00
    """
    from guitu.republish import republish_now

    _check(topic, since)
    count = republish_now(node_settings(DATABASE).database_url, topic, since)
    typer.echo(f"{count} facts will be written again; the running services do it now.")


def _check(topic: str, since: str) -> None:
    if topic not in TOPIC_BY_NAME:
        raise typer.BadParameter(f"No topic {topic!r}; there are {', '.join(TOPIC_BY_NAME)}.")
    try:
        has_zone = datetime.fromisoformat(since).tzinfo is not None
    except ValueError:
        has_zone = False
    if not has_zone:
        raise typer.BadParameter(
            f"--since {since!r} is no time with a zone, such as 2026-11-24T08:00:00+08:00."
        )
