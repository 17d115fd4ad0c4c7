"""Notifications over HTTP: staff, pages and the provider's callbacks, signed and forged; never a server error."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import requests
from requests.auth import AuthBase

from harness.faces import CHECKS, Face, document, guarded
from sms_simulator.webhook import sign

PROVIDER = "^/twilio/"
anything = document("notifications", examples=12)
about_a_notice = document("notifications", examples=20, limits=True)
with_a_token = guarded("notifications")


class Signed(AuthBase):
    """Signs what really goes over the wire, as Twilio does."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body or b""
        form = dict(parse_qsl(body.decode() if isinstance(body, bytes) else body, keep_blank_values=True))
        request.headers["X-Twilio-Signature"] = sign(self._token, str(request.url), form)
        return request


@anything.parametrize()
def test_whatever_is_asked_gets_an_answer_that_the_document_names(case: Any, notifications: Face) -> None:
    """Callbacks among it: none of them is signed."""
    case.call_and_validate(base_url=notifications.url, headers=notifications.as_role("admin"), checks=CHECKS)


@about_a_notice.exclude(path_regex=PROVIDER).parametrize()
def test_so_does_what_is_asked_about_a_notice_that_was_sent(case: Any, notifications: Face) -> None:
    """The pages lead back to themselves; a redirection is not followed, as the document says."""
    notifications.point_at_stored(case)

    case.call_and_validate(
        base_url=notifications.url,
        headers=notifications.as_role("admin"),
        checks=CHECKS,
        allow_redirects=False,
    )


@about_a_notice.include(path_regex=PROVIDER).parametrize()
def test_so_does_a_callback_that_is_signed_whatever_it_says(case: Any, notifications: Face) -> None:
    known = notifications.point_at_stored(case)
    if "token" in (case.path_parameters or {}):
        case.path_parameters["token"] = known["attempt"]
    key = notifications.settings.twilio_auth_token.get_secret_value()

    case.call_and_validate(base_url=notifications.url, checks=CHECKS, auth=Signed(key))


@with_a_token.parametrize()
def test_without_a_token_or_with_a_role_that_may_not_nothing_is_done(case: Any, notifications: Face) -> None:
    notifications.point_at_stored(case)

    nobody = case.call(base_url=notifications.url)
    site = case.call(base_url=notifications.url, headers=notifications.as_role("site"))

    assert (401, 403) == (nobody.status_code, site.status_code)


def test_nonsense_of_any_type_is_refused(notifications: Face) -> None:
    assert [] == notifications.answers_to_nonsense("notifications")
