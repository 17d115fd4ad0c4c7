"""What lies on the topics, read from their beginning by a reader who belongs to nobody."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from aiokafka import AIOKafkaConsumer

TOPICS = ("guitu.reports", "guitu.alerts", "guitu.orders", "guitu.notices", "guitu.sightings", "guitu.dna")
WAIT_MS = 5_000


async def event_ids(broker: str) -> Counter[UUID]:
    """How often each event id was published. Raises: AssertionError, if the broker stops in the middle."""
    consumer = AIOKafkaConsumer(*TOPICS, bootstrap_servers=broker, auto_offset_reset="earliest")
    await consumer.start()
    try:
        parts = list(consumer.assignment())
        assert {part.topic for part in parts} == set(TOPICS), "Every topic is there to be read."
        ends = await consumer.end_offsets(parts)
        seen: Counter[UUID] = Counter()
        while any([await consumer.position(part) < ends[part] for part in parts]):
            batches = await consumer.getmany(timeout_ms=WAIT_MS, max_records=5_000)
            assert batches, f"Nothing came within {WAIT_MS / 1000:g} s although the topics have more."
            for messages in batches.values():
                seen.update(UUID(dict(m.headers)["ce_id"].decode()) for m in messages)
        return seen
    finally:
        await consumer.stop()
