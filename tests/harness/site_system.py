"""A site's own system as docs/providers.md asks for it, written from that page alone and not from our code."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

from harness.far_systems import Came, FarSystem, Said

SECRET = "a-secret-of-the-tests"


@dataclass
class SiteSystem(FarSystem):
    """Keeps each delivery once; answers 401 to what is not signed with its secret."""

    secret: str = SECRET
    had: dict[str, dict[str, Any]] = field(default_factory=dict)

    def handle(self, request: Came) -> Said:
        """Take a notice, or say whether it has one."""
        delivery = request.headers.get("x-guitu-delivery", "")
        if not self._is_signed(request, delivery):
            return Said(401)
        named = {"X-Guitu-Delivery": delivery}
        if request.method == "GET":
            known = request.query.get("delivery") == delivery and delivery in self.had
            return Said(200 if known else 404, headers=named)
        if delivery in self.had:
            return Said(409, headers=named)
        self.had[delivery] = json.loads(request.body)
        return Said(202, headers=named)

    def _is_signed(self, request: Came, delivery: str) -> bool:
        said = request.headers.get("x-guitu-signature", "")
        expected = signature(
            self.secret, request.headers.get("x-guitu-timestamp", ""), delivery, request.body
        )
        return hmac.compare_digest(expected, said)


def signature(secret: str, timestamp: str, delivery: str, body: bytes) -> str:
    """The header as the page describes it."""
    mac = hmac.new(secret.encode(), f"{timestamp}.{delivery}.".encode() + body, hashlib.sha256)
    return f"v1={mac.hexdigest()}"
