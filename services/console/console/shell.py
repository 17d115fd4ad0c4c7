"""What every page stands in: login, language, assets, and where a refusal is said in words."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from console.navigation import HOME, RAISE
from console.rendering import HEADERS, page
from console.sessions import COOKIE, LANGUAGE_COOKIE, Visitor, new_session, visitor
from console.words import LANGUAGES
from guitu.auth import read_token
from guitu.problem import Problem
from guitu.service import Runtime

Anyone = Annotated[Visitor, Depends(visitor())]


def shell_router(runtime: Runtime) -> APIRouter:
    """Login, logout, language, assets and the first page of a role."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def home(who: Anyone) -> Response:
        """The page a role begins with."""
        return RedirectResponse(HOME.get(who.principal.role, "/cases"), 303, HEADERS)

    @router.get("/keys")
    async def keys(request: Request, who: Anyone) -> Response:
        """The keys that lead to pages, for who has no script to list them."""
        return page(request, "keys.html", who, raise_place=RAISE)

    @router.get("/banner")
    async def banner(request: Request, who: Anyone) -> Response:
        """The open cases above every page, asked for again and again by `bar.mjs`."""
        answer = page(request, "_banner.html", who)
        answer.headers["X-Now"] = runtime.clock.now().isoformat()
        return answer

    @router.get("/login")
    async def ask(request: Request, to: str = "/") -> Response:
        """Ask who it is."""
        return page(request, "login.html", to=to, refused=None)

    @router.post("/login")
    async def login(
        request: Request, token: Annotated[str, Form()], to: Annotated[str, Form()] = "/"
    ) -> Response:
        """Take a token of this node or of the issuer; its role and region are the session's."""
        try:
            principal = await read_token(runtime.settings, token.strip(), runtime.clock.now())
        except Problem as refused:
            return page(request, "login.html", status=401, to=to, refused=refused)
        answer = RedirectResponse(_inside(to), 303, HEADERS)
        answer.set_cookie(COOKIE, new_session(request, principal), httponly=True, samesite="lax", path="/")
        return answer

    @router.post("/logout")
    async def logout(_who: Anyone) -> Response:
        """Forget the session in this browser."""
        answer = RedirectResponse("/login", 303, HEADERS)
        answer.delete_cookie(COOKIE, path="/")
        return answer

    @router.post("/language")
    async def language(choice: Annotated[str, Form()], to: Annotated[str, Form()] = "/") -> Response:
        """Read every page in this language from now on."""
        answer = RedirectResponse(_inside(to), 303, HEADERS)
        if choice in LANGUAGES:
            answer.set_cookie(LANGUAGE_COOKIE, choice, max_age=31_536_000, samesite="lax", path="/")
        return answer

    return router


def _inside(to: str) -> str:
    """A path of ours; anything else leads home, so that no link leads away after a login."""
    return to if to.startswith("/") and not to.startswith(("//", "/\\")) else "/"
