"""Posters on request: gathered in a transaction that audits it, drawn in a process beside the service."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from alerts import photos, publication, store, vault
from alerts.access import access_case
from alerts.domain.case import Case
from alerts.domain.publishing import Publication
from alerts.poster import poster_pdf, share_image
from alerts.poster_words import Poster, poster_of
from alerts.settings import AlertSettings
from guitu.auth import Principal
from guitu.problem import Problem
from guitu.service import Runtime
from guitu.tx import Tx
from guitu.worker import WorkerTrouble

DEADLINE_S = 20.0
DRAWINGS_MAX = 3
"""Of one request: what may be shown changes seldom, and hardly ever twice while it is drawn."""
Form = Literal["poster", "share"]


async def drawn(runtime: Runtime, settings: AlertSettings, p: Principal, case_id: UUID, form: Form) -> bytes:
    """The drawn poster. Raises: Problem 404, 409 while it may not be published, 503 if it could not be drawn."""
    for _ in range(DRAWINGS_MAX):
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            case = await access_case(tx.conn, p, case_id)
            allowed, poster = await _gathered(tx, runtime, settings, case)
            shown = {"photo": poster.photo is not None, "name": poster.lines[0].en == "Name"}
            tx.audit("poster.drawn", subject=case_id, form=form, **shown)
        picture = await _picture(runtime, case_id, form, poster)
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            # Drawing takes a second: an end, a withdrawal or a narrower consent in it must not be overtaken by the
            # child's photo or name.
            now = await publication.open_publication(tx, await access_case(tx.conn, p, case_id))
        if now == allowed:
            return picture
    raise _not_drawn()


async def _picture(runtime: Runtime, case_id: UUID, form: Form, poster: Poster) -> bytes:
    draw = poster_pdf if form == "poster" else share_image
    try:
        return await photos.worker_of(runtime).run(draw, poster, deadline_s=DEADLINE_S)
    except WorkerTrouble as trouble:
        runtime.log.warning("poster.failed", case_id=str(case_id), reason=trouble.reason)
        raise _not_drawn() from None


async def _gathered(
    tx: Tx, runtime: Runtime, settings: AlertSettings, case: Case
) -> tuple[Publication, Poster]:
    allowed = await publication.open_publication(tx, case)
    name = await published_name(tx, settings, case, allowed)
    photo = await photos.rendition(tx.conn, settings, case.id, "poster") if allowed.photo else None
    return allowed, poster_of(
        case,
        allowed,
        name,
        photo,
        tx.now,
        publisher_zh=settings.publisher_zh,
        publisher_en=settings.publisher_en,
        phone=settings.publication_phone,
        url=f"{runtime.public_url}/p/{allowed.token}",
    )


async def published_name(tx: Tx, settings: AlertSettings, case: Case, allowed: Publication) -> str:
    """The child's name if the family agreed to it; empty otherwise. The reading is audited."""
    if not allowed.name or await store.identity(tx.conn, case.id) is None:
        return ""
    identity = await vault.read(tx, settings, case, "publication")
    return str(identity.get("child_name", ""))


def _not_drawn() -> Problem:
    return Problem(
        503,
        "poster_not_drawn",
        "The poster could not be drawn in time.",
        "海报生成失败,请重试。",
        "Try again; if it stays so, look into the log of alerts.",
    )
