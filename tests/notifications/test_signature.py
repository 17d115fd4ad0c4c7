"""Only Twilio's own callbacks are believed; the library's validator is the oracle, and forgeries are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from notifications.providers.signature import is_signed
from sms_simulator.webhook import sign

TOKEN = "new-token"
OLD_TOKEN = "old-token"
FORM = {"MessageSid": "SM" + "1" * 32, "MessageStatus": "delivered", "To": "+447700900123", "Body": "签收 ✓"}
URLS = [
    "https://guitu.example/twilio/status?a=1",
    "https://guitu.example:8443/twilio/status",
    "http://guitu.example/twilio/status",
    "http://127.0.0.1:8204/twilio/status",
    "https://user:pass@guitu.example/twilio/status",
    "https://guitu.example/twilio/status?a=%E4%B8%AD&b=",
]


def signature_of(url: str, form: dict[str, str] = FORM, token: str = TOKEN) -> str:
    return str(RequestValidator(token).compute_signature(url, form))


@pytest.mark.parametrize("url", URLS)
def test_what_the_library_signs_is_accepted(url: str) -> None:
    assert is_signed([TOKEN], url, FORM, signature_of(url))


@pytest.mark.parametrize("url", URLS)
def test_what_the_simulator_signs_is_accepted_by_the_library(url: str) -> None:
    assert RequestValidator(TOKEN).validate(url, FORM, sign(TOKEN, url, FORM))


@pytest.mark.parametrize(
    ("signed", "called"),
    [
        ("https://guitu.example:443/s", "https://guitu.example/s"),
        ("https://guitu.example/s", "https://guitu.example:443/s"),
        ("http://guitu.example:80/s", "http://guitu.example/s"),
        ("https://guitu.example/s", "https://guitu.example:8443/s"),
        ("http://[::1]/s", "http://[::1]:8204/s"),
        ("https://guitu.example/s", "https://guitu.example/s#rc=5&rp=all"),
    ],
)
def test_port_and_fragment_do_not_matter(signed: str, called: str) -> None:
    assert is_signed([TOKEN], called, FORM, signature_of(signed))


def test_callbacks_signed_with_the_old_token_are_accepted_while_it_is_listed() -> None:
    old = signature_of(URLS[0], token=OLD_TOKEN)

    assert is_signed([TOKEN, OLD_TOKEN], URLS[0], FORM, old)
    assert not is_signed([TOKEN], URLS[0], FORM, old)


@pytest.mark.parametrize(
    ("url", "form", "tokens", "change"),
    [
        (URLS[0] + "2", FORM, [TOKEN], ""),
        (URLS[0].replace("https", "http"), FORM, [TOKEN], ""),
        (URLS[0], FORM | {"MessageStatus": "failed"}, [TOKEN], ""),
        (URLS[0], FORM | {"Extra": ""}, [TOKEN], ""),
        (URLS[0], {}, [TOKEN], ""),
        (URLS[0], FORM, ["other"], ""),
        (URLS[0], FORM, [], ""),
        (URLS[0], FORM, [TOKEN], "="),
    ],
)
def test_a_forgery_is_refused(url: str, form: dict[str, str], tokens: list[str], change: str) -> None:
    assert not is_signed(tokens, url, form, signature_of(URLS[0]) + change)


@pytest.mark.parametrize("signature", ["", "x", "签名", "A" * 28, "A" * 100_000])
def test_nonsense_is_refused_without_an_error(signature: str) -> None:
    assert not is_signed([TOKEN], URLS[0], FORM, signature)


def test_an_empty_token_signs_nothing() -> None:
    assert not is_signed([""], URLS[0], FORM, signature_of(URLS[0], token=""))


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=20), max_size=6))
def test_any_form_is_judged_as_the_library_judges_it(form: dict[str, str]) -> None:
    assert is_signed([TOKEN], URLS[1], form, signature_of(URLS[1], form))


def test_a_name_with_several_values_is_signed_once_for_each_different_value() -> None:
    class Several(dict[str, list[str]]):
        def getlist(self, name: str) -> list[str]:
            return self[name]

    form = Several(MediaUrl=["b", "a", "a"], To=["+447700900123"])

    assert is_signed([TOKEN], URLS[0], form, signature_of(URLS[0], form))  # type: ignore[arg-type]
