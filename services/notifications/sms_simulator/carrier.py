"""What becomes of a message once it is taken: its statuses over time, the callbacks about them, the replies."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from functools import partial
from html.parser import HTMLParser
from secrets import token_hex

from sms_simulator.callbacks import calls_for
from sms_simulator.courier import Answer, Call, Courier
from sms_simulator.faults import FaultKind, Faults
from sms_simulator.intake import VALIDITY_MAX_S, Draft, Rules
from sms_simulator.limit import Limits
from sms_simulator.mailbox import Mailbox
from sms_simulator.message import FINAL, Message, Step
from sms_simulator.schedule import Schedule
from sms_simulator.segments import count_segments
from sms_simulator.switchboard import Switchboard
from sms_simulator.webhook import inbound_form, status_form

_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)
_FIRST = frozenset({"queued", "accepted", "scheduled"})  # What a create is answered with.


@dataclass(frozen=True, slots=True)
class Start:
    """What a reset goes back to: seconds before each status, where replies go, how patient phones are."""

    delays_s: tuple[float, float, float] = (0.05, 0.05, 0.1)
    inbound_url: str = ""
    listen_s: float = 0.0


class Carrier:
    """Takes drafts, moves messages from status to status, and plays the phones. Needs a running loop."""

    def __init__(
        self, *, account_sid: str, mailbox: Mailbox, courier: Courier, rules: Rules, start: Start
    ) -> None:
        self.account_sid = account_sid
        self.mailbox = mailbox
        self.courier = courier
        self.rules = rules
        self.schedule = Schedule()
        self.faults = Faults()
        self.limits = Limits()
        self.calls = Switchboard(
            account_sid=account_sid,
            courier=courier,
            faults=self.faults,
            schedule=self.schedule,
            pulse=mailbox.pulse,
            listen_s=start.listen_s,
        )
        self._start = start
        self.delays_s = start.delays_s
        self.default_inbound_url = start.inbound_url

    def admit(self, draft: Draft, segments: int) -> float | None:
        """Return the wait that the provider's limit imposes, or None when it refuses."""
        return self.limits.admit(draft.sender, segments, time.time())

    def accept(self, draft: Draft, segments: int, wait_s: float, direction: str = "outbound-api") -> Message:
        """Take a message: it is in the journal and the ledger when this returns."""
        message = self._new(draft, segments, direction)
        if lag := self.faults.strike(FaultKind.list_lag, draft.to, draft.sender):
            message.visible_at = message.created_at + lag.seconds
        if message.send_at is not None:
            wait_s = message.send_at - message.created_at
        message.steps = self._future(message, wait_s)
        self.mailbox.add(message)
        self._await_next(message)
        return message

    def cancel(self, message: Message) -> bool:
        """Cancel a scheduled message; nothing else can be cancelled (Twilio error 30409)."""
        if message.status != "scheduled":
            return False
        message.steps = []
        self._become(message, Step(0, "canceled"))
        return True

    def reset(self) -> None:
        """Forget everything, as if freshly started; calls under way still arrive."""
        self.schedule.clear()
        self.mailbox.clear()
        self.calls.reset()
        self.courier.counts.clear()
        self.faults.replace([], 0)
        self.limits = Limits()
        self.delays_s = self._start.delays_s
        self.default_inbound_url = self._start.inbound_url

    def resume(self) -> None:
        """After a restart, go on with every message that had not reached its end."""
        for message in self.mailbox.messages:
            if message.status not in FINAL and message.direction != "inbound":
                message.steps = self._rest_of(message)
                self._await_next(message)

    @property
    def idle(self) -> bool:
        """True when every status was reached and every callback made."""
        return not len(self.schedule) and self.courier.idle and self.calls.idle

    async def receive(self, phone: str, ours: str, body: str) -> tuple[Message, Answer | None]:
        """Let a phone send us a text; returns our webhook's answer, or None when no webhook is set."""
        now = time.time()
        message = Message(
            seq=self.mailbox.next_seq(),
            sid="SM" + token_hex(16),
            account_sid=self.account_sid,
            direction="inbound",
            sender=phone,
            to=ours,
            body=body,
            segments=count_segments(body),
            status="received",
            created_at=now,
            updated_at=now,
            sent_at=now,
        )
        self.mailbox.add(message)
        self.mailbox.heed(phone, ours, body)
        url = self.mailbox.inbound_urls.get(ours) or self.default_inbound_url
        if not url:
            return message, None
        answer = await self.courier.call(Call(url, inbound_form(message)))
        self._reply(message, answer)
        return message, answer

    def _reply(self, asked: Message, answer: Answer) -> None:
        for text in twiml_messages(answer.text) if 200 <= answer.status < 300 else []:
            draft = Draft(asked.sender, asked.to, None, text, None, VALIDITY_MAX_S, None)
            if not self.mailbox.opted_out(draft.sender, draft.to):
                self.accept(draft, count_segments(text), 0.0, direction="outbound-reply")

    def _new(self, draft: Draft, segments: int, direction: str) -> Message:
        now = time.time()
        status = "queued" if draft.service_sid is None else "accepted"
        return Message(
            seq=self.mailbox.next_seq(),
            sid="SM" + token_hex(16),
            account_sid=self.account_sid,
            direction=direction,
            sender=draft.sender,
            to=draft.to,
            body=draft.body,
            segments=segments,
            status="scheduled" if draft.send_at is not None else status,
            created_at=now,
            updated_at=now,
            service_sid=draft.service_sid,
            callback_url=draft.callback_url,
            validity_s=draft.validity_s,
            send_at=draft.send_at,
        )

    def _future(self, message: Message, wait_s: float) -> list[Step]:
        sending_s, sent_s, delivered_s = self.delays_s
        first = [Step(wait_s, "queued")] if message.service_sid else []
        lead_s = sending_s if first else wait_s + sending_s
        if wait_s > message.validity_s and message.send_at is None:
            return [
                *first,
                Step(float(message.validity_s), "failed", 30036),
            ]  # 30036: Validity Period Expired.
        steps = [*first, Step(lead_s, "sending"), Step(sent_s, "sent")]
        end = self._ending(message, delivered_s)
        return [*steps, end] if end else steps

    def _rest_of(self, message: Message) -> list[Step]:
        wait_s = max(0.0, (message.send_at or 0.0) - time.time()) if message.status == "scheduled" else 0.0
        steps = self._future(message, wait_s)
        known = [step.status for step in steps]
        if message.status in known:
            return steps[known.index(message.status) + 1 :]
        return steps if message.status in _FIRST else []

    def _ending(self, message: Message, after_s: float) -> Step | None:
        strike = partial(self.faults.strike, to=message.to, sender=message.sender)
        if strike(FaultKind.stuck):
            return None
        if rule := strike(FaultKind.undelivered):
            return Step(after_s, "undelivered", rule.error_code)
        if rule := strike(FaultKind.failed):
            return Step(after_s, "failed", rule.error_code)
        if rule := strike(FaultKind.strange_status):
            return Step(after_s, rule.status_word)
        if message.to.startswith(self.rules.link_free_prefixes) and _LINK.search(message.body):
            return Step(after_s, "undelivered", 30007)  # Filtered: links are not allowed there.
        return Step(after_s, "delivered")

    def _await_next(self, message: Message) -> None:
        if message.steps:
            self.schedule.after(message.steps[0].after_s, partial(self._advance, message))

    def _advance(self, message: Message) -> None:
        if message.steps and self.mailbox.by_sid.get(message.sid) is message:
            self._become(message, message.steps.pop(0))
            self._await_next(message)

    def _become(self, message: Message, step: Step) -> None:
        message.status = step.status
        message.error_code = step.error_code
        message.updated_at = time.time()
        if step.status == "sent":
            message.sent_at = message.updated_at
        self.mailbox.update(message)
        if message.callback_url:
            self._call_back(message, step)

    def _call_back(self, message: Message, step: Step) -> None:
        url = message.callback_url or ""
        form = status_form(message, step.status, step.error_code)
        for delay_s, call in calls_for(self.faults, url, form, message.to, message.sender):
            if delay_s:
                self.schedule.after(delay_s, partial(self.courier.put, call))
            else:
                self.courier.put(call)


class _TwiML(HTMLParser):
    """Collects the texts of <Message> (or <Message><Body>) elements; lenient, and safe with hostile XML."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = False
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "message":
            self.inside = True
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "message":
            self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.texts[-1] += data


def twiml_messages(answer: str) -> list[str]:
    """Return the texts that a webhook's TwiML answer asks to send back."""
    parser = _TwiML()
    parser.feed(answer)
    return [text.strip() for text in parser.texts if text.strip()]
