"""What the pages behind an SMS link have in common: small, readable without JavaScript, and strict about what may run.

A unit's order page and a site's notice page are opened on any phone, on any signal. The style travels inside the page
(one request less on a slow line) and is allowed by its hash; the script is a file of our own with its hash in the
page, and only makes better what plain forms do. What the pages say is their service's matter.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from markupsafe import Markup

_HERE = Path(__file__).parent
GZIP_FROM = 600
"""Below so many bytes packing saves less than a packet."""
PRIVATE = {
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""The address is the whole permission: nobody is told of it, and nothing of it is kept."""


@dataclass(frozen=True)
class Kit:
    """Style and script of one service's pages; `own_css` follows what all phone pages share."""

    own_css: str

    @cached_property
    def style(self) -> Markup:
        """The content of the page's style element; a file of ours, so it is markup already."""
        return Markup(_one_line((_HERE / "phone.css").read_text(encoding="utf-8") + self.own_css))  # noqa: S704

    @cached_property
    def script(self) -> bytes:
        """The script file."""
        return (_HERE / "phone.mjs").read_bytes()

    @cached_property
    def integrity(self) -> str:
        """The script's hash, as the page gives it to the browser."""
        return _hash(self.script)

    @property
    def version(self) -> str:
        """Changes with the script, so that it can be kept for ever under its address."""
        return hashlib.sha256(self.script).hexdigest()[:12]

    @cached_property
    def headers(self) -> dict[str, str]:
        """What every page is sent with; exactly this style and scripts of this host may run."""
        policy = (
            "default-src 'none'",
            f"style-src '{_hash(str(self.style).encode())}'",
            "script-src 'self'",
            # The empty icon is data; without one a browser asks for /favicon.ico, a whole turn on a slow line.
            "img-src 'self' data:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
        return PRIVATE | {"Content-Security-Policy": "; ".join(policy)}

    def page(self, html: str, status: int = 200, request: Request | None = None) -> HTMLResponse:
        """A page with its headers, packed if the browser takes that: 50 kbit/s are 6 KB a second."""
        body = html.encode()
        answer = HTMLResponse(body, status, self.headers | {"Vary": "Accept-Encoding"})
        if request is not None and _may_pack(request) and len(body) >= GZIP_FROM:
            answer = HTMLResponse(gzip.compress(body, 6, mtime=0), status, dict(answer.headers))
            answer.headers["Content-Encoding"] = "gzip"
            answer.headers["Content-Length"] = str(len(answer.body))
        return answer

    def script_file(self, request: Request) -> Response:
        """The script; its address names its version, so that a phone fetches it once."""
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable",
            "X-Content-Type-Options": "nosniff",
            "Vary": "Accept-Encoding",
        }
        if not _may_pack(request):
            return Response(self.script, media_type="text/javascript", headers=headers)
        packed = gzip.compress(self.script, 9, mtime=0)
        return Response(packed, media_type="text/javascript", headers=headers | {"Content-Encoding": "gzip"})


def _may_pack(request: Request) -> bool:
    return "gzip" in request.headers.get("accept-encoding", "")


def _hash(content: bytes) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content).digest()).decode()


def _one_line(css: str) -> str:
    """Without line breaks and indentation: a third less to send."""
    return "".join(line.strip() for line in css.splitlines())
