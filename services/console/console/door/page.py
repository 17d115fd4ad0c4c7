"""The door: login by each of the ways, logout here and everywhere. GET lets nobody in and out."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from console.door import entering, oidc_login
from console.door.entering import Proven
from console.door.sessions import COOKIE, Visitor, end_session, is_encrypted, keep_cookie, visitor
from console.navigation import ROLE_NAMES
from console.rendering import HEADERS, page
from console.settings import console_settings
from guitu.problem import Problem
from guitu.service import Runtime

Anyone = Annotated[Visitor, Depends(visitor())]
Text = Annotated[str, Form()]


def door_router(runtime: Runtime) -> APIRouter:
    """Login, login links, the issuer's way back, logout."""
    router = APIRouter(include_in_schema=False)

    @router.get("/login")
    async def ask(request: Request, to: str = "/") -> Response:
        """Ask who it is."""
        return _ask(request, runtime, inside(to))

    @router.post("/login")
    async def login(
        request: Request, name: Text = "", password: Text = "", token: Text = "", to: Text = "/"
    ) -> Response:
        """Take an account's name and password, or a token."""
        check_from_here(request)
        address = _address(request)
        try:
            if token.strip():
                proven = await entering.by_token(runtime, token, address)
            elif runtime.settings.oidc_issuer:
                raise _by_issuer_only()
            else:
                proven = await entering.by_password(runtime, name, password, address)
            return await _enter(request, runtime, proven, to)
        except Problem as refused:
            return _ask(request, runtime, inside(to), refused, name)

    @router.get("/login/link/{token}")
    async def look_at_link(request: Request, token: str) -> Response:
        """For whom a link is; programs that look at links use none up."""
        who = await entering.for_whom(runtime, token)
        return page(request, "login_link.html", token=token, person=who, role_name=ROLE_NAMES[who.role])

    @router.post("/login/link/{token}")
    async def use_link(request: Request, token: str) -> Response:
        """Use it."""
        check_from_here(request)
        return await _enter(request, runtime, await entering.by_link(runtime, token, _address(request)), "/")

    @router.get("/oidc/start")
    async def to_issuer(request: Request, to: str = "/") -> Response:
        """Lead to the issuer; nothing changes but a cookie of this browser."""
        url, cookie = await oidc_login.departure(runtime, base_url(request), inside(to))
        answer = RedirectResponse(url, 303, HEADERS)
        _keep_departure(request, answer, cookie)
        return answer

    @router.get(oidc_login.WAY_BACK)
    async def from_issuer(request: Request, code: str = "", state: str = "") -> Response:
        """The issuer sent the browser back; the code is good once, and only with what the cookie holds."""
        kept = request.cookies.get(oidc_login.COOKIE, "")
        try:
            came = base_url(request), code, state, kept, _address(request)
            proven, to = await entering.by_issuer(runtime, *came)
            answer = await _enter(request, runtime, proven, to)
        except Problem as refused:
            return _ask(request, runtime, "/", refused)
        answer.delete_cookie(oidc_login.COOKIE, path="/oidc")
        return answer

    @router.post("/logout")
    async def logout(request: Request, who: Anyone, everywhere: Text = "") -> Response:
        """End the session of this browser, or all of this person."""
        await end_session(request, who, everywhere=bool(everywhere))
        # `bar.mjs` drops what was being typed; Clear-Site-Data would drop alerts that wait to be sent, too.
        answer = RedirectResponse("/login", 303, HEADERS)
        answer.delete_cookie(COOKIE, path="/")
        return answer

    return router


def _address(request: Request) -> str:
    """Where it came from."""
    return request.client.host if request.client else "unknown"


def inside(to: str) -> str:
    """A path of ours; anything else leads home, so that no link leads away after a login."""
    return to if to.startswith("/") and not to.startswith(("//", "/\\")) and "\n" not in to else "/"


def base_url(request: Request) -> str:
    """What the browser calls us by: as it is set, or as it came."""
    own = console_settings(request.app.state.runtime.settings)
    return (own.console_public_url or str(request.base_url)).rstrip("/")


def _ask(
    request: Request, runtime: Runtime, to: str, refused: Problem | None = None, name: str = ""
) -> Response:
    status = refused.status if refused else 200
    offered, accounts = oidc_login.is_offered(runtime), not runtime.settings.oidc_issuer
    return page(
        request,
        "login.html",
        status=status,
        to=to,
        refused=refused,
        name=name,
        offered=offered,
        accounts=accounts,
    )


async def _enter(request: Request, runtime: Runtime, proven: Proven, to: str) -> RedirectResponse:
    cookie = await entering.let_in(runtime, proven)
    answer = RedirectResponse(inside(to), 303, HEADERS)
    keep_cookie(request, answer, cookie)
    return answer


def _keep_departure(request: Request, answer: Response, cookie: str) -> None:
    answer.set_cookie(
        oidc_login.COOKIE,
        cookie,
        max_age=oidc_login.ASKED_FOR_S,
        httponly=True,
        samesite="lax",
        secure=is_encrypted(request),
        path="/oidc",
    )


def check_from_here(request: Request) -> None:
    """Another site must not log anybody in under its own name (login CSRF). Raises: Problem 403.

    Browsers name the site only to HTTPS and to this machine itself; in a county's plain network the origin tells.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is None and origin is not None:
        ours = (str(request.base_url), base_url(request))
        site = (
            "same-origin"
            if urlsplit(origin).netloc in [urlsplit(our).netloc for our in ours]
            else "cross-site"
        )
    if site not in (None, "same-origin", "none"):
        raise Problem(
            403,
            "login_from_elsewhere",
            "Log in on the console's own page.",
            "请在指挥台的登录页面登录。",
            "If a proxy stands before the console, set GUITU_CONSOLE_PUBLIC_URL to the address that browsers use.",
        )


def _by_issuer_only() -> Problem:
    return Problem(
        401,
        "issuer_only",
        "Accounts of this node are not used while GUITU_OIDC_ISSUER is set.",
        "已启用统一身份认证,请使用该方式登录。",
        "Log in by the issuer.",
    )
