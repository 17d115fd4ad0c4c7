"""What a text may and must say at each stage of a notice, and which templates break that.

A stage's values are known always (`known`) or only sometimes, or are left out to fit (`maybe`); the latter must
stand in square brackets, or some child's notice could not be written.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from notifications.domain.templates import Language, Refusal, Template, TemplateRefused, parse

RecipientKind = Literal[
    "any",
    "unit",
    "bus_station",
    "ferry_terminal",
    "hotel",
    "entertainment_venue",
    "hospital",
    "school",
    "urban_management",
    "liaison",
]
StageName = Literal[
    "raised",
    "updated",
    "widened",
    "order",
    "order_stood_down",
    "stood_down",
    "several_open",
    "nil_report",
    "drill",
]
RECIPIENT_KINDS: tuple[RecipientKind, ...] = get_args(RecipientKind)
LANGUAGES: tuple[Language, ...] = get_args(Language)
ANY: RecipientKind = "any"


@dataclass(frozen=True)
class Stage:
    """The values of a stage: `must` appear somewhere; one of `answer` must be in every text, so that it can be
    acknowledged and found again at the provider."""

    known: frozenset[str]
    maybe: frozenset[str]
    must: frozenset[str]
    answer: tuple[str, ...] = ("code",)


def _stage(known: str, maybe: str, must: str, answer: str = "code") -> Stage:
    return Stage(
        frozenset(known.split()), frozenset(maybe.split()), frozenset(must.split()), tuple(answer.split())
    )


_ALERT = ("case child at code", "height looks place link", "case child looks at place code")
STAGES: dict[StageName, Stage] = {
    "raised": _stage(*_ALERT),
    "widened": _stage(*_ALERT),
    "updated": _stage(_ALERT[0] + " update", _ALERT[1], _ALERT[2] + " update"),
    "order": _stage("case by code", "place summary link", "case place by code", "code link"),
    "order_stood_down": _stage("case reason code", "link", "case reason code", "code link"),
    "stood_down": _stage("case outcome", "", "case outcome", ""),
    "several_open": _stage("codes", "", "codes", "codes"),
    "nil_report": _stage("case child at code", "height looks place link", "case code"),
    "drill": _stage("code", "link", "code"),
}
_OF_PEOPLE = (
    *("name", "parent", "mother", "father", "guardian", "famil", "phone", "mobile", "contact"),
    *("photo", "face", "address", "identity", "id_card", "birth"),
    *(
        "姓名",
        "名字",
        "名",
        "家长",
        "父",
        "母",
        "监护",
        "电话",
        "手机",
        "照片",
        "住址",
        "地址",
        "身份证",
        "生日",
    ),
)
_MARKS = {"zh": ("演练",), "en": ("exercise",)}


def read_template(body: str, language: Language, stage: StageName) -> Template:
    """Parse a template and check it against its stage. Raises: TemplateRefused, with every reason."""
    template = parse(body, language)
    reasons = [*_holes(template, stage), *_missing(template, stage), *_false_mark(body, language, stage)]
    if reasons:
        raise TemplateRefused(sorted(reasons))
    return template


def _holes(template: Template, stage: StageName) -> Iterator[Refusal]:
    values = STAGES[stage]
    for hole, bracketed in template.holes:
        if hole.name not in values.known | values.maybe:
            yield _unknown(hole.name, hole.position, stage)
        elif hole.name in values.maybe and not bracketed:
            yield Refusal(
                hole.position,
                f"{{{hole.name}}} at character {hole.position} is not always known or is left out to fit; "
                f"put it in square brackets, e.g. [{{{hole.name}}}] or [{{{hole.name}}}|other words].",
                f"第{hole.position}个字符的{{{hole.name}}}可能没有或因过长省略,请放入方括号,"
                f"如[{{{hole.name}}}|其他文字]。",
            )


def _unknown(name: str, at: int, stage: StageName) -> Refusal:
    shown = name[:40]
    read = unicodedata.normalize("NFKC", name).casefold()
    if any(word in read for word in ("signature", "签名", "exercise", "演练")):
        return Refusal(
            at,
            f"{{{shown}}} at character {at}: signature and exercise mark are put before every text by themselves.",
            f"第{at}个字符的{{{shown}}}:签名和演练标记由系统自动添加,请删除。",
        )
    if any(word in read for word in _OF_PEOPLE):
        return Refusal(
            at,
            f"{{{shown}}} at character {at} names a person; no text says who the child or the family is.",
            f"第{at}个字符的{{{shown}}}涉及个人身份;短信中不得出现孩子或家人的身份信息。",
        )
    known = ", ".join(sorted(STAGES[stage].known | STAGES[stage].maybe))
    return Refusal(
        at,
        f"{{{shown}}} at character {at} is not known at stage {stage}; there are {known}.",
        f"第{at}个字符的{{{shown}}}在此阶段不可用;可用:{known}。",
    )


def _missing(template: Template, stage: StageName) -> Iterator[Refusal]:
    values, said = STAGES[stage], {hole.name for hole, _ in template.holes}
    for name in sorted(values.must - said):
        yield Refusal(0, f"{{{name}}} is missing.", f"缺少{{{name}}}。")
    if "case" in said and not template.always_says(("case",), values.known):
        yield Refusal(
            0, "{case} must not be left out; take it out of brackets.", "{case}不得省略,请移出方括号。"
        )
    if values.answer and set(values.answer) & said and not template.always_says(values.answer, values.known):
        one_of = " or ".join(f"{{{name}}}" for name in values.answer)
        yield Refusal(
            0, f"Every text must have {one_of}, whatever is left out.", f"任何情况下都须有{one_of}。"
        )


def _false_mark(body: str, language: Language, stage: StageName) -> Iterator[Refusal]:
    """A real alert that calls itself an exercise would be laid aside."""
    for mark in () if stage == "drill" else _MARKS[language]:
        at = body.casefold().find(mark) + 1
        if at:
            yield Refusal(
                at,
                f"'{mark}' at character {at}: the exercise mark is put before every text by itself.",
                f"第{at}个字符的“{mark}”:演练标记由系统自动添加。",
            )
