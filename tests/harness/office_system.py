"""An office's own system as docs/gate.md asks for it, written from that page alone and not from our code."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

from harness.far_systems import Came, FarSystem, Said


@dataclass
class OfficeSystem(FarSystem):
    """Keeps each delivery once, in the order in which they came; answers 401 to what is not signed."""

    secrets: list[str] = field(default_factory=list)
    had: dict[str, dict[str, Any]] = field(default_factory=dict)

    def handle(self, request: Came) -> Said:
        """Take a decision."""
        if request.method != "POST" or not self._is_signed(request):
            return Said(401)
        self.had.setdefault(request.headers["x-guitu-delivery"], json.loads(request.body))
        return Said(204)

    @property
    def decisions(self) -> list[str]:
        """What it was told, each delivery once."""
        return [event["data"]["decision"] for event in self.had.values()]

    def _is_signed(self, request: Came) -> bool:
        said = request.headers.get("x-guitu-signature", "").split(",")
        told = f"{request.headers.get('x-guitu-timestamp')}.{request.headers.get('x-guitu-delivery')}."
        good = [
            "v1=" + hmac.new(s.encode(), told.encode() + request.body, hashlib.sha256).hexdigest()
            for s in self.secrets
        ]
        return any(hmac.compare_digest(one, each) for one in good for each in said)
