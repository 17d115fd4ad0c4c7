"""What all drivers share: where the services are, who is asking, and one HTTP client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import httpx

from demo.patience import Patient
from guitu import auth
from guitu.clock import Clock
from guitu.embedded.trouble import NodeError
from guitu.settings import Settings
from guitu.supervisor.members import INBOUND_PATH

TOKEN_VALID = timedelta(hours=12)
A_BROWSER = "Mozilla/5.0 (demo)"
"""The demo plays people: a page that a program previews does not count as opened."""
REQUEST_TIMEOUT_S = 10.0
NOT_FOUND = 404
PAGES = {"dispatch": "/o/", "notifications": "/n/"}


class Refused(Exception):
    """A service answered with an error; carries its problem document."""

    def __init__(self, asked: str, status: int, problem: str) -> None:
        super().__init__(f"{asked}: {status} {problem}")
        self.status = status


@dataclass(frozen=True)
class Stage:
    """Addresses by service name, the node's settings (they sign tokens), and the client."""

    urls: Mapping[str, str]
    settings: Settings
    http: httpx.AsyncClient
    texts_before: int = 0
    """How many texts the simulator had before: of another database's cases, which may have the same codes."""

    def now(self) -> datetime:
        """The moment by the clock that the services share."""
        return Clock(self.settings.clock_file).now()

    def public_url(self, service: str) -> str:
        """What links and callbacks of a service start with."""
        return (self.settings.public_url or self.urls[service]).rstrip("/")

    def token(self, role: auth.Role, subject: str = "") -> str:
        """A token of the demo user of a role."""
        region = self.settings.region_code
        return auth.mint(self.settings, subject or f"demo-{role}", role, region, self.now(), TOKEN_VALID)

    async def ask(
        self,
        service: str,
        method: str,
        path: str,
        *,
        role: auth.Role | None = None,
        subject: str = "",
        **more: Any,
    ) -> Any:
        """Send one request as the demo user of `role`, or as somebody in that role; returns the JSON answer.

        Raises: Refused.
        """
        headers = dict(more.pop("headers", {}))
        if role is not None:
            headers["Authorization"] = f"Bearer {self.token(role, subject)}"
        answer = await self.http.request(method, f"{self.urls[service]}{path}", headers=headers, **more)
        if answer.is_error:
            raise Refused(f"{method} {service}{path}", answer.status_code, answer.text[:600])
        return answer.json()


@asynccontextmanager
async def open_stage(
    urls: Mapping[str, str], settings: Settings, patience_s: float = 0.0
) -> AsyncIterator[Stage]:
    """Open the client and tell the simulator where texts from phones go, as an owner does at Twilio's console.

    `patience_s` is how long people bear with a process that restarts; tests want to see it at once.
    """
    # The phones are the simulator's: ours, or the one that GUITU_TWILIO_URL leads to.
    urls = {"sms-simulator": settings.twilio_url.rstrip("/"), **urls}
    # No proxy from the environment: everything is on loopback.
    async with Patient(
        patience_s, timeout=REQUEST_TIMEOUT_S, trust_env=False, headers={"User-Agent": A_BROWSER}
    ) as http:
        stage = Stage(urls, settings, http)
        stage = replace(stage, texts_before=await _texts_so_far(stage))
        await _check_public_url(stage)
        inbound = {"inbound_url": f"{stage.public_url('notifications')}{INBOUND_PATH}"}
        await stage.ask("sms-simulator", "PUT", "/simulator/numbers/default", json=inbound)
        yield stage


async def _texts_so_far(stage: Stage) -> int:
    """How many texts the simulator has had. Raises: NodeError, if it is somebody else's API."""
    try:
        known = await stage.ask("sms-simulator", "GET", "/simulator/messages", params={"limit": 1})
        return int(known["last_seq"])
    except (Refused, KeyError, ValueError) as error:
        raise NodeError(
            f"GUITU_TWILIO_URL={stage.settings.twilio_url} is no ./guitu sms-simulator, and the demo plays the "
            "phones too. Mend: unset it for the demo, or use ./guitu up."
        ) from error


async def _check_public_url(stage: Stage) -> None:
    """Tell at once whether links and callbacks arrive here. Raises: NodeError, with what a proxy has to pass on."""
    for service, path in PAGES.items():
        try:
            answer = await stage.http.get(f"{stage.public_url(service)}{path}nobody")
            is_ours = answer.status_code == NOT_FOUND and "noindex" in answer.headers.get("x-robots-tag", "")
        except httpx.HTTPError:
            is_ours = False
        if not is_ours:
            raise NodeError(
                f"GUITU_PUBLIC_URL={stage.settings.public_url} does not lead to the pages of {service}. Mend: have "
                f"your proxy pass {path} on to {stage.urls[service]}"
                f"{' and /twilio/ too' if service == 'notifications' else ''}, or unset it."
            )
