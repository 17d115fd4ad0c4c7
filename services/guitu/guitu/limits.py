"""A bound on request bodies, before anything reads them: a body without an end must not fill the memory."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from guitu.problem import answer

BODY_BYTES_MAX = 4 * 1024 * 1024
"""A phone's photo in base64 fits; nothing else we take is larger than 64 KiB."""


class TooLarge(HTTPException):
    """The body went over the bound while it was read; FastAPI lets only an HTTPException pass from there."""

    def __init__(self) -> None:
        super().__init__(413, "The body is too large; send a smaller photo.")


class BodyLimit:
    """ASGI middleware: 413 for a body over the bound, by its stated length or by what really came."""

    def __init__(self, app: ASGIApp, bytes_max: int = BODY_BYTES_MAX) -> None:
        self._app = app
        self._bytes_max = bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        stated = dict(scope["headers"]).get(b"content-length", b"0")
        if stated.isdigit() and int(stated) > self._bytes_max:
            return await self._refuse(scope, receive, send)
        try:
            await self._app(scope, self._counting(receive), send)
        except TooLarge:
            await self._refuse(scope, receive, send)

    def _counting(self, receive: Receive) -> Receive:
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._bytes_max:
                raise TooLarge()
            return message

        return counted

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        most_mib = self._bytes_max // 2**20
        refusal = answer(
            413,
            "body_too_large",
            f"The body is larger than {most_mib} MiB; send a smaller photo, or split the file.",
            f"内容超过 {most_mib} MiB,请压缩照片或拆分文件后重试。",
        )
        await refusal(scope, receive, send)
