"""The AsyncAPI 3.0 document of all topics, derived from `flow.py`.

Payloads point at the committed JSON Schemas by relative path, so that one schema exists once.
Source: AsyncAPI 3.0.0 specification; Kafka bindings 0.5.0; CloudEvents 1.0.2 Kafka binding, binary mode.
"""

from __future__ import annotations

from typing import Any

from contracts.base import Fact
from contracts.flow import TOPICS, Topic
from contracts.wire import BODY_BYTES_MAX

Document = dict[str, Any]

KAFKA_BINDING = "0.5.0"
_HEADER_WORDS = {
    "ce_specversion": "Always 1.0.",
    "ce_id": "The event id, a UUID; the same id twice is the same event.",
    "ce_source": "Which system wrote it, e.g. guitu/alerts.",
    "ce_type": "The type and version of the fact.",
    "ce_time": "When it happened, RFC 3339 with offset.",
    "ce_partitionkey": "The message key again.",
    "content-type": "Always application/json.",
}


def document(schemas_path: str) -> Document:
    """Return the document; `schemas_path` is where the schemas lie, relative to where it is written."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Guitu topics",
            "version": "1.0.0",
            "description": "From one missing-child report to orders, notices and DNA requests. CloudEvents 1.0, "
            f"Kafka binding, binary mode; a body has at most {BODY_BYTES_MAX} bytes.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": dict(operation for topic in TOPICS for operation in _operations(topic)),
        "components": {
            "messages": {
                fact.type_: _message(fact, topic, schemas_path) for topic in TOPICS for fact in topic.facts
            }
        },
    }


def _channel(topic: Topic) -> Document:
    return {
        "address": topic.name,
        "title": topic.title_zh,
        "description": f"Keyed by {topic.keyed_by}. Unreadable messages go to {topic.dead_letters}.",
        "messages": {fact.type_: {"$ref": f"#/components/messages/{fact.type_}"} for fact in topic.facts},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "topicConfiguration": {"retention.ms": topic.retention_ms},
                "bindingVersion": KAFKA_BINDING,
            }
        },
    }


def _operations(topic: Topic) -> list[tuple[str, Document]]:
    """One operation for each service that writes or reads the topic."""
    sent = [(f"{_slug(name)}.writes.{topic.name}", "send", name) for name in topic.writers]
    read = [(f"{_slug(name)}.reads.{topic.name}", "receive", name) for name in topic.readers]
    return [
        (key, {"action": action, "channel": {"$ref": f"#/channels/{topic.name}"}, "tags": [{"name": name}]})
        for key, action, name in (*sent, *read)
    ]


def _message(fact: type[Fact], topic: Topic, schemas_path: str) -> Document:
    return {
        "name": fact.type_,
        "title": fact.__name__,
        "summary": (fact.__doc__ or "").strip().splitlines()[0],
        "contentType": "application/json",
        "headers": _headers(fact),
        "payload": {"$ref": f"{schemas_path}/{fact.type_}.schema.json"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": f"The {topic.keyed_by}."},
                "bindingVersion": KAFKA_BINDING,
            }
        },
    }


def _headers(fact: type[Fact]) -> Document:
    properties: Document = {
        name: {"type": "string", "description": words} for name, words in _HEADER_WORDS.items()
    }
    properties["ce_type"]["const"] = fact.type_
    return {"type": "object", "required": ["ce_id", "ce_type"], "properties": properties}


def _slug(name: str) -> str:
    return name.replace(" ", "-")
