"""HTTP of templates: look, try, change, go back. Only an administrator changes what all recipients will read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from contracts.base import Sex, ShortText
from guitu.problem import ApiModel, Problem
from guitu.service import Runtime
from guitu.tx import Tx
from notifications import preview, store_templates, templates
from notifications.access import Administrator, Staff
from notifications.domain.stages import (
    LANGUAGES,
    RECIPIENT_KINDS,
    STAGES,
    RecipientKind,
    StageName,
    read_template,
)
from notifications.domain.templates import Language, Refusal, Template, TemplateRefused
from notifications.settings import NotificationSettings
from notifications.store import Row
from notifications.templates import Key, Version

HISTORY_MAX = 200
Body = Annotated[str, Field(max_length=2000, description="The words, with {holes} and [optional parts].")]


class TemplateIn(ApiModel):
    """A new version and why."""

    body: Body
    note: ShortText = ""


class ValuesIn(ApiModel):
    """Facts of a child, a case and a route to try a template with; what is left out is typical."""

    appearance: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    place: ShortText | None = None
    sex: Sex | None = None
    age_years: Annotated[int, Field(ge=0, le=17)] | None = None
    height_cm: Annotated[int, Field(ge=30, le=220)] | None = None
    case_code: Annotated[str, Field(pattern=r"^[A-Z]{2}-\d{4,8}$")] | None = None
    exercise: bool | None = None
    link: Annotated[bool | None, Field(description="Does the route take links?")] = None


class PreviewIn(ApiModel):
    """A template to try."""

    body: Body
    recipient_kind: RecipientKind
    language: Language
    stage: StageName
    values: ValuesIn | None = None


def templates_router(runtime: Runtime, settings: NotificationSettings) -> APIRouter:
    """Everything about templates."""
    router = APIRouter(prefix="/templates", tags=["templates"])
    _add_reading(router, runtime, settings)
    _add_changing(router, runtime, settings)
    return router


def _add_reading(router: APIRouter, runtime: Runtime, settings: NotificationSettings) -> None:
    @router.get("")
    async def listed(p: Staff) -> dict[str, Any]:
        """The template that holds for each kind of recipient, language and stage, and where it comes from."""
        held = await _newest(runtime)
        keys = [Key(k, language, s) for k in RECIPIENT_KINDS for language in LANGUAGES for s in STAGES]
        return {"templates": [_shown(key, held.used(key)) for key in keys]}

    @router.post("/preview")
    async def tried(p: Staff, said: PreviewIn) -> dict[str, Any]:
        """The texts that a template would make, with what they take; changes nothing, refuses nothing."""
        values = said.values.model_dump(exclude_none=True) if said.values else None
        samples, reasons = _try(said.body, said.language, said.stage, settings, runtime.public_url, values)
        return {
            "usable": not reasons,
            "reasons": _said(reasons),
            "replaced": preview.replaced(said.body, said.language),
            "forces_ucs2": preview.forces_ucs2(said.body, said.language),
            "samples": samples,
        }

    @router.get("/{recipient_kind}/{language}/{stage}")
    async def one(
        p: Staff, recipient_kind: RecipientKind, language: Language, stage: StageName
    ) -> dict[str, Any]:
        """The template that holds, and every version there was, newest first."""
        key = Key(recipient_kind, language, stage)
        held = await _newest(runtime)
        async with runtime.read() as conn:
            history = await store_templates.history(conn, key, HISTORY_MAX)
        return _shown(key, held.used(key)) | {"history": [dict(row) for row in history]}


def _add_changing(router: APIRouter, runtime: Runtime, settings: NotificationSettings) -> None:
    @router.put("/{recipient_kind}/{language}/{stage}")
    async def changed(
        p: Administrator,
        recipient_kind: RecipientKind,
        language: Language,
        stage: StageName,
        said: TemplateIn,
    ) -> dict[str, Any]:
        """Add a version that holds from now on; the body that holds already makes no new one."""
        key = Key(recipient_kind, language, stage)
        samples, reasons = _try(said.body, language, stage, settings, runtime.public_url)
        if reasons:
            raise _refused(reasons)
        async with runtime.tx(actor=p.subject) as tx:
            version = await _add_version(tx, key, said, p.subject)
        templates.forget(runtime)
        kept = Version(key, read_template(said.body, language, stage), version)
        replaced = preview.replaced(said.body, language)
        return _shown(key, kept) | {"replaced": replaced, "samples": samples}

    @router.delete("/{recipient_kind}/{language}/{stage}")
    async def retired(
        p: Administrator, recipient_kind: RecipientKind, language: Language, stage: StageName
    ) -> dict[str, Any]:
        """Retire every version, so that the built-in template holds again; answers with it."""
        key = Key(recipient_kind, language, stage)
        async with runtime.tx(actor=p.subject) as tx:
            await store_templates.lock(tx.conn)
            versions = await store_templates.retire(tx.conn, key, tx.now)
            if versions:
                tx.audit("template.retired", **key._asdict(), versions=versions)
        templates.forget(runtime)
        return _shown(key, (await templates.current(runtime)).used(key))


async def _newest(runtime: Runtime) -> templates.Templates:
    """What holds at this moment; people who look have just changed it, maybe in another process."""
    templates.forget(runtime)
    return await templates.current(runtime)


async def _add_version(tx: Tx, key: Key, said: TemplateIn, made_by: str) -> int:
    await store_templates.lock(tx.conn)
    known = await store_templates.history(tx.conn, key, 1)
    if known and _same(known[0], said):
        return int(known[0]["version"])
    version = await store_templates.add(tx.conn, key, said.body, said.note, made_by, tx.now)
    tx.audit("template.changed", **key._asdict(), version=version)
    return version


def _same(row: Row, said: TemplateIn) -> bool:
    return row["retired_at"] is None and row["body"] == said.body


def _try(
    body: str,
    language: Language,
    stage: StageName,
    settings: NotificationSettings,
    public_url: str,
    values: dict[str, Any] | None = None,
) -> tuple[list[dict[str, Any]], list[Refusal]]:
    """The samples, and every reason to refuse the template."""
    try:
        template: Template = read_template(body, language, stage)
    except TemplateRefused as refused:
        return [], refused.reasons
    samples = preview.preview(template, language, stage, settings, public_url, values)
    return samples, sorted(preview.refusals(body, language, samples))


def _refused(reasons: list[Refusal]) -> Problem:
    problem = Problem(
        422,
        "template_refused",
        "The template can't be used: " + " ".join(reason.en for reason in reasons),
        "模板不可用:" + "".join(reason.zh for reason in reasons),
        "Mend what `reasons` names; POST /templates/preview tries a template without saving it.",
    )
    problem.extra = {"reasons": _said(reasons)}
    return problem


def _said(reasons: Iterable[Refusal]) -> list[dict[str, Any]]:
    return [{"position": each.position, "says": each.en, "says_zh": each.zh} for each in reasons]


def _shown(key: Key, held: Version) -> dict[str, Any]:
    """`written_for` differs from `recipient_kind` where this kind has no template of its own."""
    values = STAGES[key.stage]
    return key._asdict() | {
        "body": held.template.body,
        "source": held.source,
        "version": held.version,
        "written_for": held.key.recipient_kind,
        "always_known": sorted(values.known),
        "in_brackets_only": sorted(values.maybe),
    }
