"""Publishing a case: recorded with consent, withdrawn by a person, and over with the alert's end."""

from __future__ import annotations

import secrets

from alerts import case_file, photos, store_publication
from alerts.domain import publishing
from alerts.domain.case import Case
from alerts.domain.publishing import Consent, Publication
from alerts.refusals import case_closed, in_future
from alerts.settings import AlertSettings
from guitu.problem import Problem
from guitu.tx import Tx

TOKEN_BYTES = 16


async def record(tx: Tx, case: Case, said: Consent, settings: AlertSettings) -> Publication:
    """Keep what may be published of a locked case; the same again changes nothing.

    Raises: Problem 409 for a closed case, 422 for a consent in the future.
    """
    if case.state != "open":
        raise case_closed(case)
    if said.consented_at > tx.now + settings.future_tolerance:
        raise in_future("consented_at", said.consented_at, tx.now)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    if await store_publication.keep(tx.conn, case.id, case.region_code, said, token, tx.actor, tx.now):
        allowed = {"photo": said.photo, "name": said.name}
        tx.audit("publication.recorded", subject=case.id, consent_by=said.consent_by, **allowed)
        case_file.tell(tx, case, "publication", tx.ids.new())
    kept = await store_publication.of_case(tx.conn, case.id)
    assert kept is not None, "It was kept a moment ago."
    return kept


async def withdraw(tx: Tx, case: Case) -> None:
    """Take poster, public page and photo back at once; the second time changes nothing."""
    if await store_publication.withdraw(tx.conn, case.id, tx.actor, tx.now):
        tx.audit("publication.withdrawn", subject=case.id)
        case_file.tell(tx, case, "publication", tx.ids.new())


async def released_photo(tx: Tx, settings: AlertSettings, case: Case) -> bytes:
    """The small photo for those who were told; the reading is audited.

    Raises: Problem 410 after the alert's end, 404 while it is not released or not there.
    """
    if case.state != "open":
        raise photo_over()
    found = await store_publication.of_case(tx.conn, case.id)
    photo = await photos.rendition(tx.conn, settings, case.id, "notice")
    if photo is None or not publishing.shows_photo(case, found):
        raise no_photo()
    tx.audit("photo.read", subject=case.id, purpose="notice")
    return photo


async def open_publication(tx: Tx, case: Case) -> Publication:
    """The publication that a poster is drawn for. Raises: Problem 409 without one, or once it is over."""
    found = await store_publication.of_case(tx.conn, case.id)
    if found is None or not publishing.is_open(case, found):
        raise not_published(case)
    return found


def not_published(case: Case) -> Problem:
    """There is nothing to show to everybody."""
    return Problem(
        409,
        "not_published",
        f"Case {case.case_code} may not be published: it needs a police case number and a guardian's consent, "
        "and it must be open.",
        f"案件{case.case_code}不能公开:须有公安机关案件编号和监护人同意,且案件未解除。",
        "Record both with PUT /cases/{id}/publication.",
    )


def no_photo() -> Problem:
    """Not whether there is one, only that none may be shown."""
    return Problem(
        404,
        "photo_not_released",
        "No photo of this case is released.",
        "该案件没有可公开的照片。",
        "Add the photo, and record the consent to it with PUT /cases/{id}/publication.",
    )


def photo_over() -> Problem:
    """The alert is over, and the photo with it."""
    return Problem(410, "photo_over", "The alert is over; the photo is gone.", "案件已解除,照片已撤下。")
