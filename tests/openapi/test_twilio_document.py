"""The simulator by Twilio's own OpenAPI document: what it allows is answered, or refused in Twilio's words."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
import schemathesis
from schemathesis.checks import not_a_server_error

from harness.faces import Face, drawing
from harness.ground import repo_root

EVAL_DATA = os.environ.get("GUITU_EVAL_DATA") or repo_root() / ".." / "shared" / "data"
SPEC = repo_root() / EVAL_DATA / "twilio" / "twilio_api_v2010_messages_calls.openapi.json"
if not SPEC.is_file():
    pytest.skip(f"Twilio's OpenAPI is not at {SPEC}; set GUITU_EVAL_DATA.", allow_module_level=True)


def messages_document() -> Any:
    """Its operations on messages; the addresses of its servers are taken out, nothing may go there."""
    found = json.loads(SPEC.read_text(encoding="utf-8"))
    del found["servers"]
    paths = {name: ways for name, ways in found["paths"].items() if "/Messages" in name}
    found["paths"] = {name: {k: v for k, v in ways.items() if k != "servers"} for name, ways in paths.items()}
    return schemathesis.openapi.from_dict(found, config=drawing(20, limits=True))


twilio = messages_document()


@twilio.exclude(method="DELETE").parametrize()
def test_what_twilios_document_allows_is_answered_or_refused_in_twilios_words(
    case: Any, sms_simulator: Face
) -> None:
    """Status callbacks go to a closed port only."""
    ask(case, sms_simulator)


@twilio.include(method="DELETE").parametrize()
def test_so_it_is_when_messages_are_deleted_and_asked_for_again(case: Any, sms_simulator: Face) -> None:
    ask(case, sms_simulator)


def ask(case: Any, sms_simulator: Face) -> None:
    sms_simulator.point_at_stored(case)
    settings = sms_simulator.settings
    account = (settings.twilio_account_sid, settings.twilio_auth_token.get_secret_value())

    answer = case.call_and_validate(base_url=sms_simulator.url, checks=[not_a_server_error], auth=account)

    if answer.status_code >= 400:
        assert {"code", "message", "more_info", "status"} == set(answer.json())
