"""Who may see and do what here; every route goes through one of these."""

from __future__ import annotations

from guitu.auth import Principal, in_scope
from guitu.problem import Problem
from notifications.domain.page_token import looks_like_token
from notifications.store import Row


def access_delivery(principal: Principal, row: Row | None) -> Row:
    """The delivery, for staff of its region. Raises: Problem 404; outside the region it is as if it were not there."""
    if row is None or not in_scope(principal, row["region_code"]):
        raise Problem(
            404,
            "no_such_delivery",
            "There is no such delivery in your region.",
            "没有这条通知。",
            "Check the id; GET /notices?case_id= lists a case's deliveries.",
        )
    return row


def access_page(token: str) -> str:
    """The token of a notice page, if it can be one. Raises: Problem 404."""
    if not looks_like_token(token):
        raise no_such_page()
    return token


def no_such_page() -> Problem:
    """The answer for a link that is wrong or over; it does not say which."""
    return Problem(
        404,
        "no_such_page",
        "This link is wrong or no longer valid.",
        "链接有误或已失效。",
        "Copy the whole link from the SMS, or call 110.",
    )
