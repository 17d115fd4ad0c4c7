"""The HTTP face of alerts: parse, check role, call the handler, answer."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response

from alerts import handlers, preview, status, store, vault
from alerts.access import Commander, Reader, Reporter, access_case, access_case_to_change, access_region
from alerts.case_file_api import case_file_router, tasks_router, triage_router
from alerts.domain.case import Case
from alerts.identity_api import identity_router
from alerts.models import (
    DuplicateOut,
    MergeIn,
    ReportIn,
    ReportOut,
    StandDownIn,
    TierIn,
    UpdateIn,
    VersionOut,
    nameless_text,
)
from alerts.models_preview import PreviewOut, ReportPreviewIn
from alerts.public_page import public_router
from alerts.publication_api import publication_router, released_router
from alerts.refusals import body_too_large
from alerts.settings import AlertSettings, alert_settings
from alerts.sightings_api import sightings_router
from contracts.base import ReportId
from guitu import idempotency
from guitu.auth import Principal
from guitu.idempotency import StoredAnswer
from guitu.problem import refusals
from guitu.service import Runtime
from guitu.tx import Tx

BODY_BYTES_MAX = 64 * 1024
"""Of a report without its photo."""
Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=255)]


def routers(runtime: Runtime) -> list[APIRouter]:
    """Every route of the service."""
    settings = alert_settings(runtime.settings)
    return [
        reports_router(runtime, settings),
        cases_router(runtime),
        alert_router(runtime, settings),
        sightings_router(runtime, settings),
        identity_router(runtime),
        publication_router(runtime, settings),
        released_router(runtime, settings),
        public_router(runtime, settings),
        case_file_router(runtime, settings),
        tasks_router(runtime, settings),
        triage_router(runtime),
    ]


def reports_router(runtime: Runtime, settings: AlertSettings) -> APIRouter:
    """The first word: a child is missing."""
    router = APIRouter(tags=["reports"])

    @router.post("/reports", status_code=201, response_model=ReportOut)
    async def file_report(
        p: Reporter, said: ReportIn, request: Request, response: Response, key: Key = None
    ) -> Any:
        """Open a case and raise its alert; answered when everything is stored, before anybody was told."""
        raw = await request.body()
        _check_size(raw, said)
        region = _region_of(p, said, settings)
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            stored = await idempotency.once(tx, p.subject, key, raw, tell=("case_id", "case_code"))
            if stored is not None:
                response.headers["Idempotent-Replay"] = "true"
                return stored.body
            assert key is not None, "once() refuses a missing key."
            answer = await _file(tx, said, region, p, settings)
            body = answer.model_dump(mode="json")
            await idempotency.remember(tx, p.subject, key, StoredAnswer(201, body))
        return answer

    @router.post("/reports/preview")
    async def preview_report(p: Reporter, said: ReportPreviewIn) -> PreviewOut:
        """Say what the report would become: tier, rings, possible duplicates; nothing is stored, nobody is told."""
        region, now, nameless = _region_of(p, said, settings), runtime.clock.now(), said.nameless()
        report = nameless.filed(ReportId(runtime.ids.new()), region, p.role, now)
        async with runtime.read(region=p.region_code) as conn:
            return await preview.of_report(conn, report, said.tier, settings)

    return router


def _region_of(p: Principal, said: ReportIn, settings: AlertSettings) -> str:
    """The region that a report is for: the one it says, or the person's own. Raises: Problem 403."""
    region = said.region_code or (p.region_code if p.region_code != "*" else settings.region_code)
    access_region(p, region)
    return region


def _check_size(raw: bytes, said: ReportIn) -> None:
    photo = said.identity.photo_base64 if said.identity else None
    size = len(raw) - len(photo or "")
    if size > BODY_BYTES_MAX:
        raise body_too_large(size, BODY_BYTES_MAX)


async def _file(tx: Tx, said: ReportIn, region: str, p: Principal, settings: AlertSettings) -> ReportOut:
    said = said.nameless()
    report = said.filed(ReportId(tx.ids.new()), region, p.role, tx.now)
    opened = await handlers.file_report(tx, report, settings, said.tier)
    if said.identity is not None:
        await vault.keep(tx, settings, opened.case, said.identity.to_seal())
    case = opened.case
    return ReportOut(
        case_id=case.id,
        case_code=case.case_code,
        report_id=report.report_id,
        event_id=opened.event_id,
        alert_version=case.version,
        tier=case.tier,
        ring=case.ring.model_dump(mode="json"),
        exercise=case.exercise,
        possible_duplicates=[
            DuplicateOut(case_id=each.case.id, case_code=each.case.case_code, score=each.score, why=each.why)
            for each in opened.likely
        ],
    )


def cases_router(runtime: Runtime) -> APIRouter:
    """Look at cases."""
    router = APIRouter(tags=["cases"])

    @router.get("/cases")
    async def cases(
        p: Reader,
        open_only: Annotated[bool, Query(alias="open")] = False,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> list[dict[str, Any]]:
        """The newest cases first; `open=true` leaves out those that were stood down."""
        async with runtime.read(region=p.region_code) as conn:
            found = await store.cases(conn, open_only, limit)
        return [status.summary(case) for case in found]

    @router.get("/cases/{case_id}")
    async def case(p: Reader, case_id: UUID) -> dict[str, Any]:
        """The live status: versions, rings, orders with open exits, notices, sightings, DNA, timeline."""
        async with runtime.read(region=p.region_code) as conn:
            return await status.of_case(conn, await access_case(conn, p, case_id))

    return router


def alert_router(runtime: Runtime, settings: AlertSettings) -> APIRouter:
    """Change an alert, or end it."""
    router = APIRouter(tags=["alerts"], responses=refusals(409))

    @router.post("/cases/{case_id}/tier")
    async def tier(p: Commander, case_id: UUID, said: TierIn) -> VersionOut:
        """Raise or lower the tier with a reason; the tier it has already makes no new version."""
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            case = await access_case_to_change(tx.conn, p, case_id)
            [reason] = await vault.told(tx, settings, case, said.reason)
            after, changed = await handlers.change_tier(tx, case, said.tier, reason)
        return _version(after, changed)

    @router.post("/cases/{case_id}/updates")
    async def updates(p: Commander, case_id: UUID, said: UpdateIn) -> VersionOut:
        """Correct or complete the alert; fields that do not differ make no new version."""
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            case = await access_case_to_change(tx.conn, p, case_id)
            told = await _nameless(tx, case, said, settings)
            after, changed = await handlers.change_fields(tx, case, told.fields.sent(), told.reason, settings)
        return _version(after, changed)

    @router.post("/cases/{case_id}/stand-down")
    async def stand_down(p: Commander, case_id: UUID, said: StandDownIn) -> VersionOut:
        """End the alert for everyone who was told; final, and the same call again gets the same answer."""
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            case = await access_case_to_change(tx.conn, p, case_id)
            [reason] = await vault.told(tx, settings, case, said.reason)
            after = await handlers.stand_down(tx, case, said.outcome, reason)
        return _version(after, ())

    @router.post("/cases/{case_id}/merge")
    async def merge(p: Commander, case_id: UUID, said: MergeIn) -> VersionOut:
        """A person's decision: this case is the same child's as `into`, which goes on."""
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            await handlers.lock_pair(tx, case_id, said.into)
            case = await access_case_to_change(tx.conn, p, case_id)
            into = await access_case_to_change(tx.conn, p, said.into)
            # Either of the two may know the child's name.
            [reason] = await vault.told(tx, settings, case, said.reason)
            [reason] = await vault.told(tx, settings, into, reason)
            after = await handlers.merge(tx, case, into, reason)
        return _version(after, ())

    return router


async def _nameless(tx: Tx, case: Case, said: UpdateIn, settings: AlertSettings) -> UpdateIn:
    """The update without the names that the case's vault holds; it goes to everybody who was told."""
    child, parents = await vault.kept_names(tx, settings, case)
    reason = nameless_text(said.reason, child, parents)
    return said.model_copy(update={"fields": said.fields.nameless(child, parents), "reason": reason})


def _version(case: Case, changed: tuple[str, ...]) -> VersionOut:
    return VersionOut(
        case_id=case.id,
        case_code=case.case_code,
        alert_version=case.version,
        state=case.state,
        tier=case.tier,
        changed=changed,
        outcome=case.outcome,
        merged_into=case.merged_into,
    )
