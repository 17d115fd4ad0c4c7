"""The child's photo for the notice page: asked of alerts, which alone decides whether it is released, and not kept.

A copy lives for a minute in the memory of the process, because a hundred sites open their page in the same minute;
after the stand-down it is neither shown nor held. A page never waits for a photo longer than `PATIENCE_S`: who must
read the words on a bad line, or while alerts restarts, reads them without it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import httpx

from guitu.auth import mint
from guitu.service import Runtime
from notifications.settings import NotificationSettings

KEPT_FOR = timedelta(seconds=60)
ASK_AGAIN = timedelta(seconds=10)
"""After alerts did not answer; so long pages come without a photo."""
CASES_MAX = 32
BYTES_MAX = 20_000
"""The whole page may take 25 KB; alerts promises 14."""
PATIENCE_S = 0.7
TOKEN_LIVES = timedelta(minutes=5)
SUBJECT = "notifications"


@dataclass(frozen=True)
class Kept:
    """What alerts said: the photo, or None for none, and until when that counts."""

    photo: bytes | None
    until: datetime


class Photos:
    """The photos of the cases whose pages are being opened now."""

    def __init__(self, runtime: Runtime, settings: NotificationSettings, http: httpx.AsyncClient) -> None:
        self._runtime, self._settings, self._http = runtime, settings, http
        self._kept: OrderedDict[UUID, Kept] = OrderedDict()

    async def of(self, case_id: UUID) -> bytes | None:
        """The released photo (WebP), or None: none is there, none is released, or alerts does not answer."""
        now = self._runtime.clock.now()
        kept = self._kept.get(case_id)
        if kept is None or now >= kept.until:
            kept = await self._ask(case_id, now)
            self._kept[case_id] = kept
            self._kept.move_to_end(case_id)
            self._drop_old(now)
        return kept.photo

    def forget(self, case_id: UUID) -> None:
        """The case is over: not even for the rest of the minute."""
        self._kept.pop(case_id, None)

    def _drop_old(self, now: datetime) -> None:
        for case_id in [each for each, kept in self._kept.items() if now >= kept.until]:
            del self._kept[case_id]
        while len(self._kept) > CASES_MAX:
            self._kept.popitem(last=False)

    async def _ask(self, case_id: UUID, now: datetime) -> Kept:
        headers = {"Authorization": f"Bearer {self._token(now)}"}
        try:
            answer = await self._http.get(f"/cases/{case_id}/notice-photo", headers=headers)
        except httpx.HTTPError as error:
            self._runtime.log.warning("photo.alerts_away", case_id=str(case_id), error=type(error).__name__)
            return Kept(None, now + ASK_AGAIN)
        is_photo = answer.status_code == 200 and answer.headers.get("content-type") == "image/webp"
        if is_photo and len(answer.content) <= BYTES_MAX:
            return Kept(answer.content, now + KEPT_FOR)
        if answer.status_code not in (200, 404, 410):
            self._runtime.log.warning("photo.refused", case_id=str(case_id), status=answer.status_code)
        return Kept(None, now + ASK_AGAIN)

    def _token(self, now: datetime) -> str:
        given = self._settings.alerts_token.get_secret_value()
        return given or mint(self._settings, SUBJECT, "outside_system", "*", now, TOKEN_LIVES)


@asynccontextmanager
async def open_photos(
    runtime: Runtime, settings: NotificationSettings, transport: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[Photos]:
    """Photos as long as the service runs; `transport` is another way to alerts."""
    async with httpx.AsyncClient(
        base_url=settings.alerts_url, timeout=PATIENCE_S, transport=transport, trust_env=False
    ) as http:
        photos = Photos(runtime, settings, http)
        runtime.state["photos"] = photos
        yield photos
