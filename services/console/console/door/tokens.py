"""The issuer's tokens of a session: sealed in its row, opened for each request, renewed before they end.

Where this node signs its own tokens (no GUITU_OIDC_ISSUER) there are none: a fresh one is minted for each request.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakValueDictionary

from console.door import oidc_login, store_sessions
from console.door.oidc_login import Tokens
from guitu import vault
from guitu.auth import read_token
from guitu.problem import Problem
from guitu.service import Runtime
from guitu.settings import Settings

RENEW_BEFORE = timedelta(seconds=60)
"""A command may take a while: the owner must not see a token that has just ended."""
_PURPOSE = b"console-session"
# A refresh token is often good for one use, and a page asks for several things at once.
_ONE_AT_A_TIME: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()


def sealed(settings: Settings, issued: Tokens, id_hash: bytes) -> bytes:
    """For the session's row, and no other."""
    body = json.dumps({"access": issued.access, "refresh": issued.refresh}).encode()
    return vault.seal(_key(settings), body, _place(id_hash))


async def current(runtime: Runtime, row: Any) -> str | None:
    """The access token of a session, renewed if it is about to end; None if the issuer renews it no longer.

    Raises: Problem 503, if the issuer does not answer.
    """
    now = runtime.clock.now()
    if row["token_expires_at"] > now + RENEW_BEFORE:
        return _opened(runtime.settings, row["id_hash"], row["sealed_tokens"], row["token_expires_at"]).access
    async with _ONE_AT_A_TIME.setdefault(row["id_hash"], asyncio.Lock()):
        return await _kept_or_renewed(runtime, row)


async def _kept_or_renewed(runtime: Runtime, row: Any) -> str | None:
    """Ask outside of any transaction; whoever is second, here or in another process, takes what the first got.

    Who has another role or region by now must log in again: the session shows what the old ones may see.
    """
    id_hash, now = row["id_hash"], runtime.clock.now()
    held = await _held(runtime, id_hash)
    if held is None or held.expires_at > now + RENEW_BEFORE:
        return held.access if held else None
    renewed = await _renewed(runtime, held.refresh) if held.refresh else None
    if renewed is not None and not await _is_as_before(runtime, row, renewed):
        await _end(runtime, row, "changed")
        return None
    if renewed is not None:
        body = sealed(runtime.settings, renewed, id_hash)
        async with runtime.pool.acquire() as conn:
            await store_sessions.keep_tokens(conn, id_hash, body, renewed.expires_at)
        return renewed.access
    again = await _held(runtime, id_hash)
    if again is None or again.expires_at > now:
        return again.access if again else None
    await _end(runtime, row, "not_renewed")
    return None


async def _is_as_before(runtime: Runtime, row: Any, renewed: Tokens) -> bool:
    """Is the renewed token of the same person in the same role and region? Raises: Problem 503, if nobody can tell."""
    try:
        who = await read_token(runtime.settings, renewed.access, runtime.clock.now())
    except Problem as refused:
        if refused.status == 503:
            raise
        return False
    return (who.subject, who.role, who.region_code) == (row["subject"], row["role"], row["region_code"])


async def _end(runtime: Runtime, row: Any, why: str) -> None:
    async with runtime.tx(actor=row["subject"]) as tx:
        await store_sessions.end(tx.conn, row["id_hash"], tx.now, why)
        tx.audit("login_ended", why=why)


async def _held(runtime: Runtime, id_hash: bytes) -> Tokens | None:
    async with runtime.pool.acquire() as conn:
        row = await store_sessions.tokens_of(conn, id_hash)
    if row is None:
        return None
    return _opened(runtime.settings, id_hash, row["sealed_tokens"], row["token_expires_at"])


async def _renewed(runtime: Runtime, refresh: str) -> Tokens | None:
    """New tokens, if the issuer gives some; the old refresh token stays where it names no new one."""
    try:
        answer = await oidc_login.renew(runtime, refresh)
    except Problem as refused:
        if refused.status == 503:
            raise
        return None
    return answer if answer.refresh else replace(answer, refresh=refresh)


def _opened(settings: Settings, id_hash: bytes, body: bytes, until: datetime) -> Tokens:
    said = json.loads(vault.open_sealed(_key(settings), body, _place(id_hash)))
    return Tokens(said["access"], until, said["refresh"])


def _key(settings: Settings) -> bytes:
    return vault.derived(vault.master_key(settings.vault_key), _PURPOSE)


def _place(id_hash: bytes) -> str:
    return f"session|sealed_tokens|{id_hash.hex()}"
