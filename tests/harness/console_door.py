"""Through the console's door without its form: the cookie of somebody who has just proved who they are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from console.sessions import COOKIE, new_session
from guitu.auth import Principal
from guitu.service import Runtime


async def cookies_of(run: Runtime, principal: Principal) -> dict[str, str]:
    """A session of this person, as their browser keeps it."""
    request: Any = SimpleNamespace(app=SimpleNamespace(state=SimpleNamespace(runtime=run)))
    return {COOKIE: new_session(cast(Any, request), principal)}
