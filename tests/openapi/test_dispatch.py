"""Dispatch over HTTP: whatever is asked, the answer is one that its document names, and never a server error."""

from __future__ import annotations

from typing import Any

from harness.faces import CHECKS, Face, document, guarded

anything = document("dispatch", examples=12)
about_an_order = document("dispatch", examples=20, limits=True)
with_a_token = guarded("dispatch")


@anything.parametrize()
def test_whatever_is_asked_gets_an_answer_that_the_document_names(case: Any, dispatch: Face) -> None:
    case.call_and_validate(base_url=dispatch.url, headers=dispatch.as_role("admin"), checks=CHECKS)


@about_an_order.parametrize()
def test_so_does_what_is_asked_about_an_order_that_was_given(case: Any, dispatch: Face) -> None:
    """On the order page the buttons are real ones, too; a redirection is not followed, as the document says."""
    dispatch.point_at_stored(case)

    case.call_and_validate(
        base_url=dispatch.url, headers=dispatch.as_role("admin"), checks=CHECKS, allow_redirects=False
    )


@with_a_token.parametrize()
def test_without_a_token_or_with_a_role_that_may_not_nothing_is_done(case: Any, dispatch: Face) -> None:
    dispatch.point_at_stored(case)

    nobody = case.call(base_url=dispatch.url)
    site = case.call(base_url=dispatch.url, headers=dispatch.as_role("site"))

    assert (401, 403) == (nobody.status_code, site.status_code)


def test_nonsense_of_any_type_is_refused(dispatch: Face) -> None:
    assert [] == dispatch.answers_to_nonsense("dispatch")
