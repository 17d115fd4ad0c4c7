"""Carries webhooks to us: signed, with Twilio's timeouts and retries, a bounded number at a time."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp

from sms_simulator.pulse import Pulse
from sms_simulator.webhook import TOTAL_S, Target, sign, target

log = logging.getLogger("sms_simulator")

_WORKERS = 32
_BACKLOG_MAX = 600_000  # Three callbacks for each of 200,000 messages; more are dropped and counted.
_ANSWER_MAX = 64 * 1024  # TwiML limit of Twilio.


@dataclass(frozen=True, slots=True)
class Call:
    """One webhook to make."""

    url: str
    form: Mapping[str, str]
    forged: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What the webhook's owner said; status 0 means no answer at all."""

    status: int
    text: str = ""


class Courier:
    """Makes calls in order of arrival, `_WORKERS` at once; counts what became of them."""

    def __init__(self, token: str, pulse: Pulse) -> None:
        self._token = token
        self._pulse = pulse
        self._queue: deque[Call] = deque()
        self._workers: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self.counts: Counter[str] = Counter()

    def put(self, call: Call) -> None:
        """Queue a call; starts a worker when all are busy."""
        if len(self._queue) >= _BACKLOG_MAX:
            self.counts["dropped"] += 1
            return
        self._queue.append(call)
        if len(self._workers) < _WORKERS:
            worker = asyncio.create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._retire)

    @property
    def idle(self) -> bool:
        """True when nothing is queued or under way."""
        return not self._queue and not self._workers

    async def call(self, call: Call) -> Answer:
        """Make one call with the retries that its URL asks for, and return the last answer."""
        aim = target(call.url)
        key = secrets.token_hex(16)  # Twilio repeats it on a retry: I-Twilio-Idempotency-Token.
        deadline = asyncio.get_running_loop().time() + TOTAL_S
        answer = Answer(0)
        for attempt in range(aim.retries + 1):
            left_s = deadline - asyncio.get_running_loop().time()
            if left_s <= 0:
                break
            self.counts["attempts"] += 1
            self.counts["retries"] += attempt > 0
            answer, failure = await self._attempt(aim, call, key, left_s)
            if not failure or not aim.retries_after(failure):
                break
        self.counts["answered" if 200 <= answer.status < 300 else "failed"] += 1
        return answer

    async def close(self) -> None:
        """Stop all calls; those under way are lost, as on a crash."""
        self._queue.clear()
        for worker in list(self._workers):
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def _retire(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        self._pulse.beat()
        if not worker.cancelled() and (error := worker.exception()):
            self.counts["broken"] += 1
            log.error("simulator.courier_broken", exc_info=error)

    async def _work(self) -> None:
        while self._queue:  # Bounded by the backlog.
            await self.call(self._queue.popleft())

    async def _attempt(self, aim: Target, call: Call, key: str, left_s: float) -> tuple[Answer, str]:
        token = "forged" if call.forged else self._token
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "User-Agent": "TwilioProxy/1.1",
            "X-Twilio-Signature": sign(token, aim.url, call.form),
            "I-Twilio-Idempotency-Token": key,
        }
        timeout = aiohttp.ClientTimeout(
            total=left_s, connect=min(aim.connect_s, left_s), sock_read=min(aim.read_s, left_s)
        )
        try:
            return await self._post(aim.url, urlencode(call.form).encode(), headers, timeout)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            return Answer(0), "ct"
        except (aiohttp.ClientError, TimeoutError):
            return Answer(0), "rt"

    async def _post(
        self, url: str, data: bytes, headers: dict[str, str], timeout: aiohttp.ClientTimeout
    ) -> tuple[Answer, str]:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=2 * _WORKERS)
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        async with self._session.post(
            url, data=data, headers=headers, timeout=timeout, allow_redirects=False
        ) as response:
            text = (await response.content.read(_ANSWER_MAX)).decode("utf-8", "replace")
            return Answer(response.status, text), _failure(response.status)


def _failure(status: int) -> str:
    return "5xx" if status >= 500 else "4xx" if status >= 400 else ""
