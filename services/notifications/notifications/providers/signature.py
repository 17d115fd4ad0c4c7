"""Whether a callback really comes from Twilio: X-Twilio-Signature over the public address and the form.

Base64 of HMAC-SHA1, key = auth token, text = address + every form name and value in order of name. Twilio signs the
address sometimes with and sometimes without its port, so both are tried, and with each token, so that a token can
be changed without losing callbacks. Source: twilio.com/docs/usage/security; request_validator.py of 9.13.0.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import SplitResult, urlsplit

Form = Mapping[str, str] | Mapping[str, Sequence[str]]
_DEFAULT_PORT = {"http": 80, "https": 443}


def is_signed(tokens: Sequence[str], url: str, form: Form, signature: str) -> bool:
    """Say whether `signature` was made with one of `tokens` for this public `url` and `form`.

    Takes the same time whichever token or address fits, and never accepts an empty token or signature.
    """
    given = signature.encode("utf-8", "replace")
    fits = False
    for token in tokens:
        for address in _addresses(url):
            fits |= bool(token) and hmac.compare_digest(_sign(token, address, form), given)
    return fits


def _sign(token: str, url: str, form: Form) -> bytes:
    text = url + "".join(name + value for name in sorted(form) for value in _values(form[name]))
    return base64.b64encode(hmac.digest(token.encode(), text.encode("utf-8", "replace"), hashlib.sha1))


def _values(value: str | Sequence[str]) -> list[str]:
    """Return the values of one name; the library signs each different value once, in order."""
    return [value] if isinstance(value, str) else sorted(set(value))


def _addresses(url: str) -> list[str]:
    """Return the address with and without its port; the fragment only tells Twilio how to call."""
    parts = urlsplit(url)._replace(fragment="")
    try:
        port = parts.port
    except ValueError:
        port = None
    default = _DEFAULT_PORT.get(parts.scheme)
    bare = _with_port(parts, None)
    return [bare, _with_port(parts, port or default)]


def _with_port(parts: SplitResult, port: int | None) -> str:
    user, at, place = parts.netloc.rpartition("@")
    host = place[: place.rindex("]") + 1] if "]" in place else place.partition(":")[0]
    ending = "" if port is None else f":{port}"
    return parts._replace(netloc=f"{user}{at}{host}{ending}").geturl()
