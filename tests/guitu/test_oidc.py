"""Tokens of an OIDC issuer: its keys by discovery, rotated, withdrawn or away; what is not its own is refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Annotated, Any

import httpx
import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import serialization
from fastapi import Depends, FastAPI
from pydantic import SecretStr

from guitu import auth, oidc, problem
from guitu.auth import Principal, allow
from guitu.oidc import FETCH_PAUSE_S, KEYS_FRESH_S, KEYS_KEPT_S, IssuerAway, IssuerKeys, KeyUnknown
from guitu.settings import Settings
from harness.far_side import closed_port
from harness.ground import START, SettableClock
from harness.issuer import CONFIGURATION, Issuer, issuing, new_key, public_jwk

KEY = SecretStr("k" * 48)


@pytest.fixture(autouse=True)
def _straight(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the machine has no business on loopback."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest_asyncio.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with issuing() as running:
        yield running


@asynccontextmanager
async def desk(issuer_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A service that believes this issuer, with one route for operators and one for everybody."""
    app = FastAPI()
    settings = Settings(signing_key=KEY, oidc_issuer=issuer_url)
    app.state.runtime = SimpleNamespace(settings=settings, clock=SettableClock())
    problem.install(app)

    @app.get("/me")
    async def me(p: Annotated[Principal, Depends(allow("operator"))]) -> str:
        return p.subject

    @app.get("/anybody")
    async def anybody() -> str:
        return "hello"

    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.test") as http:
        yield http


async def shows(http: httpx.AsyncClient, token: str) -> httpx.Response:
    return await http.get("/me", headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize("key_id", ["one", "two"])
async def test_a_token_of_the_issuer_is_accepted_whichever_kind_of_key_signed_it(
    issuer: Issuer, key_id: str
) -> None:
    async with desk(issuer.url) as http:
        answer = await shows(http, issuer.token(START, key_id))

    assert (200, "operator-7") == (answer.status_code, answer.json())


def forgeries(issuer: Issuer) -> dict[str, str]:
    one = issuer.keys["one"]
    public = one.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    # PyJWT itself will not sign with a public key; an attacker's tool does.
    hs_with_the_public_key = jwt.api_jws.PyJWS(algorithms=["HS256"])
    hs_with_the_public_key._algorithms["HS256"].prepare_key = lambda key: key  # type: ignore[method-assign]
    claims = json.dumps({"iss": issuer.url, "aud": "guitu", "sub": "x", "role": "admin", "exp": 9e9}).encode()
    own = Settings(signing_key=KEY)
    return {
        "nothing": "a.b.c",
        "not signed": issuer.token(START, key="", algorithm="none"),
        "signed with the public key": hs_with_the_public_key.encode(
            claims, public, "HS256", headers={"kid": "one"}
        ),
        "another algorithm": issuer.token(START, algorithm="RS512"),
        "the other kind of key": issuer.token(START, "one", key=new_key("ES256")),
        "another's key": issuer.token(START, key=new_key("RS256")),
        "a key nobody has": issuer.token(START, "three", key=one),
        "no key named": jwt.encode({"iss": issuer.url}, one, "RS256"),
        "for somebody else": issuer.token(START, aud="else"),
        "of another issuer": issuer.token(START, iss="http://127.0.0.1:9"),
        "expired": issuer.token(START, exp=START.timestamp() - 1),
        "not valid yet": issuer.token(START, nbf=START.timestamp() + 3600),
        "an endless time": issuer.token(START, exp=float("inf"), nbf=float("inf")),
        "a role there is not": issuer.token(START, role="king"),
        "a role of another type": issuer.token(START, role=["operator"]),
        "a region of other digits": issuer.token(START, region="५००२३५"),
        "nobody": issuer.token(START, sub=""),
        "a subject with a NUL": issuer.token(START, sub="operator\x00"),
        "an endless subject": issuer.token(START, sub="x" * 300),
        "this node's own": auth.mint(own, "x", "operator", "500235", START, timedelta(hours=1)),
    }


async def test_what_the_issuer_did_not_sign_for_us_is_refused_with_401_and_the_mend(issuer: Issuer) -> None:
    async with desk(issuer.url) as http:
        answers = {name: await shows(http, token) for name, token in forgeries(issuer).items()}

    refused = {name: (each.status_code, each.json()["code"]) for name, each in answers.items()}
    assert dict.fromkeys(answers, (401, "token_refused")) == refused
    assert all(each.json()["mend"] and each.headers["www-authenticate"] for each in answers.values())


async def test_a_role_that_may_not_is_refused_with_403(issuer: Issuer) -> None:
    async with desk(issuer.url) as http:
        answer = await shows(http, issuer.token(START, role="site"))

    assert (403, "role_refused") == (answer.status_code, answer.json()["code"])


class Minutes:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


async def test_a_rotated_key_is_found_and_the_withdrawn_one_forgotten(issuer: Issuer) -> None:
    clock = Minutes()
    keys = IssuerKeys(issuer.url, clock)
    await keys.key("one")
    issuer.keys = {"three": new_key("ES256")}

    with pytest.raises(KeyUnknown):
        await keys.key("three")
    clock.now_s += FETCH_PAUSE_S
    found = await keys.key("three")

    assert "three" == found.key_id
    with pytest.raises(KeyUnknown):
        await keys.key("one")


async def test_key_ids_that_somebody_makes_up_do_not_become_requests_to_the_issuer(issuer: Issuer) -> None:
    clock = Minutes()
    keys = IssuerKeys(issuer.url, clock)

    for number in range(50):
        with pytest.raises(KeyUnknown):
            await keys.key(f"made-up-{number}")

    assert [CONFIGURATION, "/keys"] == issuer.asked


async def test_known_keys_count_while_the_issuer_is_away_but_not_for_ever(issuer: Issuer) -> None:
    clock = Minutes()
    keys = IssuerKeys(issuer.url, clock)
    await keys.key("one")
    issuer.instead[CONFIGURATION] = (500, b"")

    clock.now_s += KEYS_FRESH_S
    kept = await keys.key("one")
    with pytest.raises(IssuerAway):
        await keys.key("new")
    clock.now_s += KEYS_KEPT_S - KEYS_FRESH_S

    assert "one" == kept.key_id
    with pytest.raises(IssuerAway):
        await keys.key("one")


async def test_an_issuer_that_comes_back_is_asked_again(issuer: Issuer) -> None:
    clock = Minutes()
    keys = IssuerKeys(issuer.url, clock)
    issuer.instead["/keys"] = (503, b"")
    with pytest.raises(IssuerAway):
        await keys.key("one")

    issuer.instead.clear()
    clock.now_s += FETCH_PAUSE_S

    assert "one" == (await keys.key("one")).key_id


async def test_an_issuer_that_is_away_is_a_503_with_the_mend(issuer: Issuer) -> None:
    async with desk(f"http://127.0.0.1:{closed_port()}") as http:
        answer = await shows(http, issuer.token(START))

    assert (503, "issuer_away") == (answer.status_code, answer.json()["code"])
    assert "GUITU_OIDC_ISSUER" in answer.json()["mend"]
    assert "1" == answer.headers["retry-after"]


async def test_a_slow_issuer_holds_up_only_those_whose_key_it_is_asked_for(issuer: Issuer) -> None:
    """Many requests share one question, and everybody else is answered meanwhile."""
    issuer.held = asyncio.Event()
    async with desk(issuer.url) as http:
        waiting = [asyncio.create_task(shows(http, issuer.token(START))) for _ in range(20)]
        while not issuer.asked:
            await asyncio.sleep(0.01)
        others = await http.get("/anybody")
        held_up = [task.done() for task in waiting]
        issuer.held.set()
        answers = await asyncio.gather(*waiting)

    assert (200, [False] * 20) == (others.status_code, held_up)
    assert {200} == {answer.status_code for answer in answers}
    assert [CONFIGURATION, "/keys"] == issuer.asked


async def test_an_issuer_that_never_answers_is_given_up(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc, "FETCH_TIMEOUT_S", 0.05)
    issuer.held = asyncio.Event()

    with pytest.raises(IssuerAway, match=r"within 0\.05 s|Timeout"):
        await IssuerKeys(issuer.url).key("one")


OCT = {"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", "kid": "one", "alg": "HS256"}
NONSENSE: list[tuple[str, int, bytes]] = [
    (CONFIGURATION, 404, b""),
    (CONFIGURATION, 302, b""),
    (CONFIGURATION, 200, b"<html>"),
    (CONFIGURATION, 200, b"[]"),
    (CONFIGURATION, 200, b"\xff"),
    (CONFIGURATION, 200, b"[" * 100_000),
    (CONFIGURATION, 200, b" " * 300_000),
    (CONFIGURATION, 200, b'{"issuer": "http://else"}'),
    ("/keys", 200, b"{}"),
    ("/keys", 200, b'{"keys": 7}'),
    ("/keys", 200, b'{"keys": []}'),
    ("/keys", 200, b'{"keys": [{}]}'),
    ("/keys", 200, b'{"keys": [[]]}'),
    ("/keys", 200, b'{"keys": [{"kty": "RSA", "kid": "one"}]}'),
]


@pytest.mark.parametrize(("path", "status", "body"), NONSENSE, ids=lambda each: str(each)[:40])
async def test_an_issuer_that_answers_nonsense_counts_as_away(
    issuer: Issuer, path: str, status: int, body: bytes
) -> None:
    issuer.instead[path] = (status, body)

    with pytest.raises(IssuerAway):
        await IssuerKeys(issuer.url).key("one")


@pytest.mark.parametrize("uri", ["", "file:///etc/passwd", "http://[", "ftp://127.0.0.1/", 7, None])
async def test_keys_are_looked_for_at_a_web_address_only(issuer: Issuer, uri: Any) -> None:
    where = json.dumps({"issuer": issuer.url, "jwks_uri": uri}).encode()
    issuer.instead[CONFIGURATION] = (200, where)

    with pytest.raises(IssuerAway):
        await IssuerKeys(issuer.url).key("one")


async def test_a_secret_or_an_encryption_key_among_its_keys_signs_nothing(issuer: Issuer) -> None:
    encrypting = public_jwk("two", issuer.keys["two"], use="enc")
    good = public_jwk("three", issuer.keys["one"])
    issuer.instead["/keys"] = (200, json.dumps({"keys": [OCT, encrypting, good]}).encode())
    keys = IssuerKeys(issuer.url)

    for key_id in ("one", "two"):
        with pytest.raises(KeyUnknown):
            await keys.key(key_id)

    assert "three" == (await keys.key("three")).key_id
