"""Who opened a page: a person, or a program that looks at links by itself to preview or scan them.

A wrong "person" shows an opening that was none, a wrong "program" hides one; neither acknowledges anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# Link previewers, scanners and libraries by the words in their agents. Chat apps' own browsers (MicroMessenger, QQ) are
# people. Not "bot" alone: Cubot is a make of phones.
_PROGRAM = re.compile(
    r"(?<!cu)bot\b|(?<!cu)bot[/;-]|spider|crawl|preview|facebookexternalhit|facebot|whatsapp|skypeuri|slack-|embedly"
    r"|scan|curl|wget|python-|java/|go-http|okhttp|libwww|apache-httpclient|node-fetch|axios",
    re.I,
)
_AHEAD = ("sec-purpose", "purpose", "x-purpose", "x-moz")
"""Headers with which browsers say that they fetch a page ahead of any click."""


def is_person(headers: Mapping[str, str]) -> bool:
    """Does this request look like somebody's own browser, opening the page now? Names of headers in lower case."""
    agent = headers.get("user-agent", "")
    fetched_ahead = any(
        "prefetch" in headers.get(name, "") or "preview" in headers.get(name, "") for name in _AHEAD
    )
    return bool(agent) and not fetched_ahead and _PROGRAM.search(agent) is None
