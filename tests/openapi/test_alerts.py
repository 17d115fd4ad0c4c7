"""Alerts over HTTP: whatever is asked, the answer is one that its document names, and never a server error."""

from __future__ import annotations

from typing import Any

from harness.faces import CHECKS, Face, document, guarded

ENDS_A_CASE = "stand-down|merge|forget"
anything, plausible = document("alerts", examples=12), document("alerts", examples=20, limits=True)
with_a_token = guarded("alerts")


@anything.parametrize()
def test_whatever_is_asked_gets_an_answer_that_the_document_names(case: Any, alerts: Face) -> None:
    case.call_and_validate(base_url=alerts.url, headers=alerts.as_role("admin"), checks=CHECKS)


@plausible.exclude(path_regex=ENDS_A_CASE).parametrize()
def test_so_does_what_is_asked_about_a_case_that_is_open(case: Any, alerts: Face) -> None:
    alerts.point_at_stored(case)

    case.call_and_validate(base_url=alerts.url, headers=alerts.as_role("admin"), checks=CHECKS)


@plausible.include(path_regex=ENDS_A_CASE).parametrize()
def test_so_does_what_ends_a_case_and_what_comes_too_late(case: Any, alerts: Face) -> None:
    alerts.point_at_stored(case)

    case.call_and_validate(base_url=alerts.url, headers=alerts.as_role("admin"), checks=CHECKS)


@with_a_token.parametrize()
def test_without_a_token_or_with_a_role_that_may_not_nothing_is_done(case: Any, alerts: Face) -> None:
    alerts.point_at_stored(case)

    nobody = case.call(base_url=alerts.url)
    site = case.call(base_url=alerts.url, headers=alerts.as_role("site"))

    assert (401, 403) == (nobody.status_code, site.status_code)


def test_nonsense_of_any_type_is_refused(alerts: Face) -> None:
    assert [] == alerts.answers_to_nonsense("alerts")
