"""Which template a text is written by: an operator's newest version, else the one that comes with the software.

The built-in ones are data (`data/templates.csv`) and are checked when first read. An operator's are rows of the table
`template`; each process keeps them for `STALE_S` seconds, so a change reaches the SMS of every process within
that time and those of the process that took the change at once. What was sent is stored with its attempt.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import NamedTuple, cast, get_args

from guitu.service import Runtime
from notifications import store_templates
from notifications.domain.stages import ANY, RECIPIENT_KINDS, RecipientKind, StageName, read_template
from notifications.domain.templates import Language, Template, TemplateRefused
from notifications.store import Row

STALE_S = 5.0


class Key(NamedTuple):
    """What a template is for."""

    recipient_kind: RecipientKind
    language: Language
    stage: StageName


def key_of(recipient_kind: str, language: str, stage: str) -> Key:
    """The key, of words from outside. Raises: ValueError for a language or stage that there is not.

    A kind of recipient that we don't know (a site's category is free text) is anybody.
    """
    if language not in get_args(Language) or stage not in get_args(StageName):
        raise ValueError(f"There are no templates for language {language!r}, stage {stage!r}.")
    kind = recipient_kind if recipient_kind in RECIPIENT_KINDS else ANY
    return Key(kind, cast(Language, language), cast(StageName, stage))


@dataclass(frozen=True)
class Version:
    """A template with where it came from; version 0 is built in."""

    key: Key
    template: Template
    version: int = 0

    @property
    def source(self) -> str:
        """For people: `built-in` or `version 3`."""
        return f"version {self.version}" if self.version else "built-in"


@cache
def built_in() -> Mapping[Key, Version]:
    """What comes with the software. Raises: TemplateRefused, if its table is wrong."""
    table = files("notifications").joinpath("data/templates.csv").read_text(encoding="utf-8")
    versions = {}
    for row in csv.DictReader(table.splitlines()):
        key = key_of(row["recipient_kind"], row["language"], row["stage"])
        versions[key] = Version(key, read_template(row["body"], key.language, key.stage))
    return versions


@dataclass(frozen=True)
class Templates:
    """The templates that hold: `own` are an operator's newest versions; all others are built in."""

    own: Mapping[Key, Version] = field(default_factory=dict)

    def used(self, key: Key) -> Version:
        """The first to be tried: of this kind of recipient (own, then built-in), then of any."""
        return next(self.candidates(key))

    def candidates(self, key: Key) -> Iterator[Version]:
        """Every template that fits, best first. The last is built in, and fits every case (tested)."""
        for each in dict.fromkeys((key, key._replace(recipient_kind=ANY))):
            for versions in (self.own, built_in()):
                if each in versions:
                    yield versions[each]


BUILT_IN = Templates()


def templates_of_rows(rows: Iterable[Row]) -> tuple[Templates, list[str]]:
    """An operator's templates and the ids of rows that can't be used (written under other rules), if any."""
    own, unusable = {}, []
    for row in rows:
        try:
            key = key_of(row["recipient_kind"], row["language"], row["stage"])
            own[key] = Version(key, read_template(row["body"], key.language, key.stage), row["version"])
        except (TemplateRefused, ValueError):
            unusable.append(f"{row['recipient_kind']}/{row['language']}/{row['stage']} v{row['version']}")
    return Templates(own), unusable


@dataclass
class _Kept:
    templates: Templates
    until: datetime


async def current(runtime: Runtime) -> Templates:
    """The templates to write by now, at most `STALE_S` old; call it outside a transaction, it takes a connection."""
    kept: _Kept | None = runtime.state.get("templates")
    now = runtime.clock.now()
    if kept is not None and now < kept.until:
        return kept.templates
    async with runtime.read() as conn:
        templates, unusable = templates_of_rows(await store_templates.newest(conn))
    if unusable:
        runtime.log.error("template.unusable", templates=unusable)
    runtime.state["templates"] = _Kept(templates, now + timedelta(seconds=STALE_S))
    return templates


def forget(runtime: Runtime) -> None:
    """Read them anew before the next text; after a change by this process."""
    runtime.state.pop("templates", None)
