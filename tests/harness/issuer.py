"""An OIDC issuer on loopback: it publishes its keys, signs tokens, and can be slow, wrong or away."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

CONFIGURATION = "/.well-known/openid-configuration"
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def new_key(algorithm: str) -> PrivateKey:
    """A private key for RS256 or ES256."""
    if algorithm == "RS256":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def public_jwk(key_id: str, key: PrivateKey, **more: str) -> dict[str, Any]:
    """Its public half, as a JWKS lists it."""
    algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    public: Any = key.public_key()
    return dict(json.loads(algorithm.to_jwk(public))) | {"kid": key_id, "use": "sig"} | more


@dataclass
class Issuer:
    """What it publishes can be changed; `instead` answers (status, body) for a path, `held` lets it hang."""

    port: int
    keys: dict[str, PrivateKey] = field(default_factory=dict)
    instead: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    held: asyncio.Event | None = None
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its name."""
        return f"http://127.0.0.1:{self.port}"

    def token(
        self, now: datetime, key_id: str = "one", *, key: Any = None, algorithm: str = "", **claims: Any
    ) -> str:
        """A token of an operator of Yunyang, signed by the key of this id unless told otherwise."""
        signing = key if key is not None else self.keys[key_id]
        plain = {
            "iss": self.url,
            "aud": "guitu",
            "sub": "operator-7",
            "role": "operator",
            "region": "500235",
            "exp": now.timestamp() + 60,
        }
        name = algorithm or ("RS256" if isinstance(signing, rsa.RSAPrivateKey) else "ES256")
        return jwt.encode(plain | claims, signing, name, headers={"kid": key_id})

    def document(self, path: str) -> dict[str, Any]:
        """What it publishes there."""
        if path == CONFIGURATION:
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        return {"keys": [public_jwk(key_id, key) for key_id, key in self.keys.items()]}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        if self.held is not None:
            await self.held.wait()
        good = 200, json.dumps(self.document(scope["path"])).encode()
        status, body = self.instead.get(scope["path"], good)
        headers = [(b"content-length", str(len(body)).encode()), (b"location", b"/elsewhere")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def issuing(port: int = 0, kind: type[Issuer] = Issuer) -> AsyncIterator[Issuer]:
    """An issuer with one RSA key, `one`, and one of an elliptic curve, `two`, until the block ends."""
    sock = socket.create_server(("127.0.0.1", port))
    issuer = kind(sock.getsockname()[1], {"one": new_key("RS256"), "two": new_key("ES256")})
    config = uvicorn.Config(issuer, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve(sockets=[sock]))
    try:
        yield issuer
    finally:
        if issuer.held is not None:
            issuer.held.set()
        server.should_exit = True
        await task
