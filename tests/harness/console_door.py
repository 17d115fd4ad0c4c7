"""Through the console's door without its form: the cookie of somebody who has just proved who they are."""

from __future__ import annotations

from console.door.sessions import COOKIE, begin_session
from guitu.auth import Principal
from guitu.service import Runtime


async def cookies_of(run: Runtime, principal: Principal) -> dict[str, str]:
    """A session of this person, as their browser keeps it."""
    return {COOKIE: await begin_session(run, principal, "token")}
