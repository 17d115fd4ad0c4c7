"""Login by the county's own identity service: OIDC authorization code flow with PKCE (RFC 7636), code for tokens.

The browser keeps state, verifier and nonce in a signed cookie for ten minutes; the access token is what the owners
are shown, so its claims `role` and `region` are the session's (as everywhere, see `guitu.auth`).
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import httpx
import jwt

from console.settings import console_settings
from guitu import oidc
from guitu.auth import PageTokenExpired, PageTokenForged, read_page, sign_page
from guitu.problem import Problem
from guitu.service import Runtime

WAY_BACK = "/oidc/return"
COOKIE = "guitu_oidc"
ASKED_FOR_S = 600
TIMEOUT_S = 10.0
_PURPOSE = "console-oidc"
Json = dict[str, Any]


@dataclass(frozen=True)
class Tokens:
    """What an issuer gave for a person."""

    access: str
    expires_at: datetime
    refresh: str = ""
    id_token: str = ""


def is_offered(runtime: Runtime) -> bool:
    """Can people log in by the issuer here?"""
    return bool(runtime.settings.oidc_issuer and console_settings(runtime.settings).oidc_client_id)


async def departure(runtime: Runtime, base_url: str, to: str) -> tuple[str, str]:
    """Where the browser goes to prove who it is, and the cookie that proves on the way back that it was ours.

    Raises: Problem 503, if the issuer does not answer.
    """
    own = console_settings(runtime.settings)
    state, verifier, nonce = (secrets.token_urlsafe(32) for _ in range(3))
    asked = {
        "response_type": "code",
        "client_id": own.oidc_client_id,
        "redirect_uri": base_url + WAY_BACK,
        "scope": own.oidc_scopes,
        "state": state,
        "nonce": nonce,
        "code_challenge": _challenge(verifier),
        "code_challenge_method": "S256",
    }
    endpoint = await _endpoint(runtime, "authorization_endpoint")
    kept = {"state": state, "verifier": verifier, "nonce": nonce, "to": to}
    cookie = sign_page(own.signing_key, _PURPOSE, kept)
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}", cookie


async def arrival(
    runtime: Runtime, base_url: str, code: str, state: str, cookie: str
) -> tuple[Tokens, str, str]:
    """What the issuer gives for the code; returns also the id token's subject, and where the person wanted to go.

    Raises: Problem 401, if this is not the way back of a departure from this browser, or the issuer refuses;
    Problem 503, if it does not answer.
    """
    kept = _kept(runtime, cookie)
    if not code or not secrets.compare_digest(state.encode(), str(kept["state"]).encode()):
        raise _strange("the way back does not belong to this browser")
    issued = await _tokens(
        runtime,
        {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": base_url + WAY_BACK,
            "code_verifier": str(kept["verifier"]),
        },
    )
    return issued, await _subject(runtime, issued.id_token, str(kept["nonce"])), str(kept["to"])


async def renew(runtime: Runtime, refresh: str) -> Tokens:
    """New tokens for a person who goes on. Raises: Problem 401, if the issuer refuses; 503, if it is away."""
    return await _tokens(runtime, {"grant_type": "refresh_token", "refresh_token": refresh})


def _challenge(verifier: str) -> str:
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _kept(runtime: Runtime, cookie: str) -> Json:
    own = console_settings(runtime.settings)
    try:
        return read_page(own.signing_key, _PURPOSE, cookie, max_age_s=ASKED_FOR_S, now=runtime.clock.now())
    except (PageTokenExpired, PageTokenForged):
        raise _strange("it took longer than ten minutes, or began in another browser") from None


async def _endpoint(runtime: Runtime, name: str) -> str:
    try:
        found = (await oidc.configuration_of(runtime.settings.oidc_issuer)).get(name)
    except oidc.IssuerAway as away:
        raise _away(str(away)) from None
    if not isinstance(found, str) or not found.startswith(("https://", "http://")):
        raise _away(f"it names no {name}")
    return found


async def _tokens(runtime: Runtime, grant: Json) -> Tokens:
    own, endpoint = console_settings(runtime.settings), await _endpoint(runtime, "token_endpoint")
    secret = own.oidc_client_secret.get_secret_value()
    auth = httpx.BasicAuth(own.oidc_client_id, secret) if secret else httpx.USE_CLIENT_DEFAULT
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as http:
            answer = await http.post(endpoint, data=grant | {"client_id": own.oidc_client_id}, auth=auth)
            said = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise _away(f"its token endpoint does not answer ({type(error).__name__})") from None
    if answer.status_code >= 500:
        raise _away(f"its token endpoint answered {answer.status_code}")
    if answer.status_code != 200 or not isinstance(said, dict) or not said.get("access_token"):
        # Its error is one of a few words (RFC 6749, 5.2); a description could hold anything.
        raise _strange(f"the issuer answered {str(said.get('error', answer.status_code))[:40]!r}")
    lives = timedelta(seconds=float(said.get("expires_in") or 300))
    return Tokens(
        str(said["access_token"]),
        runtime.clock.now() + lives,
        str(said.get("refresh_token") or ""),
        str(said.get("id_token") or ""),
    )


async def _subject(runtime: Runtime, id_token: str, nonce: str) -> str:
    """The subject of an id token that is the issuer's, for us, and of this login (OpenID Connect Core, 3.1.3.7)."""
    issuer = runtime.settings.oidc_issuer
    try:
        head = jwt.get_unverified_header(id_token)
        key = await oidc.keys_of(issuer).key(str(head.get("kid")))
        claims = jwt.decode(
            id_token,
            key,
            algorithms=oidc.ALGORITHMS,
            issuer=issuer,
            audience=console_settings(runtime.settings).oidc_client_id,
            options={
                "require": ["exp", "sub", "iss", "aud", "nonce"],
                "verify_exp": False,
                "verify_iat": False,
            },
        )
    except oidc.IssuerAway as away:
        raise _away(str(away)) from None
    except jwt.PyJWTError as error:
        raise _strange(f"its id token was refused ({error})") from None
    if float(claims["exp"]) <= runtime.clock.now().timestamp() or not secrets.compare_digest(
        str(claims["nonce"]).encode(), nonce.encode()
    ):
        raise _strange("its id token is of another login")
    return str(claims["sub"])


def _strange(why: str) -> Problem:
    return Problem(
        401,
        "login_refused",
        f"The login was refused: {why}.",
        "登录未被接受,请重新登录。",
        "Begin again at the login page.",
    )


def _away(why: str) -> Problem:
    return Problem(
        503,
        "issuer_away",
        f"The issuer could not be asked: {why}.",
        "身份认证服务暂不可用,请稍后重试。",
        "Try again; if it stays so, check GUITU_OIDC_ISSUER and the way to it.",
    )
