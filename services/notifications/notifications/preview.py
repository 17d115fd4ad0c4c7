"""What a template says of invented children before anybody real depends on it: short, typical and the worst case.

The worst case is an exercise with the longest case code, a late version and a description without end; a template
that does not fit it into its segments is refused when it is saved, not when a child is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from notifications.domain import texts
from notifications.domain.ladder import Fitted, TextTooLong
from notifications.domain.lookalikes import plain
from notifications.domain.stages import StageName
from notifications.domain.templates import Language, Refusal, Template
from notifications.segments import not_gsm7, segmentation, units_left
from notifications.settings import NotificationSettings
from notifications.writing import signature_of, writer

CODE, TOKEN = "7K3M", "0123456789abcdefghjk"
AT = "2026-03-01T06:20:00+00:00"
_LOOKS = {
    "short": {"zh": "红衣", "en": "red coat"},
    "typical": {"zh": "红色外套、蓝色牛仔裤、白色运动鞋", "en": "red coat, blue jeans, white shoes"},
    "worst": {"zh": "颜色说不清的长外套、" * 40, "en": "a long coat of no certain colour, " * 40},
}
_PLACES = {
    "short": {"zh": "客运站", "en": "bus station"},
    "typical": {"zh": "云阳县双江街道滨江大道客运站", "en": "Yunyang coach centre"},
    "worst": {"zh": "很长的地名" * 30, "en": "a place with a long name " * 8},
}
_ORDER_PATH_CHARACTERS = 150
"""Of a signed order page, /o/ and its token."""


@dataclass(frozen=True)
class Sample:
    """An invented notice: `facts` are those of the child, the case and the route that a text depends on."""

    name: str
    size: str
    facts: dict[str, Any]


_SHORT = {"sex": "female", "age_years": 5, "height_cm": None, "link": True}
_TYPICAL = {"sex": "male", "age_years": 6, "height_cm": 115, "link": False}
_WORST = {
    "sex": "unknown",
    "age_years": 17,
    "height_cm": 120,
    "link": False,
    "exercise": True,
    "case_code": "CY-99999999",
    "version": 999,
    "codes": 12,
}
SAMPLES = (
    Sample("short", "short", _SHORT),
    Sample("typical", "typical", _TYPICAL),
    Sample("worst", "worst", _WORST),
    Sample("worst_with_link", "worst", _WORST | {"link": True}),
)


def preview(
    template: Template,
    language: Language,
    stage: StageName,
    settings: NotificationSettings,
    public_url: str,
    values: dict[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Each sample's text with what it takes; `values` replace facts of the typical one in one more sample, `yours`."""
    samples = (*SAMPLES, Sample("yours", "typical", _TYPICAL | values)) if values else SAMPLES
    return [
        {"sample": sample.name}
        | _shown(_writer(sample, language, stage, settings, public_url), template, language)
        for sample in samples
    ]


def refusals(body: str, language: Language, previewed: list[dict[str, Any]]) -> Iterator[Refusal]:
    """Why a template can't be used although its grammar is right: some sample does not fit, and what makes it dear."""
    if any("refused" in each for each in previewed):
        for char in forces_ucs2(body, language):
            at = body.find(char) + 1
            yield Refusal(
                at,
                f"'{char}' at character {at} is not in the 7-bit alphabet: a segment holds 70 characters, not 160.",
                f"第{at}个字符“{char}”不在7位字母表中:每条只能容纳70个字符。",
            )
    for each in previewed:
        if "refused" in each:
            yield Refusal(
                0,
                f"The sample '{each['sample']}' can't be written: {each['refused']}",
                f"示例“{each['sample']}”超出一条短信的长度,请缩短模板或把可省略的内容放入方括号。",
            )


def replaced(body: str, language: Language) -> dict[str, str]:
    """Characters of a template that are sent as their cheaper equals, or (empty) not at all."""
    return {char: plain(char, language) for char in dict.fromkeys(body) if plain(char, language) != char}


def forces_ucs2(body: str, language: Language) -> list[str]:
    """Characters that make an English text dear and have no cheaper equal; a Chinese one is dear anyway."""
    return not_gsm7(plain(body, language)) if language == "en" else []


def _shown(write: Callable[[Template], Fitted], template: Template, language: Language) -> dict[str, Any]:
    try:
        fitted = write(template)
    except TextTooLong as error:
        return {"refused": str(error)}
    size = segmentation(fitted.text)
    return {
        "text": fitted.text,
        "encoding": size.encoding,
        "units": size.units,
        "segments": size.segments,
        "units_left": units_left(size),
        "shortened": fitted.shortened,
        "forces_ucs2": forces_ucs2(fitted.text, language),
    }


def _writer(
    sample: Sample, language: Language, stage: StageName, settings: NotificationSettings, public_url: str
) -> Callable[[Template], Fitted]:
    facts: dict[str, Any] = {
        "case_code": "CY-0472",
        "version": 2,
        "exercise": False,
        "codes": 2,
    } | sample.facts
    if stage == "several_open":
        codes = [(facts["case_code"], CODE)] * facts["codes"]
        return lambda template: texts.open_codes_text(codes, language, signature_of(settings), template)
    delivery = {"language": language, "ack_code": CODE, "page_token": TOKEN, "url_ok": facts["link"]}
    content = _order(sample, language) if stage.startswith("order") else _picture(sample, language, facts)
    notice = {
        "kind": stage,
        "case_code": facts["case_code"],
        "version": facts["version"],
        "exercise": facts["exercise"],
        "content": content | {"outcome": "exercise_over" if facts["exercise"] else "found"},
    }
    return writer(delivery, notice, settings, public_url)


def _picture(sample: Sample, language: Language, facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "child": {
            "sex": facts["sex"],
            "age_years": facts["age_years"],
            "height_cm": facts["height_cm"],
            "appearance": facts.get("appearance") or _LOOKS[sample.size][language],
        },
        "last_seen_place": {
            "name": facts.get("place") or _PLACES[sample.size][language],
            "position": {"lon": 108.69, "lat": 30.93},
        },
        "last_seen_at": AT,
    }


def _order(sample: Sample, language: Language) -> dict[str, Any]:
    place = _PLACES[sample.size][language]
    return {
        "place_zh": place,
        "place_en": place,
        "arrive_by": AT,
        "summary": _LOOKS[sample.size][language],
        "page_path": "/o/".ljust(_ORDER_PATH_CHARACTERS, "x"),
        "stood_down": "exercise_over" if sample.size == "worst" else "found",
    }
