"""The partitions of all topics that the console reads."""

from __future__ import annotations

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from console.projection.agents import READ
from guitu.settings import Settings


async def partitions(settings: Settings) -> list[TopicPartition]:
    """Ask the broker. Raises: KafkaError, OSError."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka, client_id="guitu-console-partitions")
    await admin.start()
    try:
        found = await admin.describe_topics([topic.name for topic in READ])
    finally:
        await admin.close()
    return [
        TopicPartition(topic["topic"], each["partition"]) for topic in found for each in topic["partitions"]
    ]
