"""Refusals: a page in words for people, a problem document for scripts, the login for who is not logged in."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from console.rendering import HEADERS, page
from console.sessions import NotLoggedIn, read_session
from guitu import problem
from guitu.problem import Problem


def dress(app: FastAPI) -> None:
    """Let the console's refusals be read by people."""
    app.add_exception_handler(NotLoggedIn, _to_login)  # type: ignore[arg-type]
    app.add_exception_handler(Problem, _in_words)  # type: ignore[arg-type]


def wants_page(request: Request) -> bool:
    """Is it a person's browser that asks, and not a script of ours?"""
    return "text/html" in request.headers.get("accept", "") and "hx-request" not in request.headers


async def _to_login(request: Request, away: NotLoggedIn) -> Response:
    if wants_page(request):
        return RedirectResponse(away.login_path, 303, HEADERS)
    return problem.answer(401, "not_logged_in", "Log in first.", "请先登录。", mend=away.login_path)


async def _in_words(request: Request, refused: Problem) -> Response:
    if wants_page(request):
        who = await read_session(request)
        return page(request, "refused.html", who, status=refused.status, refused=refused)
    return problem.answer(
        refused.status, refused.code, refused.detail_en, refused.detail_zh, mend=refused.mend, **refused.extra
    )
