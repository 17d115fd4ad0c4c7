"""Tokens and page links: what is forged, expired or meant for another purpose is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from guitu import auth, vault
from guitu.problem import Problem
from guitu.settings import Settings

NOW = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
KEY = "k" * 48
SETTINGS = Settings(signing_key=SecretStr(KEY))


async def test_a_minted_token_says_who_asks() -> None:
    token = auth.mint(SETTINGS, "desk-1", "operator", "500235", NOW, timedelta(hours=1))

    assert auth.Principal("desk-1", "operator", "500235") == await auth.read_token(SETTINGS, token, NOW)


def forged(**changes: Any) -> str:
    claims = {
        "iss": "guitu",
        "aud": "guitu",
        "sub": "x",
        "role": "operator",
        "region": "500235",
        "exp": NOW.timestamp() + 60,
    }
    return jwt.encode(claims | changes, KEY, "HS256")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "not.a.token",
        forged(exp=NOW.timestamp() - 1),
        forged(nbf=NOW.timestamp() + 3600),
        forged(aud="else"),
        forged(iss="else"),
        forged(role="king"),
        forged(region="5002"),
        jwt.encode({"sub": "x"}, KEY, "HS256"),
        jwt.encode({"iss": "guitu", "aud": "guitu", "sub": "x", "exp": 9e9}, "o" * 48, "HS256"),
        jwt.encode({"iss": "guitu", "aud": "guitu", "sub": "x", "exp": 9e9}, KEY, "HS512"),
        jwt.encode({"iss": "guitu", "aud": "guitu", "sub": "x", "exp": 9e9}, None, "none"),
    ],
)
async def test_a_token_that_is_not_ours_is_refused_with_401(token: str) -> None:
    with pytest.raises(Problem) as refusal:
        await auth.read_token(SETTINGS, token, NOW)

    assert refusal.value.status == 401


@settings(max_examples=200)
@given(st.one_of(st.text(), st.from_regex(r"[\w-]+\.[\w-]+\.[\w-]*", fullmatch=True)))
async def test_whatever_is_sent_as_a_token_is_refused_with_401_and_nothing_else(token: str) -> None:
    with pytest.raises(Problem) as refusal:
        await auth.read_token(SETTINGS, token, NOW)

    assert 401 == refusal.value.status


@pytest.mark.parametrize("subject", ["", "a\x00b", "a\nb", "\ud800", "x" * 201])
async def test_a_subject_that_the_audit_log_could_not_hold_is_refused(subject: str) -> None:
    with pytest.raises(Problem, match="subject"):
        await auth.read_token(SETTINGS, forged(sub=subject), NOW)


def test_a_page_link_is_good_for_one_purpose_and_a_time() -> None:
    key = SecretStr(KEY)
    token = auth.sign_page(key, "order", {"o": "1"})
    now = datetime.now(UTC)

    assert auth.read_page(key, "order", token, max_age_s=60, now=now) == {"o": "1"}
    with pytest.raises(auth.PageTokenForged):
        auth.read_page(key, "notice", token, max_age_s=60, now=now)
    with pytest.raises(auth.PageTokenForged):
        # Not the last letter: of it, two bits say nothing, and some changes of it change nothing.
        auth.read_page(
            key, "order", token[:-9] + ("A" if token[-9] != "A" else "B") + token[-8:], max_age_s=60, now=now
        )
    with pytest.raises(auth.PageTokenExpired):
        auth.read_page(key, "order", token, max_age_s=60, now=now + timedelta(minutes=5))


def test_what_is_sealed_opens_only_with_its_key_in_its_place() -> None:
    key, other = vault.new_key(), vault.new_key()
    sealed = vault.seal(key, b"a name", "identity|name|1")

    assert vault.open_sealed(key, sealed, "identity|name|1") == b"a name"
    for bad_key, bad_sealed, place in (
        (other, sealed, "identity|name|1"),
        (key, sealed, "identity|name|2"),
        (key, sealed[:-1] + bytes([sealed[-1] ^ 1]), "identity|name|1"),
    ):
        with pytest.raises(vault.Tampered):
            vault.open_sealed(bad_key, bad_sealed, place)
