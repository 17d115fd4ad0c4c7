"""Idempotency-Key: the same key and the same body get the same answer; another body is refused.

Follows the semantics of the IETF draft httpapi-idempotency-key-header: 400 without the key, 422 for another
body. The answer is stored in the transaction of the effect, so there is no window between the two.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from guitu.problem import Problem
from guitu.tx import Tx

_CLAIM = """
insert into idempotency (principal, key, request_hash, created_at) values ($1, $2, $3, $4)
on conflict (principal, key) do nothing
"""
_FIND = "select request_hash, status, body from idempotency where principal = $1 and key = $2"
_STORE = "update idempotency set status = $3, body = $4 where principal = $1 and key = $2"


@dataclass(frozen=True)
class StoredAnswer:
    """What was answered the first time."""

    status: int
    body: Any


async def once(
    tx: Tx, principal: str, key: str | None, body: bytes, tell: tuple[str, ...] = ()
) -> StoredAnswer | None:
    """Claim the key, or give the stored answer; a second request at the same time waits for the first.

    `tell` names what of the first answer is repeated, as `earlier`, to the same person whose body is another now.

    Raises: Problem 400 without a key or with one over 255 characters, 422 for another body under the same key.
    """
    if not key or len(key) > 255:
        raise Problem(
            400,
            "idempotency_key",
            "Send an Idempotency-Key header of 1 to 255 characters.",
            "请求缺少 Idempotency-Key。",
            "Make a new UUID for each report and repeat it on a retry.",
        )
    wanted = hashlib.sha256(body).digest()
    if await tx.conn.execute(_CLAIM, principal, key, wanted, tx.now) == "INSERT 0 1":
        return None
    row = await tx.conn.fetchrow(_FIND, principal, key)
    assert row is not None, "The key was there a moment ago."
    assert row["status"] is not None, "A committed key has its answer."
    if row["request_hash"] != wanted:
        raise _reused({name: row["body"][name] for name in tell})
    return StoredAnswer(row["status"], row["body"])


def _reused(earlier: dict[str, Any]) -> Problem:
    refused = Problem(
        422,
        "idempotency_key_reused",
        "This Idempotency-Key was used with another body.",
        "该 Idempotency-Key 已用于另一内容。",
        "Use a new key for a new report.",
    )
    refused.extra = {"earlier": earlier} if earlier else {}
    return refused


async def remember(tx: Tx, principal: str, key: str, answer: StoredAnswer) -> None:
    """Store the answer beside its effect."""
    await tx.conn.execute(_STORE, principal, key, answer.status, answer.body)
