"""Who sits at the screen: a signed cookie, a role, a language, and a token against forged forms (CSRF)."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from fastapi import Request

from console.settings import console_settings
from console.words import LANGUAGES, Language
from guitu.auth import PageTokenExpired, PageTokenForged, Principal, Role, mint, read_page, sign_page
from guitu.problem import Problem

COOKIE = "guitu_session"
LANGUAGE_COOKIE = "guitu_language"
CSRF_FIELD = "csrf"
CSRF_HEADER = "X-CSRF"
_PURPOSE = "console-session"
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


def new_session(request: Request, principal: Principal) -> str:
    """The value of the cookie for somebody who has just proved who they are."""
    runtime = request.app.state.runtime
    payload = {
        "sub": principal.subject,
        "role": principal.role,
        "region": principal.region_code,
        "csrf": secrets.token_urlsafe(24),
    }
    return sign_page(runtime.settings.signing_key, _PURPOSE, payload)


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
            back_to = request.url.path if request.method == "GET" else "/"
            raise NotLoggedIn(back_to)
        if roles and who.principal.role not in (*roles, "admin"):
            raise Problem(
                403,
                "role_refused",
                f"Role {who.principal.role} may not do this; it needs {' or '.join(roles)}.",
                "您的角色无此权限。",
                "Ask an administrator for the role.",
            )
        if request.method not in ("GET", "HEAD"):
            await _check_csrf(request, who)
        return who

    return found


async def read_session(request: Request) -> Visitor | None:
    """Who the cookie says it is; None without a good one."""
    runtime = request.app.state.runtime
    cookie, settings = request.cookies.get(COOKIE), console_settings(runtime.settings)
    if not cookie:
        return None
    now = runtime.clock.now()
    try:
        said = read_page(
            settings.signing_key, _PURPOSE, cookie, max_age_s=settings.session_hours * 3600, now=now
        )
    except (PageTokenExpired, PageTokenForged):
        return None
    who = Principal(said["sub"], said["role"], said["region"])
    token = mint(settings, who.subject, who.role, who.region_code, now, _TOKEN_LIVES)
    return Visitor(who, masked(said["csrf"]), language_of(request), token)


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
