"""Who sits at the screen: a session as a row, a role, a language, and a token against forged forms (CSRF).

The cookie holds 256 random bits and the row their hash, so that neither the database nor a backup lets anybody in.
A session ends by logout, after its hours, when the account behind it is disabled or changed, or when the issuer
no longer renews its token.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal, cast
from urllib.parse import quote

from fastapi import Request, Response

from console.door import store_sessions, tokens
from console.door.oidc_login import Tokens
from console.live import banner
from console.settings import console_settings
from console.words import LANGUAGES, Language
from guitu.auth import Principal, Role, mint
from guitu.problem import Problem
from guitu.service import Runtime

COOKIE = "guitu_session"
LANGUAGE_COOKIE = "guitu_language"
CSRF_FIELD = "csrf"
CSRF_HEADER = "X-CSRF"
Origin = Literal["account", "token", "link", "oidc"]
_KEPT_AFTER = timedelta(days=1)
_TOKEN_LIVES = timedelta(minutes=5)


@dataclass(frozen=True)
class Visitor:
    """A person who is logged in."""

    principal: Principal
    csrf: str
    language: Language
    token: str
    """What the other services are shown: the person's own, short-lived."""


class NotLoggedIn(Exception):
    """Nobody is logged in; the person is led to the login page and back."""

    def __init__(self, back_to: str) -> None:
        super().__init__("Log in first.")
        self.login_path = f"/login?to={quote(back_to, safe='')}"


async def begin_session(
    runtime: Runtime,
    principal: Principal,
    origin: Origin,
    *,
    generation: int | None = None,
    issued: Tokens | None = None,
    until: datetime | None = None,
) -> str:
    """Let somebody in who has just proved who they are; returns the value of their cookie. Audited.

    `until`: when the proof itself ends; else a token of minutes could be made hours long here.
    """
    cookie = secrets.token_urlsafe(32)
    id_hash, now = hash_of(cookie), runtime.clock.now()
    expires_at = now + timedelta(hours=console_settings(runtime.settings).session_hours)
    expires_at = min(expires_at, until) if until else expires_at
    sealed = tokens.sealed(runtime.settings, issued, id_hash) if issued else None
    async with runtime.tx(actor=principal.subject) as tx:
        await store_sessions.begin(
            tx.conn,
            id_hash,
            principal.subject,
            principal.role,
            principal.region_code,
            origin,
            generation,
            secrets.token_urlsafe(24),
            sealed,
            issued.expires_at if issued else None,
            now,
            expires_at,
        )
        tx.audit("login", role=principal.role, region=principal.region_code, origin=origin)
    return cookie


def keep_cookie(request: Request, answer: Response, cookie: str) -> None:
    """Give the browser its session: for us alone, never to scripts, and only encrypted where we are."""
    answer.set_cookie(COOKIE, cookie, httponly=True, samesite="lax", secure=is_encrypted(request), path="/")


def is_encrypted(request: Request) -> bool:
    """Did the browser come by HTTPS, here or at the proxy before us?"""
    own = console_settings(request.app.state.runtime.settings)
    return request.url.scheme == "https" or own.console_public_url.startswith("https:")


def language_of(request: Request) -> Language:
    """The language that was chosen, or that the browser asks for; Chinese before all others."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return "en" if chosen == "en" else "zh-CN"
    asked = request.headers.get("accept-language", "").lower()
    return "en" if asked.startswith("en") else "zh-CN"


def visitor(*roles: Role) -> Callable[[Request], Awaitable[Visitor]]:
    """A dependency: the person at the screen, if their role is one of `roles` (admin always is).

    Every request that is not GET or HEAD must carry the session's CSRF token, in a form field or a header.

    Raises: NotLoggedIn, Problem 403.
    """

    async def found(request: Request) -> Visitor:
        who = await read_session(request)
        if who is None:
            raise NotLoggedIn(_back_to(request))
        if roles and who.principal.role not in (*roles, "admin"):
            await _refused(request, who)
            raise Problem(
                403,
                "role_refused",
                f"Role {who.principal.role} may not do this; it needs {' or '.join(roles)}.",
                "您的角色无此权限。",
                "Ask an administrator for the role.",
            )
        if request.method not in ("GET", "HEAD"):
            await _check_csrf(request, who)
        if "text/html" in request.headers.get("accept", ""):
            request.state.banner = await banner.read(request.app.state.runtime, who.principal)
        return who

    return found


def _back_to(request: Request) -> str:
    """Where a person goes on after the login: the page they asked for, with what they asked of it."""
    if request.method != "GET":
        return "/"
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path


async def read_session(request: Request) -> Visitor | None:
    """Who the cookie says it is; None without a good one."""
    runtime: Runtime = request.app.state.runtime
    cookie, now = request.cookies.get(COOKIE), runtime.clock.now()
    if not cookie:
        return None
    async with runtime.pool.acquire() as conn:
        row = await store_sessions.find(conn, hash_of(cookie), now)
    if row is None:
        return None
    who = Principal(row["subject"], cast(Role, row["role"]), row["region_code"])
    if row["sealed_tokens"] is None:
        token = mint(runtime.settings, who.subject, who.role, who.region_code, now, _TOKEN_LIVES)
        return Visitor(who, masked(row["csrf"]), language_of(request), token)
    issued = await tokens.current(runtime, row)
    return Visitor(who, masked(row["csrf"]), language_of(request), issued) if issued else None


async def end_session(request: Request, who: Visitor, *, everywhere: bool = False) -> None:
    """Log out here, or on every machine. Audited."""
    runtime: Runtime = request.app.state.runtime
    now, subject = runtime.clock.now(), who.principal.subject
    async with runtime.tx(actor=subject) as tx:
        if everywhere:
            ended = await store_sessions.end_all(tx.conn, subject, now, "everywhere")
            tx.audit("logout_everywhere", sessions=ended)
        else:
            await store_sessions.end(tx.conn, hash_of(request.cookies[COOKIE]), now, "logout")
            tx.audit("logout")


async def forget_old(runtime: Runtime) -> int:
    """Remove sessions, links and failures that are over for a day; returns how many. The audit log stays."""
    async with runtime.tx(actor="console") as tx:
        return await store_sessions.sweep(tx.conn, tx.now - _KEPT_AFTER)


def hash_of(secret: str) -> bytes:
    """What is kept of a cookie or a login link."""
    return sha256(secret.encode()).digest()


async def _refused(request: Request, who: Visitor) -> None:
    """A person tried a page of another role: the log keeps which, by its pattern and not its address."""
    runtime: Runtime = request.app.state.runtime
    route = getattr(request.scope.get("route"), "path", "")
    async with runtime.tx(actor=who.principal.subject) as tx:
        tx.audit("page_refused", role=who.principal.role, page=route, method=request.method)


async def _check_csrf(request: Request, who: Visitor) -> None:
    sent = request.headers.get(CSRF_HEADER)
    if sent is None and "form" in request.headers.get("content-type", ""):
        sent = str((await request.form()).get(CSRF_FIELD, ""))
    if not _same_secret(sent or "", who.csrf):
        raise Problem(
            403,
            "form_refused",
            "The form does not come from this session's page.",
            "表单已失效,请刷新页面后重试。",
            "Load the page again and repeat; nothing was changed.",
        )


def masked(secret: str) -> str:
    """The CSRF token as a page shows it: never twice the same, so that the length of a page tells nothing of it."""
    pad = secrets.token_bytes(len(secret))
    return urlsafe_b64encode(pad + bytes(a ^ b for a, b in zip(pad, secret.encode(), strict=True))).decode()


def _unmasked(shown: str) -> bytes:
    try:
        raw = urlsafe_b64decode(shown.encode())
    except ValueError:
        return b""
    half = len(raw) // 2
    return bytes(a ^ b for a, b in zip(raw[:half], raw[half:], strict=False))


def _same_secret(sent: str, shown: str) -> bool:
    """Were both made from the same secret?"""
    return secrets.compare_digest(_unmasked(sent), _unmasked(shown))
