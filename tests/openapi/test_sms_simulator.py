"""What only tests may do to the simulator: whatever is asked gets an answer that its document names."""

from __future__ import annotations

from typing import Any

import requests

from harness.faces import CHECKS, Face, document

anything = document("sms-simulator", examples=20, limits=True)


@anything.parametrize()
def test_whatever_is_asked_gets_an_answer_that_the_document_names(case: Any, sms_simulator: Face) -> None:
    """Texts are handed on to a closed port only, and downtimes and waits are short."""
    sms_simulator.point_at_stored(case)

    case.call_and_validate(base_url=sms_simulator.url, checks=CHECKS)

    if case.path == "/simulator/down":
        sms_simulator.is_back()


def test_nonsense_of_any_type_is_refused(sms_simulator: Face) -> None:
    assert [] == sms_simulator.answers_to_nonsense("sms-simulator")


def test_a_wrong_account_is_refused(sms_simulator: Face) -> None:
    path = (
        f"{sms_simulator.url}/2010-04-01/Accounts/{sms_simulator.settings.twilio_account_sid}/Messages.json"
    )

    answers = [requests.get(path, auth=account, timeout=5) for account in (None, ("x", "y"))]

    assert [401, 401] == [answer.status_code for answer in answers]
