"""How people prove who they are: an account of this node, a token, a login link, or the issuer. Each try is audited.

Failures are slowed down by account and by address: five are free, then the wait doubles from 15 s up to 15 min. An
operator who is locked out by somebody else's tries gets in by a login link.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from console.door import oidc_login, passwords, store_accounts, store_sessions
from console.door.oidc_login import Tokens
from console.door.sessions import Origin, begin_session, hash_of
from console.navigation import CONSOLE_ROLES
from guitu.auth import Principal, read_token
from guitu.problem import Problem
from guitu.service import Runtime

FREE_FAILURES = 5
FREE_FAILURES_OF_ADDRESS = 30
"""A whole desk shares one address behind a router."""
FIRST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(minutes=15)
NAME_MAX = 200
# Tries that come at once must not all pass the check before the first of them is counted.
_ONE_AT_A_TIME: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


@dataclass(frozen=True)
class Proven:
    """Who somebody has proved to be, and how."""

    principal: Principal
    origin: Origin
    generation: int | None = None
    issued: Tokens | None = None
    until: datetime | None = None
    """When the proof itself ends, if it does; no session outlives it."""


async def by_password(runtime: Runtime, name: str, password: str, address: str) -> Proven:
    """Name and password of an account of this node.

    Raises: Problem 401, if they don't fit or the account is disabled; 429 while too many tries went wrong.
    """
    name = name.strip()[:NAME_MAX].replace("\0", "")
    async with _in_turn(name, address):
        await _may_try(runtime, name, address)
        return await _by_password(runtime, name, password, address)


async def _by_password(runtime: Runtime, name: str, password: str, address: str) -> Proven:
    async with runtime.pool.acquire() as conn:
        account = await store_accounts.find(conn, name)
    kept = account["password_hash"] if account and account["disabled_at"] is None else None
    if not await passwords.is_right(kept, password) or account is None or kept is None:
        await _count_failure(runtime, name, address, known=account is not None)
        raise _wrong()
    async with runtime.pool.acquire() as conn:
        await store_sessions.forgive(conn, f"account:{name}")
        if passwords.is_outdated(kept):
            await store_accounts.rehash(conn, name, kept, passwords.hashed(password))
    who = Principal(account["subject"], account["role"], account["region_code"])
    return Proven(who, "account", account["generation"])


async def by_token(runtime: Runtime, token: str, address: str) -> Proven:
    """A token of this node or of the issuer. Raises: Problem 401, 429, or 503 if the issuer is away."""
    await _may_try(runtime, "", address)
    try:
        who = await read_token(runtime.settings, token.strip(), runtime.clock.now())
    except Problem as refused:
        if refused.status == 401:
            await _count_failure(runtime, "", address, known=False)
        raise
    until = _ends(token.strip(), runtime)
    issued = Tokens(token.strip(), until) if runtime.settings.oidc_issuer else None
    return Proven(who, "token", issued=issued, until=until)


async def by_link(runtime: Runtime, token: str, address: str) -> Proven:
    """A link from `guitu console login-link`, once. Raises: Problem 410, if it was used or is too old."""
    async with runtime.tx(actor="console") as tx:
        row = await store_sessions.use_link(tx.conn, hash_of(token), tx.now)
        if row is not None:
            tx.audit("login_link_used", how="link")
    if row is None:
        await _audit_stranger(runtime, address, how="link")
        raise link_over()
    return Proven(Principal(row["subject"], row["role"], row["region_code"]), "link")


async def for_whom(runtime: Runtime, token: str) -> Principal:
    """For whom a link is; looking at it does not use it. Raises: Problem 410."""
    async with runtime.pool.acquire() as conn:
        row = await store_sessions.peek_link(conn, hash_of(token), runtime.clock.now())
    if row is None:
        raise link_over()
    return Principal(row["subject"], row["role"], row["region_code"])


async def by_issuer(
    runtime: Runtime, base_url: str, code: str, state: str, cookie: str, address: str
) -> tuple[Proven, str]:
    """The way back from the issuer; returns where the person wanted to go, too. Raises: Problem 401, 503."""
    try:
        issued, subject, to = await oidc_login.arrival(runtime, base_url, code, state, cookie)
        who = await read_token(runtime.settings, issued.access, runtime.clock.now())
        if who.subject != subject:
            raise Problem(
                401, "login_refused", "The issuer's tokens name two persons.", "登录未被接受,请重新登录。"
            )
    except Problem as refused:
        await _audit_stranger(runtime, address, how="oidc", why=refused.code)
        raise
    return Proven(who, "oidc", issued=issued), to


async def let_in(runtime: Runtime, proven: Proven) -> str:
    """Begin the session; returns the cookie. Raises: Problem 403, for a role that has no console."""
    if proven.principal.role not in CONSOLE_ROLES:
        await _audit_refusal(runtime, how=proven.origin, why="no_console", role=proven.principal.role)
        raise Problem(
            403,
            "no_console",
            f"Role {proven.principal.role} has no console; use the link that was sent by SMS.",
            "该角色不使用指挥台,请使用短信中的链接。",
        )
    return await begin_session(
        runtime,
        proven.principal,
        proven.origin,
        generation=proven.generation,
        issued=proven.issued,
        until=proven.until,
    )


def link_over() -> Problem:
    """What a used or old link says."""
    return Problem(
        410,
        "link_over",
        "This login link was used already or is older than its 15 minutes.",
        "该登录链接已使用或已过期(15分钟)。",
        "Ask for a new one: ./guitu console login-link ROLE.",
    )


def _ends(token: str, runtime: Runtime) -> datetime:
    """When a token that was just read ends."""
    import jwt

    claims = jwt.decode(token, options={"verify_signature": False})
    return datetime.fromtimestamp(float(claims["exp"]), tz=runtime.clock.now().tzinfo)


@asynccontextmanager
async def _in_turn(name: str, address: str) -> AsyncIterator[None]:
    """One try of an account and of an address after the other; first the account, so that nobody waits in a ring."""
    account, there = (
        _ONE_AT_A_TIME.setdefault(who, asyncio.Lock()) for who in (f"account:{name}", f"address:{address}")
    )
    async with account, there:
        yield


async def _may_try(runtime: Runtime, name: str, address: str) -> None:
    now = runtime.clock.now()
    async with runtime.pool.acquire() as conn:
        until = await store_sessions.waits_until(conn, _counted(name, address), now)
    if until is not None:
        wait_s = int((until - now).total_seconds()) + 1
        raise Problem(
            429,
            "too_many_logins",
            f"Too many tries went wrong; the next one is possible in {wait_s} s.",
            f"登录失败次数过多,请{wait_s}秒后再试。",
            "Or ask whoever runs the node for a login link.",
        )


def _counted(name: str, address: str) -> list[str]:
    return [f"address:{address}", *([f"account:{name}"] if name else [])]


async def _count_failure(runtime: Runtime, name: str, address: str, *, known: bool) -> None:
    """The name goes into the log only if there is such an account: people type passwords into the wrong field."""
    async with runtime.tx(actor="console") as tx:
        for who in _counted(name, address):
            free = FREE_FAILURES if who.startswith("account:") else FREE_FAILURES_OF_ADDRESS
            await store_sessions.failed(tx.conn, who, tx.now, free, FIRST_WAIT, LONGEST_WAIT)
        tx.audit(
            "login_refused",
            how="account" if name else "token",
            account=name if known else None,
            address=address,
        )


async def _audit_stranger(runtime: Runtime, address: str, **details: str) -> None:
    """Anybody can send rubbish here: the first refusals of an address are kept, then one a wait, lest it fills the log.

    Nobody is slowed down by that: what is asked for can't be guessed, and a good link must open the door at any time.
    """
    who = f"stranger:{address}"
    async with runtime.tx(actor="console") as tx:
        if await store_sessions.waits_until(tx.conn, [who], tx.now) is None:
            free = FREE_FAILURES_OF_ADDRESS
            await store_sessions.failed(tx.conn, who, tx.now, free, FIRST_WAIT, LONGEST_WAIT)
            tx.audit("login_refused", subject=None, address=address, **details)


async def _audit_refusal(runtime: Runtime, **details: str) -> None:
    async with runtime.tx(actor="console") as tx:
        tx.audit("login_refused", subject=None, **details)


def _wrong() -> Problem:
    return Problem(
        401,
        "login_wrong",
        "Name and password do not belong together, or the account is disabled.",
        "用户名或密码不正确,或账户已停用。",
        "Try again, or ask whoever runs the node.",
    )
