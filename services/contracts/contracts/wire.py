"""The wire form: CloudEvents 1.0, Kafka binding, binary mode (`ce_` headers, JSON body).

Source: CloudEvents 1.0.2 core and Kafka protocol binding. `ce_id` is the event id that every inbox keys on;
`partitionkey` is the CloudEvents partitioning extension.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import ValidationError

from contracts.base import CaseFact, EventId, Fact
from contracts.flow import FACT_BY_TYPE, TOPIC_OF, Topic

BODY_BYTES_MAX = 64 * 1024
"""A fact is small; anything larger is a mistake or an attack, and goes to the dead letters."""

Headers = list[tuple[str, bytes]]
Raw = Iterable[tuple[str, bytes | None]]
"""Headers as any client may send them: Kafka allows one without a value."""


class Unreadable(Exception):
    """A message that can't become a fact; `reason` is a short code for the dead letter, the text the mend."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Message:
    """A fact ready for the broker."""

    event_id: EventId
    topic: str
    key: str
    headers: Headers
    value: bytes


@dataclass(frozen=True)
class Received:
    """A fact as it was read, with the id that makes a second reading harmless."""

    event_id: EventId
    source: str
    time: datetime
    fact: Fact


def encode(fact: Fact, event_id: EventId, source: str) -> Message:
    """Put a fact into binary mode; the key keeps what must stay in order together."""
    topic, key, headers = addressed(fact, event_id, source)
    coded = [(name, value.encode()) for name, value in headers.items()]
    return Message(event_id, topic, key, coded, body_of(fact))


def addressed(fact: Fact, event_id: EventId, source: str) -> tuple[str, str, dict[str, str]]:
    """Topic, key and headers, as text."""
    topic = TOPIC_OF[type(fact)]
    key = topic.key_of(fact)
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(event_id),
        "ce_source": source,
        "ce_type": fact.type_,
        "ce_time": fact.occurred_at.isoformat(),
        "ce_partitionkey": key,
        "content-type": "application/json",
    }
    if isinstance(fact, CaseFact):
        headers["ce_subject"] = str(fact.case_id)
    return topic.name, key, headers


def body_of(fact: Fact) -> bytes:
    """JSON in UTF-8."""
    return fact.model_dump_json().encode()


def event_id_of(headers: Raw) -> EventId | None:
    """The event id, or None if the message carries none that can be read."""
    for name, value in headers:
        if name == "ce_id":
            try:
                return EventId(UUID((value or b"").decode("ascii")))
            except (ValueError, UnicodeDecodeError):
                return None
    return None


def decode(topic: Topic, headers: Raw, value: bytes | None) -> Received:
    """Read a message of `topic`.

    Raises: Unreadable, with a reason (`no_event_id`, `unknown_type`, `wrong_topic`, `too_large`, `empty`,
    `invalid`), so that the dead letter says how to mend it.
    """
    found = {name: said or b"" for name, said in headers}
    event_id = event_id_of(found.items())
    if event_id is None:
        raise Unreadable("no_event_id", "Header ce_id must be a UUID; see the AsyncAPI page of this topic.")
    model = _model_of(topic, found.get("ce_type", b""))
    fact = _body_as(model, value)
    return Received(event_id, found.get("ce_source", b"").decode(errors="replace"), fact.occurred_at, fact)


def _model_of(topic: Topic, type_bytes: bytes) -> type[Fact]:
    type_ = type_bytes.decode(errors="replace")
    model = FACT_BY_TYPE.get(type_)
    if model is None:
        known = ", ".join(fact.type_ for fact in topic.facts)
        raise Unreadable("unknown_type", f"Header ce_type is {type_!r}; this topic carries {known}.")
    if model not in topic.facts:
        raise Unreadable("wrong_topic", f"{type_} belongs on {TOPIC_OF[model].name}, not on {topic.name}.")
    return model


def _body_as(model: type[Fact], value: bytes | None) -> Fact:
    if not value:
        raise Unreadable("empty", "The body is empty; send the fact as JSON.")
    if len(value) > BODY_BYTES_MAX:
        raise Unreadable("too_large", f"The body has {len(value)} bytes; {BODY_BYTES_MAX} is the most.")
    try:
        return model.model_validate_json(value)
    except ValidationError as error:
        raise Unreadable("invalid", _first_errors(error)) from None


def _first_errors(error: ValidationError) -> str:
    """Say which fields are wrong, never their values: they may be personal."""
    lines = [
        f"{'.'.join(str(part) for part in item['loc']) or 'body'}: {item['msg']}"
        for item in error.errors(include_url=False, include_input=False, include_context=False)[:5]
    ]
    return "; ".join(lines)
