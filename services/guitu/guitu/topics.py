"""Topics exist before a worker starts (rule 5): created from `contracts.flow`, with a dead-letter topic beside each."""

from __future__ import annotations

import asyncio

import typer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from contracts.flow import TOPICS
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


cli = typer.Typer(help="The topics of the story.")


@cli.command("list")
def list_() -> None:
    """Show each topic: key, facts, writers and readers."""
    for topic in TOPICS:
        typer.echo(f"{topic.name}  {topic.title_zh}  key: {topic.keyed_by}")
        typer.echo(f"    facts:   {', '.join(fact.__name__ for fact in topic.facts)}")
        typer.echo(f"    writers: {', '.join(topic.writers)}    readers: {', '.join(topic.readers)}")


@cli.command("create")
def create() -> None:
    """Create what is missing on the broker of GUITU_KAFKA."""
    made = asyncio.run(ensure_topics(Settings()))
    typer.echo(f"Created: {', '.join(made)}" if made else "Every topic exists already.")


@cli.command("republish")
def republish(
    topic: str = typer.Argument(help="For example guitu.alerts."),
    since: str = typer.Option(
        "1970-01-01T00:00:00+00:00", help="ISO time; facts from then on are written again."
    ),
) -> None:
    """Write a topic again from PostgreSQL; readers know the event ids and ignore what they have had."""
    from guitu.republish import republish_now

    typer.echo(f"{republish_now(Settings().database_url, topic, since)} facts will be written again.")
