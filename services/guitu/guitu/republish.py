"""Any topic can be written again from PostgreSQL: mark its rows as unpublished, and the relays do the rest."""

from __future__ import annotations

from datetime import datetime

import psycopg
from psycopg import sql

from contracts.flow import TOPIC_BY_NAME
from guitu.migrate import PACKAGES
from guitu.pg import schema_of

_AGAIN = "update {}.outbox set published_at = null where topic = %s and occurred_at >= %s"


def republish_now(database_url: str, topic: str, since: str) -> int:
    """Mark the facts of `topic` since then; returns how many. Raises: ValueError for an unknown topic or time."""
    if topic not in TOPIC_BY_NAME:
        raise ValueError(f"No topic {topic!r}; the topics are {', '.join(TOPIC_BY_NAME)}.")
    moment = datetime.fromisoformat(since)
    with psycopg.connect(database_url) as conn:
        return sum(
            conn.execute(sql.SQL(_AGAIN).format(sql.Identifier(schema_of(p))), (topic, moment)).rowcount
            for p in PACKAGES
        )
