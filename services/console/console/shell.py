"""What every page stands in besides the door: the first page of a role, its keys, the banner, the language."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from console.door.page import check_from_here, inside
from console.door.sessions import LANGUAGE_COOKIE, Visitor, is_encrypted, visitor
from console.navigation import HOME, RAISE
from console.rendering import HEADERS, page
from console.words import LANGUAGES
from guitu.service import Runtime

Anyone = Annotated[Visitor, Depends(visitor())]


def shell_router(runtime: Runtime) -> APIRouter:
    """What belongs to no page."""
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

    @router.post("/language")
    async def language(
        request: Request, choice: Annotated[str, Form()], to: Annotated[str, Form()] = "/"
    ) -> Response:
        """Read every page in this language from now on."""
        check_from_here(request)
        answer = RedirectResponse(inside(to), 303, HEADERS)
        if choice in LANGUAGES:
            answer.set_cookie(
                LANGUAGE_COOKIE,
                choice,
                max_age=31_536_000,
                samesite="lax",
                secure=is_encrypted(request),
                path="/",
            )
        return answer

    return router
