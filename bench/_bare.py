"""The ceiling: the same rows and messages by asyncpg and aiokafka alone, without inbox, audit or any guarantee."""

from __future__ import annotations

import asyncio
import time

import aiokafka
import asyncpg

from guitu.settings import Settings

TOPIC = "guitu.dna.dlq"
BATCH = 200
BODY = b"x" * 700
"""About the size of an AlertRaised."""


async def bare_events_per_s(settings: Settings, events: int) -> float:
    """Write a row, produce it, consume it and write a row for each of so many events; events a second."""
    conn = await asyncpg.connect(settings.database_url)
    await conn.execute("create table bare_out (k text, v bytea); create table bare_in (k text primary key)")
    producer = aiokafka.AIOKafkaProducer(
        bootstrap_servers=settings.kafka, acks="all", enable_idempotence=True
    )
    consumer = aiokafka.AIOKafkaConsumer(TOPIC, bootstrap_servers=settings.kafka)
    await producer.start()
    await consumer.start()
    await consumer.seek_to_end()
    begin = time.perf_counter()
    for batch in range(events // BATCH):
        keys = [f"{batch}:{n}" for n in range(BATCH)]
        await conn.execute("insert into bare_out select unnest($1::text[]), $2", keys, BODY)
        await asyncio.gather(*[await producer.send(TOPIC, BODY, key=key.encode()) for key in keys])
    done = 0
    while done < events // BATCH * BATCH:
        for messages in (await consumer.getmany(timeout_ms=200, max_records=500)).values():
            keys = [message.key.decode() for message in messages]
            await conn.execute("insert into bare_in select unnest($1::text[]) on conflict do nothing", keys)
            done += len(messages)
    seconds = time.perf_counter() - begin
    await producer.stop()
    await consumer.stop()
    await conn.close()
    return done / seconds
