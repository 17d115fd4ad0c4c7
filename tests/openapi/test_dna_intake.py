"""DNA intake over HTTP: whatever is asked, the answer is one that its document names, and never a server error."""

from __future__ import annotations

from typing import Any

from harness.faces import CHECKS, Face, document, guarded

anything = document("dna-intake", examples=12)
about_a_specimen = document("dna-intake", examples=20, limits=True)
with_a_token = guarded("dna-intake")


@anything.parametrize()
def test_whatever_is_asked_gets_an_answer_that_the_document_names(case: Any, dna_intake: Face) -> None:
    case.call_and_validate(base_url=dna_intake.url, headers=dna_intake.as_role("admin"), checks=CHECKS)


@about_a_specimen.parametrize()
def test_so_does_what_is_asked_about_a_specimen_that_is_registered(case: Any, dna_intake: Face) -> None:
    dna_intake.point_at_stored(case)

    case.call_and_validate(base_url=dna_intake.url, headers=dna_intake.as_role("admin"), checks=CHECKS)


@with_a_token.parametrize()
def test_without_a_token_or_with_a_role_that_may_not_nothing_is_done(case: Any, dna_intake: Face) -> None:
    dna_intake.point_at_stored(case)

    nobody = case.call(base_url=dna_intake.url)
    site = case.call(base_url=dna_intake.url, headers=dna_intake.as_role("site"))

    assert (401, 403) == (nobody.status_code, site.status_code)


def test_nonsense_of_any_type_is_refused(dna_intake: Face) -> None:
    assert [] == dna_intake.answers_to_nonsense("dna-intake")
