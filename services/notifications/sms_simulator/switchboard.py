"""What becomes of a call once it is taken: it rings, somebody answers or not, listens, presses keys, hangs up.

Calls are few, so each is a task. They are kept in memory only: a restart forgets them, and their callbacks.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from secrets import token_hex
from typing import Literal
from urllib.parse import urljoin

from sms_simulator.callbacks import calls_for
from sms_simulator.courier import Call, Courier
from sms_simulator.faults import FaultKind, Faults
from sms_simulator.phone_call import PhoneCall
from sms_simulator.pulse import Pulse
from sms_simulator.schedule import Schedule
from sms_simulator.voice_markup import Said, Verb, read_markup

log = logging.getLogger("sms_simulator")

Does = Literal["answer", "busy", "no-answer", "failed"]
AT_ONCE_MAX = 500
KEPT_MAX = 10_000
DOCUMENTS_MAX = (
    30  # Of one call: pressing 2 for ever ends here, as the caller's time limit ends it at Twilio.
)
BROKEN: Said = ("en-US", "An application error has occurred. Goodbye.")  # What Twilio says then.
_EVENT = {"in-progress": "answered"}


@dataclass(frozen=True, slots=True)
class Manners:
    """What a phone does when called: it answers and presses these keys, one at each question, or it does not answer.

    After its keys it listens `listen_s` at each question for one that a person presses here.
    """

    does: Does = "answer"
    keys: str = ""
    listen_s: float = 0.0


class Switchboard:
    """All calls of one account, newest last. Needs a running loop."""

    def __init__(
        self,
        *,
        account_sid: str,
        courier: Courier,
        faults: Faults,
        schedule: Schedule,
        pulse: Pulse,
        listen_s: float,
    ) -> None:
        self.account_sid, self.faults, self.pulse = account_sid, faults, pulse
        self._courier, self._schedule, self._listen_s = courier, schedule, listen_s
        self.manners: dict[str, Manners] = {}
        self.calls: deque[PhoneCall] = deque(maxlen=KEPT_MAX)
        self._last_seq = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def idle(self) -> bool:
        """True when every call has ended and its callbacks are made."""
        return not self._tasks

    @property
    def full(self) -> bool:
        """True when no more calls are taken for now (Twilio error 10004)."""
        return len(self._tasks) >= AT_ONCE_MAX

    def take(self, call: PhoneCall) -> None:
        """Take a call: it is in the list when this returns, and rings soon."""
        if lag := self.faults.strike(FaultKind.list_lag, call.to, call.sender):
            call.visible_at = call.created_at + lag.seconds
        self.calls.append(call)
        self.pulse.beat()
        task = asyncio.create_task(self._run(call))
        self._tasks.add(task)
        task.add_done_callback(self._retire)

    def new(self, sender: str, to: str, url: str) -> PhoneCall:
        """A call that was not taken yet."""
        self._last_seq += 1
        now = time.time()
        return PhoneCall(self._last_seq, "CA" + token_hex(16), self.account_sid, sender, to, url, now, now)

    def get(self, sid: str) -> PhoneCall | None:
        """Return a call that was not deleted."""
        return next((c for c in self.calls if c.sid == sid and not c.deleted), None)

    def newest(self, to: str | None = None, sender: str | None = None) -> Iterator[PhoneCall]:
        """Yield calls newest first."""
        for call in reversed(self.calls):
            if not call.deleted and to in (None, call.to) and sender in (None, call.sender):
                yield call

    def press(self, call: PhoneCall, keys: str) -> bool:
        """A person presses keys in a call that is not over; each goes to one question."""
        if call.over:
            return False
        call.keys.extend(keys)
        self.pulse.beat()
        return True

    def hang_up(self, call: PhoneCall) -> bool:
        """End a call before its end; False if it is over."""
        if call.over:
            return False
        self._end(call, "completed" if call.started_at else "canceled")
        return True

    def reset(self) -> None:
        """Forget every call; those under way end without a word."""
        for task in list(self._tasks):
            task.cancel()
        self.calls.clear()
        self.manners.clear()

    async def close(self) -> None:
        """Stop all calls, as on a crash."""
        self.reset()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _retire(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self.pulse.beat()
        if not task.cancelled() and (error := task.exception()):
            log.error("simulator.call_broken", exc_info=error)

    async def _run(self, call: PhoneCall) -> None:
        manners = self.manners.get(call.to, Manners(listen_s=self._listen_s))
        call.keys.extend(manners.keys)
        end = self._ending(call) or ("" if manners.does == "answer" else manners.does)
        await self._become(call, "initiated")
        await self._become(call, "ringing")
        if end:
            self._end(call, end)
        elif not call.over:
            call.started_at = time.time()
            await self._become(call, "in-progress")
            await self._talk(call, manners.listen_s)
            self._end(call, "completed")
        await self._tell(call)

    def _ending(self, call: PhoneCall) -> str:
        """How a fault ends this call; empty for none."""
        strike = partial(self.faults.strike, to=call.to, sender=call.sender)
        if strike(FaultKind.failed):
            return "failed"
        if strike(FaultKind.undelivered):
            return "no-answer"
        rule = strike(FaultKind.strange_status)
        return rule.status_word if rule else ""

    async def _become(self, call: PhoneCall, status: str) -> None:
        if call.over:
            return
        call.status, call.updated_at = status, time.time()
        self.pulse.beat()
        await self._tell(call)

    def _end(self, call: PhoneCall, status: str) -> None:
        if not call.over:
            call.status, call.updated_at, call.listening = status, time.time(), False
            call.ended_at = call.updated_at
            self.pulse.beat()

    async def _tell(self, call: PhoneCall) -> None:
        """Make the status callback, and wait for its answer: so they go out in order, unless a fault says otherwise."""
        event = "completed" if call.over else _EVENT.get(call.status, call.status)
        if not call.callback_url or event not in call.events:
            return
        form = call.status_form()
        for delay_s, webhook in calls_for(self.faults, call.callback_url, form, call.to, call.sender):
            if delay_s:
                self._schedule.after(delay_s, partial(self._courier.put, webhook))
            else:
                await self._courier.call(webhook)

    async def _talk(self, call: PhoneCall, listen_s: float) -> None:
        """Fetch what to say, say it, and go where a key or the markup leads."""
        url, form = call.url, call.form()
        for _ in range(DOCUMENTS_MAX):
            answer = await self._courier.call(Call(url, form))
            verbs = read_markup(answer.text) if 200 <= answer.status < 300 else None
            if verbs is None:
                call.said.append(BROKEN)
                return
            target, key = await self._play(call, verbs, listen_s)
            if target is None or call.over:
                return
            url = urljoin(url, target)
            form = call.form(**({"Digits": key, "msg": "Gather End"} if key else {}))

    async def _play(self, call: PhoneCall, verbs: list[Verb], listen_s: float) -> tuple[str | None, str]:
        """Do what the markup says; returns where to go on and with which key, or None at its end."""
        for verb in verbs:
            call.said += verb.said
            self.pulse.beat()
            if call.over or verb.name == "hangup":
                return None, ""
            if verb.name == "redirect":
                return verb.url, ""
            if verb.name == "gather" and (key := await self._key(call, listen_s)):
                call.pressed += key
                return verb.url, key
        return None, ""

    async def _key(self, call: PhoneCall, listen_s: float) -> str:
        call.listening = True
        if listen_s and not call.keys:
            await self.pulse.until(lambda: bool(call.keys) or call.over, listen_s)
        call.listening = False
        return call.keys.popleft() if call.keys and not call.over else ""
