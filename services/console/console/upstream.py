"""The way to the services that own things: every command goes there over HTTP with the person's own token."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Literal, Self

import httpx

from console.door.sessions import Visitor
from console.settings import ConsoleSettings
from guitu.problem import Problem

Owner = Literal["alerts", "dispatch", "dna-intake", "notifications", "sms-simulator"]
TIMEOUT_S = 10.0
Json = Any
_OF_EVERY_PROBLEM = frozenset({"type", "status", "code", "detail", "detail_zh", "mend"})
"""What is left beside them says more: fields, rows of a file, whom to look at."""


class Upstream:
    """One HTTP client for all owners; what they refuse is raised as the same Problem, in both languages."""

    def __init__(self, settings: ConsoleSettings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._urls: dict[str, str] = {
            "alerts": settings.alerts_url,
            "dispatch": settings.dispatch_url,
            "dna-intake": settings.dna_intake_url,
            "notifications": settings.notifications_url,
            "sms-simulator": settings.sms_simulator_url,
        }
        self._http = httpx.AsyncClient(timeout=TIMEOUT_S, transport=transport, trust_env=False)

    async def __aenter__(self) -> Self:
        """The client is open from its making."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def get(self, who: Visitor, owner: Owner, path: str, **query: Any) -> Json:
        """What the owner says. Raises: Problem, as the owner refused; 503 if it does not answer."""
        return (await self.ask(who, owner, "GET", path, query=query)).json()

    async def send(
        self, who: Visitor, owner: Owner, method: str, path: str, body: Json = None, key: str | None = None
    ) -> Json:
        """Give a command; `key` makes a repetition harmless. Raises: Problem, as the owner refused; 503."""
        answer = await self.ask(who, owner, method, path, body=body, key=key)
        return answer.json() if answer.content else None

    async def ask(
        self,
        who: Visitor,
        owner: Owner,
        method: str,
        path: str,
        *,
        query: dict[str, Any] | None = None,
        body: Json = None,
        key: str | None = None,
        files: Any = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """The owner's whole answer, for files and pictures. Raises: Problem."""
        headers = {"Authorization": f"Bearer {who.token}"} | ({"Idempotency-Key": key} if key else {})
        params = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            answer = await self._http.request(
                method,
                self._urls[owner] + path,
                params=params,
                json=body,
                files=files,
                content=content,
                headers=headers,
            )
        except httpx.HTTPError as error:
            raise away(owner, error) from None
        if answer.status_code >= 400:
            raise refused(owner, answer)
        return answer


def away(owner: str, error: Exception) -> Problem:
    """The owner does not answer: nothing is known of what was asked."""
    return Problem(
        503,
        "owner_away",
        f"{owner} does not answer ({type(error).__name__}).",
        f"{owner} 服务暂无应答。",
        "Try again; a command with the same key is never carried out twice.",
    )


def refused(owner: str, answer: httpx.Response) -> Problem:
    """What the owner refused, in its own words."""
    try:
        said = answer.json()
        problem = Problem(
            answer.status_code, said["code"], said["detail"], said["detail_zh"], said.get("mend") or ""
        )
        problem.extra = {name: value for name, value in said.items() if name not in _OF_EVERY_PROBLEM}
        return problem
    except (ValueError, KeyError, TypeError):
        return Problem(
            502,
            "owner_unclear",
            f"{owner} answered {answer.status_code} without saying why.",
            f"{owner} 服务返回 {answer.status_code}。",
            "Look into its log.",
        )
