"""The rival of the live board: the same facts from Kafka straight to a page, with nothing kept, checked or drawn twice.

One process reads the topic and hands every message to every open stream at once; the page turns one cell. Whoever
opens it late or loses the line has lost what was said: that is what the board's own time is paid for.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiokafka import AIOKafkaConsumer

from guitu.settings import Settings

TOPIC = "guitu.orders"
STATES = {
    "guitu.order.accepted.v1": "accepted",
    "guitu.order.in_position.v1": "in_position",
    "guitu.order.reported.v1": "nothing_seen",
}
PAGE = """<!doctype html><title>bare</title><link rel=icon href=data:,><table></table><script>
const table = document.querySelector("table");
new EventSource("/live").onmessage = (event) => {
  const { id, state } = JSON.parse(event.data);
  const row = document.getElementById(id) ?? table.insertRow();
  row.id = id; row.dataset.state = state; row.textContent = state;
};
document.documentElement.dataset.ready = "bare";
</script>"""


class Bare:
    """All streams of the bare page."""

    def __init__(self) -> None:
        self._streams: set[web.StreamResponse] = set()
        self.over = asyncio.Event()

    async def page(self, _: web.Request) -> web.Response:
        """A table without rows."""
        return web.Response(text=PAGE, content_type="text/html")

    async def live(self, request: web.Request) -> web.StreamResponse:
        """Whatever comes from now on."""
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        await answer.write(b": open\n\n")
        self._streams.add(answer)
        try:
            await self.over.wait()
        finally:
            self._streams.discard(answer)
        return answer

    async def carry(self, consumer: AIOKafkaConsumer) -> None:
        """From the topic to every stream, until cancelled."""
        async for message in consumer:
            state = STATES.get(dict(message.headers)["ce_type"].decode())
            if state is None:
                continue
            row = f"order-{json.loads(message.value)['order_id']}"
            event = f"data: {json.dumps({'id': row, 'state': state})}\n\n".encode()
            await asyncio.gather(
                *(stream.write(event) for stream in list(self._streams)), return_exceptions=True
            )


@asynccontextmanager
async def open_bare(settings: Settings) -> AsyncIterator[str]:
    """The bare page's address."""
    consumer = AIOKafkaConsumer(TOPIC, bootstrap_servers=settings.kafka, auto_offset_reset="latest")
    await consumer.start()
    await consumer.seek_to_end()
    bare, app = Bare(), web.Application()
    app.router.add_get("/", bare.page)
    app.router.add_get("/live", bare.live)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    carrying = asyncio.create_task(bare.carry(consumer))
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        bare.over.set()
        carrying.cancel()
        await asyncio.gather(carrying, return_exceptions=True)
        await runner.cleanup()
        await consumer.stop()
