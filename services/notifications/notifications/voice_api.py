"""What a call says, and what its keys do: Twilio fetches the words when somebody answers, then brings each key.

An unknown token is answered with words and 200, not with 404: to a call whose address fails Twilio says "an
application error has occurred" (error 11200), in English, and hangs up. It is logged here instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from fastapi import APIRouter, Request, Response

from guitu.problem import refusals
from guitu.service import Runtime
from notifications import answers
from notifications.access import access_call
from notifications.callbacks import Twiml, call_of, form, read, refused
from notifications.domain import spoken
from notifications.domain.texts import Language
from notifications.outside import Callback
from notifications.providers.protocol import InboundSms
from notifications.providers.twilio_voice import NAME
from notifications.settings import NotificationSettings
from notifications.store import STOP_KINDS, Row
from notifications.twiml import ask, end
from notifications.writing import over_of, spoken_of


def voice_router(runtime: Runtime, settings: NotificationSettings) -> APIRouter:
    """POST /twilio/voice/{token} and /twilio/voice/{token}/keys; each request is signed."""
    router = APIRouter(prefix="/twilio/voice", tags=["provider"], responses=refusals(403, 422))

    @router.post("/{token}", response_class=Twiml, openapi_extra=form("CallSid"))
    async def begin(token: str, request: Request) -> Response:
        """Somebody answered: what the call says."""
        call = await call_of(runtime, request, token)
        _presses(runtime, call)
        async with runtime.read() as conn:
            row = await access_call(conn, token)
        return _said(runtime, settings, row, token)

    @router.post("/{token}/keys", response_class=Twiml, openapi_extra=form("CallSid", "From", "To", "Digits"))
    async def keys(token: str, request: Request) -> Response:
        """A key: 1 acknowledges, 9 asks for a person, all else says it again."""
        call = await call_of(runtime, request, token)
        pressed = "".join(press.body for press in _presses(runtime, call))
        async with runtime.tx(actor="provider") as tx:
            row = await access_call(tx.conn, token)
            did = await answers.key_pressed(tx, row, pressed) if row and not _over(row) else "nothing"
        return _said(runtime, settings, row, token, did)

    return router


def _presses(runtime: Runtime, call: Callback) -> Sequence[InboundSms]:
    """The keys of a request whose signature fits. Raises: Problem 403, 422."""
    with refused():
        _, presses = read(runtime, NAME, lambda provider: provider.inbound(call))
    return presses


def _over(row: Row) -> bool:
    return row["stood_down_at"] is not None or row["kind"] in STOP_KINDS


def _said(
    runtime: Runtime,
    settings: NotificationSettings,
    row: Row | None,
    token: str,
    did: answers.Pressed = "nothing",
) -> Twiml:
    """The words for a delivery as it now stands."""
    if row is None:
        runtime.log.warning("voice.unknown_token")
        return Twiml(end((spoken.UNKNOWN["zh"], "zh"), (spoken.UNKNOWN["en"], "en")))
    language = cast(Language, row["language"])
    if did == "acknowledged":
        return Twiml(end((spoken.THANKS[language], language)))
    if _over(row):
        return Twiml(end((over_of(row, settings), language)))
    if row["acknowledged_at"] is not None:
        return Twiml(end((spoken.ANSWERED[language], language)))
    words = spoken.ASKED[language] if did == "asked" else spoken_of(row, settings)
    return Twiml(ask(words, language, f"{runtime.public_url}/twilio/voice/{token}/keys"))
