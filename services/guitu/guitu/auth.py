"""Who asks: signed tokens with a role and a region, and signed expiring page links.

The embedded node signs its own tokens (HS256); with GUITU_OIDC_ISSUER set, only that issuer's tokens are read
(RS256 or ES256, see `guitu.oidc`). The algorithm list is fixed: a token can't choose its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, cast, get_args

import jwt
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from itsdangerous import BadData, SignatureExpired, URLSafeTimedSerializer
from pydantic import SecretStr

from guitu import oidc
from guitu.problem import Problem
from guitu.settings import Settings

Role = Literal[
    "operator", "case_leader", "unit", "site", "laboratory", "registry", "auditor", "admin", "outside_system"
]
ROLES: tuple[str, ...] = get_args(Role)
OWN_ISSUER = "guitu"
OWN_ALGORITHMS = ["HS256"]
SUBJECT_MAX = 200
Bearer = Annotated[
    HTTPAuthorizationCredentials | None,
    Depends(
        HTTPBearer(auto_error=False, bearerFormat="JWT", description="From `guitu token` or the OIDC issuer.")
    ),
]


@dataclass(frozen=True)
class Principal:
    """Who asks, in which role, for which region (`*` is every region)."""

    subject: str
    role: Role
    region_code: str


def in_scope(principal: Principal, region_code: str) -> bool:
    """May this principal see things of that region?"""
    return principal.region_code in ("*", region_code)


def mint(
    settings: Settings, subject: str, role: Role, region_code: str, now: datetime, valid_for: timedelta
) -> str:
    """Sign a token of this node's own; for demo users, tests and outside systems of small counties."""
    claims = {
        "iss": OWN_ISSUER,
        "aud": settings.oidc_audience,
        "sub": subject,
        "role": role,
        "region": region_code,
        "iat": int(now.timestamp()),
        "nbf": int(now.timestamp()) - 60,
        "exp": int((now + valid_for).timestamp()),
    }
    return jwt.encode(claims, settings.signing_key.get_secret_value(), OWN_ALGORITHMS[0])


async def read_token(settings: Settings, token: str, now: datetime) -> Principal:
    """Check a bearer token.

    Raises: Problem 401, with the reason; Problem 503, if the issuer's keys can't be had.
    """
    try:
        claims = await _verified(settings, token)
        _check_times(claims, now)
        return _principal(claims)
    except oidc.IssuerAway as away:
        raise Problem(
            503,
            "issuer_away",
            f"The issuer of tokens could not be asked for its keys: {away}.",
            "身份认证服务暂不可用,请稍后重试。",
            "Send the same request again; if it stays so, check GUITU_OIDC_ISSUER and the way to it.",
        ) from None
    except (jwt.PyJWTError, KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise Problem(
            401,
            "token_refused",
            f"The token was refused: {error}.",
            "令牌无效或已过期,请重新登录。",
            "Log in again, or mint one with `guitu token`.",
        ) from None


def _principal(claims: dict[str, Any]) -> Principal:
    subject, role, region = str(claims["sub"]), claims["role"], claims.get("region", "")
    if role not in ROLES or not (
        region == "*" or (len(region) == 6 and region.isascii() and region.isdigit())
    ):
        raise jwt.InvalidTokenError(f"role or region missing; roles are {', '.join(ROLES)}")
    # It is written into the audit log, which can't hold a NUL, and into other people's terminals.
    if not (0 < len(subject) <= SUBJECT_MAX and subject.isprintable()):
        raise jwt.InvalidTokenError(f"its subject is not 1 to {SUBJECT_MAX} printable characters")
    return Principal(subject, cast(Role, role), region)


async def _verified(settings: Settings, token: str) -> dict[str, Any]:
    options: Any = {
        "require": ["exp", "sub", "iss", "aud"],
        "verify_exp": False,
        "verify_nbf": False,
        "verify_iat": False,
    }
    key: Any = settings.signing_key.get_secret_value()
    issuer, algorithms = OWN_ISSUER, OWN_ALGORITHMS
    if settings.oidc_issuer:
        key = await oidc.keys_of(settings.oidc_issuer).key(_key_id(token))
        issuer, algorithms = settings.oidc_issuer, oidc.ALGORITHMS
    return jwt.decode(
        token, key, algorithms=algorithms, issuer=issuer, audience=settings.oidc_audience, options=options
    )


def _key_id(token: str) -> str:
    """Which key is said to have signed it; nothing of the token is believed yet."""
    header = jwt.get_unverified_header(token)
    if header.get("alg") not in oidc.ALGORITHMS:
        raise jwt.InvalidAlgorithmError(f"it must be signed by {' or '.join(oidc.ALGORITHMS)}")
    if not isinstance(header.get("kid"), str):
        raise jwt.InvalidTokenError("it does not name its key (kid)")
    return str(header["kid"])


def _check_times(claims: dict[str, Any], now: datetime) -> None:
    """Times are checked against the injected clock, so that a drill at x60 behaves as the real thing."""
    moment = now.timestamp()
    if float(claims["exp"]) <= moment:
        raise jwt.ExpiredSignatureError("it has expired")
    if float(claims.get("nbf", 0)) > moment + 60:
        raise jwt.ImmatureSignatureError("it is not valid yet")


def allow(*roles: Role) -> Callable[[Request, Bearer], Awaitable[Principal]]:
    """A FastAPI dependency: the principal, if the role is one of `roles` (admin always is).

    Raises: Problem 401 without a valid token, 403 with the wrong role.
    """

    async def principal(request: Request, bearer: Bearer) -> Principal:
        runtime = request.app.state.runtime
        if bearer is None or not bearer.credentials:
            raise Problem(
                401, "token_missing", "Send `Authorization: Bearer TOKEN`.", "请先登录。", "Log in first."
            )
        found = await read_token(runtime.settings, bearer.credentials.strip(), runtime.clock.now())
        if found.role not in (*roles, "admin"):
            raise Problem(
                403,
                "role_refused",
                f"Role {found.role} may not do this; it needs {' or '.join(roles)}.",
                "您的角色无此权限。",
                "Ask an administrator for the role.",
            )
        return found

    return principal


class PageTokenForged(Exception):
    """The link was not signed by us, or for another purpose."""


class PageTokenExpired(Exception):
    """The link was good once; its time is over."""


def _serializer(key: SecretStr | bytes, purpose: str) -> URLSafeTimedSerializer:
    secret = key.get_secret_value().encode() if isinstance(key, SecretStr) else key
    assert len(secret) >= 32, "GUITU_SIGNING_KEY must have at least 32 bytes."
    return URLSafeTimedSerializer(secret, salt=f"guitu.page.{purpose}")


def sign_page(key: SecretStr | bytes, purpose: str, payload: dict[str, Any]) -> str:
    """A URL-safe token that only `read_page` with the same purpose accepts; carries ids, never names."""
    return str(_serializer(key, purpose).dumps(payload))


def read_page(
    key: SecretStr | bytes, purpose: str, token: str, *, max_age_s: int, now: datetime
) -> dict[str, Any]:
    """What a page token carries. Raises: PageTokenExpired, PageTokenForged."""
    try:
        payload, signed_at = _serializer(key, purpose).loads(token, return_timestamp=True)
    except SignatureExpired:
        raise PageTokenExpired from None
    except (BadData, ValueError, UnicodeError):
        raise PageTokenForged from None
    if (now - signed_at).total_seconds() > max_age_s:
        raise PageTokenExpired
    return cast(dict[str, Any], payload)
