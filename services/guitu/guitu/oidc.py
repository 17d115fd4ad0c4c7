"""The signing keys of an OIDC issuer: fetched without holding up anybody else, kept for a while, bounded in every way.

They are found by discovery: `ISSUER/.well-known/openid-configuration` names the `jwks_uri` (OpenID Connect
Discovery 1.0, sections 3 and 4). A key id that is not known is asked for once more, since issuers rotate their
keys; but not oftener than every few seconds, for whoever sends a token chooses the id in it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jwt

ALGORITHMS = ["RS256", "ES256"]
KEYS_FRESH_S = 300.0
KEYS_KEPT_S = 3600.0
"""While the issuer is away its keys still count; a key that it withdrew counts no longer than this."""
FETCH_PAUSE_S = 5.0
FETCH_TIMEOUT_S = 5.0
DOCUMENT_BYTES_MAX = 256 * 1024


class IssuerAway(Exception):
    """The issuer's keys can't be had now; the text says why."""


class KeyUnknown(jwt.InvalidTokenError):
    """The issuer has no such key."""


class IssuerKeys:
    """The keys of one issuer; any number of requests share one fetch."""

    def __init__(self, issuer: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._monotonic = monotonic
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._trouble = "it was not asked yet"
        self._one_fetch = asyncio.Lock()

    async def key(self, key_id: str) -> jwt.PyJWK:
        """The public key with this id. Raises: KeyUnknown; IssuerAway, if the issuer could not be asked."""
        if self._must_ask(key_id):
            async with self._one_fetch:
                if self._must_ask(key_id):
                    await self._fetch()
        found = self._keys.get(key_id)
        if found is not None and self._age_s() < KEYS_KEPT_S:
            return found
        if self._trouble:
            raise IssuerAway(self._trouble)
        raise KeyUnknown("the issuer has no key with the id (kid) that it names")

    def _age_s(self) -> float:
        return self._monotonic() - self._fetched_at

    def _must_ask(self, key_id: str) -> bool:
        is_fresh = key_id in self._keys and self._age_s() < KEYS_FRESH_S
        return not is_fresh and self._monotonic() - self._tried_at >= FETCH_PAUSE_S

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(FETCH_TIMEOUT_S):
                self._keys = await _keys_of(self._issuer)
            self._fetched_at, self._trouble = self._monotonic(), ""
        except IssuerAway as away:
            self._trouble = str(away)
        except TimeoutError:
            self._trouble = f"it did not answer within {FETCH_TIMEOUT_S:g} s"
        finally:
            self._tried_at = self._monotonic()


@lru_cache(maxsize=4)
def keys_of(issuer: str) -> IssuerKeys:
    """The kept keys of an issuer."""
    return IssuerKeys(issuer)


async def configuration_of(issuer: str) -> dict[str, Any]:
    """What an issuer says of itself: its endpoints and where its keys are. Raises: IssuerAway."""
    configuration = await _document(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if configuration.get("issuer") != issuer:
        raise IssuerAway("it calls itself by another name; GUITU_OIDC_ISSUER must be exactly its own")
    return configuration


async def _keys_of(issuer: str) -> dict[str, jwt.PyJWK]:
    configuration = await configuration_of(issuer)
    try:
        found = jwt.PyJWKSet.from_dict(await _document(str(configuration.get("jwks_uri"))))
    except (jwt.PyJWTError, TypeError, AttributeError, ValueError):
        raise IssuerAway("it published no key that can be used") from None
    return {
        str(key.key_id): key
        for key in found.keys
        if key.key_id and key.public_key_use in ("sig", None) and key.algorithm_name in ALGORITHMS
    }


async def _document(url: str) -> dict[str, Any]:
    """A JSON object of the issuer's; redirects are not followed. Raises: IssuerAway."""
    import httpx

    body = b""
    try:
        async with httpx.AsyncClient(timeout=FETCH_TIMEOUT_S) as http, http.stream("GET", url) as answered:
            if answered.status_code != 200:
                raise IssuerAway(f"it answered {answered.status_code}")
            async for part in answered.aiter_bytes():
                body += part
                if len(body) > DOCUMENT_BYTES_MAX:
                    raise IssuerAway(f"its document has more than {DOCUMENT_BYTES_MAX} bytes")
        document = json.loads(body)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise IssuerAway(f"it can't be reached ({type(error).__name__})") from None
    except (ValueError, RecursionError):
        raise IssuerAway("its document is not JSON") from None
    if not isinstance(document, dict):
        raise IssuerAway("its document is not a JSON object")
    return document
