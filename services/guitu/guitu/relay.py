"""The relay: carries outbox rows to Kafka, in order, at least once (rule 7).

One process holds the advisory lock of a shard on the same connection that reads and marks its rows: with the
connection it loses the lock, so two relays never carry one case for longer than a broken connection takes to
notice. A second publication is harmless: every reader keys on the event id.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from guitu import metrics, outbox
from guitu.pg import TRANSIENT

if TYPE_CHECKING:
    from guitu.service import Runtime

BATCH_ROWS_MAX = 500
POLL_S = 0.5
_SHARD_LOCK = 7_202
_TRY_LOCK = "select pg_try_advisory_lock($1, hashtext(current_schema()) # $2)"


class Relay:
    """One per process; idle processes stand by to take over the shards of one that died."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._wake = asyncio.Event()
        self._shards: list[int] = []
        self._last_progress = asyncio.get_running_loop().time()

    def wake(self) -> None:
        """Something was committed; a poll would find it too, only later."""
        self._wake.set()

    @property
    def leads(self) -> bool:
        """True while this process carries at least one shard."""
        return bool(self._shards)

    async def run(self) -> None:
        """Carry rows until cancelled; trouble with broker or database is waited out with backoff."""
        pause_s = 0.1
        while True:
            try:
                await self._carry()
            except (KafkaError, *TRANSIENT) as error:
                self._runtime.log.warning("relay.waits", error=type(error).__name__, pause_s=pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, 2.0)
            finally:
                self._shards = []

    async def _carry(self) -> None:
        async with self._runtime.pool.acquire() as conn:
            # A lost mark means a second publication, never a lost one, so the mark need not wait for the disk.
            await conn.execute("set synchronous_commit = off")
            try:
                await self._carry_by(conn)
            finally:
                # Whatever became of the producer: the next user of this connection relies on its commits.
                with suppress(*TRANSIENT):
                    await conn.execute("select pg_advisory_unlock_all(); reset synchronous_commit")
                    await conn.remove_listener(self._channel, self._on_notify)

    async def _carry_by(self, conn: asyncpg.Connection) -> None:
        producer = self._producer()
        try:
            await producer.start()
            await conn.add_listener(self._channel, self._on_notify)
            while True:
                if len(self._shards) < outbox.SHARDS:
                    await self._take_shards(conn)
                if not await self._publish_some(conn, producer):
                    await self._wait()
        finally:
            await producer.stop()

    def _on_notify(self, *_: object) -> None:
        self.wake()

    @property
    def _channel(self) -> str:
        return f"outbox_{self._runtime.schema}"

    def _producer(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            bootstrap_servers=self._runtime.settings.kafka,
            client_id=f"guitu-{self._runtime.service}-relay",
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            max_batch_size=128 * 1024,
            max_request_size=4 * 1024 * 1024,
            request_timeout_ms=10_000,
        )

    async def _take_shards(self, conn: asyncpg.Connection) -> None:
        for shard in range(outbox.SHARDS):
            if shard not in self._shards and await conn.fetchval(_TRY_LOCK, _SHARD_LOCK, shard):
                self._shards.append(shard)

    async def _publish_some(self, conn: asyncpg.Connection, producer: AIOKafkaProducer) -> int:
        rows = await outbox.pending(conn, self._shards, BATCH_ROWS_MAX) if self._shards else []
        if not rows:
            return 0
        acks = [
            await producer.send(
                row["topic"],
                row["payload"],
                key=row["key"].encode(),
                headers=[(name, value.encode()) for name, value in row["headers"].items()],
            )
            for row in rows
        ]
        await asyncio.gather(*acks)
        await outbox.mark_published(conn, [row["seq"] for row in rows], self._runtime.clock.now())
        metrics.RELAYED.labels(self._runtime.service).inc(len(rows))
        return len(rows)

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), POLL_S)
        except TimeoutError:
            return
        finally:
            self._wake.clear()
