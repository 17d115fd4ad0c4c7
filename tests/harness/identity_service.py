"""An identity service on loopback: the issuer of `harness.issuer` with a login of its own (code flow with PKCE)."""

from __future__ import annotations

import json
from base64 import b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from harness.ground import START
from harness.issuer import CONFIGURATION, Issuer, issuing

CLIENT, SECRET = "guitu-console", "a secret of the client"


@dataclass
class IdentityService(Issuer):
    """Who logs in is `person`; each code and each refresh token is good once."""

    person: dict[str, Any] = field(
        default_factory=lambda: {"sub": "zhang-7", "role": "operator", "region": "500235"}
    )
    now: datetime = START
    lives_s: int = 300
    id_claims: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    refreshes: set[str] = field(default_factory=set)
    grants: list[dict[str, str]] = field(default_factory=list)
    made: int = 0

    def document(self, path: str) -> dict[str, Any]:
        """Its configuration names the two endpoints of the login too."""
        said = super().document(path)
        if path == CONFIGURATION:
            said |= {"authorization_endpoint": f"{self.url}/authorize", "token_endpoint": f"{self.url}/token"}
        return said

    def logs_in(self, departure: str) -> dict[str, str]:
        """A person logs in on the page that the browser was led to; returns the query of the way back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(departure).query).items()}
        assert ("code", "S256", CLIENT) == (
            asked["response_type"],
            asked["code_challenge_method"],
            asked["client_id"],
        )
        self.made += 1
        code = f"code-{self.made}"
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] != "/token":
            await super().__call__(scope, receive, send)
            return
        grant = {name: values[0] for name, values in parse_qs((await _body(receive)).decode()).items()}
        self.grants.append(grant)
        status, said = self._grant(grant, dict(scope["headers"]).get(b"authorization", b""))
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(said).encode()})

    def _grant(self, grant: dict[str, str], authorization: bytes) -> tuple[int, dict[str, Any]]:
        if b64decode(authorization.removeprefix(b"Basic ")).decode() != f"{CLIENT}:{SECRET}":
            return 401, {"error": "invalid_client"}
        if grant["grant_type"] == "refresh_token":
            if grant["refresh_token"] not in self.refreshes:
                return 400, {"error": "invalid_grant"}
            self.refreshes.remove(grant["refresh_token"])
            return 200, self._tokens(None)
        asked = self.codes.pop(grant["code"], None)
        challenge = urlsafe_b64encode(sha256(grant["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if (
            asked is None
            or challenge != asked["code_challenge"]
            or grant["redirect_uri"] != asked["redirect_uri"]
        ):
            return 400, {"error": "invalid_grant"}
        return 200, self._tokens(asked["nonce"])

    def _tokens(self, nonce: str | None) -> dict[str, Any]:
        self.made += 1
        ends = (self.now + timedelta(seconds=self.lives_s)).timestamp()
        refresh = f"refresh-{self.made}"
        self.refreshes.add(refresh)
        said = {
            "access_token": self.token(self.now, **(self.person | {"exp": ends, "jti": str(self.made)})),
            "refresh_token": refresh,
            "expires_in": self.lives_s,
        }
        if nonce is not None:
            claims = {"aud": CLIENT, "sub": self.person["sub"], "nonce": nonce, "exp": ends}
            said["id_token"] = self.token(self.now, **(claims | self.id_claims))
        return said


async def _body(receive: Any) -> bytes:
    body = b""
    while True:
        part = await receive()
        body += part.get("body", b"")
        if not part.get("more_body"):
            return body


@asynccontextmanager
async def identity_service() -> AsyncIterator[IdentityService]:
    """One, until the block ends."""
    async with issuing(kind=IdentityService) as running:
        yield cast(IdentityService, running)
