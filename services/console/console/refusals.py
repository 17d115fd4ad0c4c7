"""Refusals: a page in words for people, a problem document for scripts, the login for who is not logged in."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from console.door.sessions import NotLoggedIn, read_session
from console.rendering import HEADERS, page
from guitu import problem
from guitu.problem import Problem


def dress(app: FastAPI) -> None:
    """Let the console's refusals be read by people."""
    app.add_exception_handler(NotLoggedIn, _to_login)  # type: ignore[arg-type]
    app.add_exception_handler(Problem, _in_words)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _no_such_page)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _unreadable)  # type: ignore[arg-type]
    app.add_exception_handler(Exception, _our_fault)


def wants_page(request: Request) -> bool:
    """Is it a person's browser that asks, and not a script of ours?"""
    return "text/html" in request.headers.get("accept", "") and "hx-request" not in request.headers


async def _to_login(request: Request, away: NotLoggedIn) -> Response:
    if wants_page(request):
        return RedirectResponse(away.login_path, 303, HEADERS)
    return problem.answer(401, "not_logged_in", "Log in first.", "请先登录。", mend=away.login_path)


async def _no_such_page(request: Request, refused: HTTPException) -> Response:
    return await _in_words(
        request,
        Problem(
            refused.status_code,
            "no_such_page",
            "There is no such page, or it does not do that.",
            "没有这个页面。",
            "Go back to the start.",
        ),
    )


async def _unreadable(request: Request, error: RequestValidationError) -> Response:
    """What a form or an address says can't be read; its values are not repeated, they may be anybody's."""
    named = ", ".join(dict.fromkeys(str(each["loc"][-1]) for each in error.errors()[:5]))
    return await _in_words(
        request,
        Problem(
            422,
            "form_unreadable",
            f"The form can't be read: {named}.",
            f"无法识别填写的内容:{named}。",
            "Go back, correct it and send it again.",
        ),
    )


async def _our_fault(request: Request, error: Exception) -> Response:
    """We misbehaved: the trace is in the log, and the page says that nothing is known of what was asked."""
    runtime = request.app.state.runtime
    runtime.log.error("page.failed", error=type(error).__name__)
    fault = Problem(
        500,
        "our_fault",
        "That went wrong here; it is in the log. A command may or may not have been carried out.",
        "系统内部出错,已记入日志。操作可能未执行,请核对后再试。",
        "Look whether it was done before you repeat it.",
    )
    if wants_page(request):
        return page(request, "refused.html", None, status=500, refused=fault)
    return problem.answer(500, fault.code, fault.detail_en, fault.detail_zh, mend=fault.mend)


async def _in_words(request: Request, refused: Problem) -> Response:
    if wants_page(request):
        who = await read_session(request)
        return page(request, "refused.html", who, status=refused.status, refused=refused)
    return problem.answer(
        refused.status, refused.code, refused.detail_en, refused.detail_zh, mend=refused.mend, **refused.extra
    )
