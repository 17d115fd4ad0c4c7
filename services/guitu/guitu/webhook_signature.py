"""The signature between us and the system of a site or an office, the same in both directions.

`X-Guitu-Signature: v1=<hex>`, where hex is HMAC-SHA256 with the shared secret over

    <X-Guitu-Timestamp, seconds since 1970> "." <X-Guitu-Delivery> "." <body, byte for byte>

The body of a GET is empty. Whoever reads has a list of secrets and believes any; whoever sends signs with the first,
or with all while one is being replaced, so that no message is lost. Several signatures in one header are separated
by commas.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

TIMESTAMP, DELIVERY, SIGNATURE = "X-Guitu-Timestamp", "X-Guitu-Delivery", "X-Guitu-Signature"
FRESH_FOR = timedelta(minutes=5)
"""How far a timestamp may lie from our clock; Stripe and Standard Webhooks allow the same."""
SIGNATURES_MAX = 5


def signed_headers(secrets: Sequence[str], delivery: str, body: bytes, now: datetime) -> dict[str, str]:
    """Return the three headers for a request that is made now."""
    return signed_by_all(secrets[:1], delivery, body, now)


def signed_by_all(secrets: Sequence[str], delivery: str, body: bytes, now: datetime) -> dict[str, str]:
    """The same with a signature of each secret, newest first: the reader may still have the one before."""
    assert 0 < len(secrets) <= SIGNATURES_MAX, "Further signatures would not be looked at."
    timestamp = str(int(now.timestamp()))
    signatures = ",".join(f"v1={sign(secret, timestamp, delivery, body)}" for secret in secrets)
    return {TIMESTAMP: timestamp, DELIVERY: delivery, SIGNATURE: signatures}


def sign(secret: str, timestamp: str, delivery: str, body: bytes) -> str:
    """Return the hexadecimal HMAC-SHA256."""
    text = f"{timestamp}.{delivery}.".encode("utf-8", "replace") + body
    return hmac.digest(secret.encode(), text, hashlib.sha256).hex()


def signer_of(
    secrets: Mapping[str, Sequence[str]], headers: Mapping[str, str], body: bytes, now: datetime
) -> str | None:
    """Return the name of whoever signed this request; None for a forged, unsigned or stale one.

    Takes the same time whichever secret fits, and never believes an empty secret.
    """
    timestamp = headers.get(TIMESTAMP.lower(), "")
    delivery = headers.get(DELIVERY.lower(), "")
    given = _given(headers.get(SIGNATURE.lower(), ""))
    name = None
    for each, own in secrets.items():
        for secret in own:
            expected = sign(secret, timestamp, delivery, body).encode()
            for one in given:
                if hmac.compare_digest(expected, one) and secret:
                    name = each
    return name if _is_fresh(timestamp, now) else None


def _given(header: str) -> list[bytes]:
    parts = [part.strip() for part in header.split(",")[:SIGNATURES_MAX]]
    return [part[3:].encode("utf-8", "replace") for part in parts if part.startswith("v1=")]


def _is_fresh(timestamp: str, now: datetime) -> bool:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    return abs(now.timestamp() - int(timestamp)) <= FRESH_FOR.total_seconds()
