"""From rows to words: whose template is used, what fits, and what a template-bound route gets."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from notifications import preview
from notifications.domain.stages import LANGUAGES, RECIPIENT_KINDS, STAGES, read_template
from notifications.segments import not_gsm7, segmentation
from notifications.settings import NotificationSettings
from notifications.templates import BUILT_IN, Key, Templates, Version, built_in, key_of, templates_of_rows
from notifications.writing import NoProviderTemplate, template_call_of, text_of

KEYS = [Key(kind, language, stage) for kind in RECIPIENT_KINDS for language in LANGUAGES for stage in STAGES]
SETTINGS = NotificationSettings()
LONGEST = NotificationSettings(sms_signature_zh="县" * 12, sms_signature_en="P" * 24)
URL = "https://gt.example"
AT = "2026-03-01T06:20:00+00:00"
PICTURE = {
    "child": {"sex": "male", "age_years": 6, "height_cm": 115, "appearance": "红衣、蓝裤"},
    "last_seen_place": {"name": "客运站", "position": {"lon": 108.69, "lat": 30.93}},
    "last_seen_at": AT,
    "outcome": "found",
    "stood_down": "replanned",
    "place_zh": "北门卡点",
    "place_en": "North gate",
    "arrive_by": AT,
    "summary": "男,6岁",
    "page_path": "/o/signed",
}


def delivery(**more: Any) -> dict[str, Any]:
    return {"language": "zh", "ack_code": "7K3M", "page_token": "t" * 20, "url_ok": False} | more


def notice(kind: str = "raised", **more: Any) -> dict[str, Any]:
    fields = {"kind": kind, "case_code": "CY-0472", "version": 3, "exercise": False, "content": PICTURE}
    return fields | more


def own(key: Key, body: str, version: int = 1) -> Templates:
    return Templates({key: Version(key, read_template(body, key.language, key.stage), version)})


@pytest.mark.parametrize("key", KEYS, ids="/".join)
def test_every_template_that_comes_along_fits_the_worst_case_with_the_longest_signature(key: Key) -> None:
    template = BUILT_IN.used(key).template

    for sample in preview.preview(template, key.language, key.stage, LONGEST, URL):
        assert 1 <= sample["segments"] <= (4 if f"{URL}/o/" in sample["text"] else 1)
        assert key.language == "zh" or sample["encoding"] == "GSM-7"


@pytest.mark.parametrize("key", [key for key in KEYS if key in built_in()], ids="/".join)
def test_a_typical_notice_says_all_of_its_template(key: Key) -> None:
    typical = preview.preview(BUILT_IN.used(key).template, key.language, key.stage, SETTINGS, URL)[1]

    assert {} == {
        name: words
        for name, words in typical["shortened"].items()
        if name not in ("looks", "height", "place")
    }


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("bus_station", "请查验旅客"),
        ("ferry_terminal", "请查验登船旅客"),
        ("hotel", "请核对入住"),
        ("hospital", "就诊儿童"),
        ("school", "进出儿童"),
        ("urban_management", "沿街"),
        ("liaison", "扩散"),
    ],
)
def test_each_kind_of_recipient_is_asked_for_what_it_can_do(kind: str, said: str) -> None:
    assert said in text_of(delivery(category=kind), notice(), SETTINGS, URL)
    assert said not in text_of(delivery(category="any"), notice(), SETTINGS, URL)


def test_a_row_without_category_or_with_an_unknown_one_gets_the_general_words() -> None:
    general = text_of(delivery(category="any"), notice(), SETTINGS, URL)

    for row in (delivery(), delivery(category=None), delivery(category="lighthouse")):
        assert general == text_of(row, notice(), SETTINGS, URL)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", [stage for stage in STAGES if stage != "several_open"])
@pytest.mark.parametrize("exercise", [True, False])
def test_every_kind_of_notice_is_written_with_its_mark_and_its_sender(
    language: str, kind: str, exercise: bool
) -> None:
    text = text_of(delivery(language=language), notice(kind, exercise=exercise), SETTINGS, URL)

    mark, sender = ("【演练】", "【云阳公安】") if language == "zh" else ("EXERCISE ", "[Yunyang Police] ")
    assert text.startswith(mark + sender if exercise or kind == "drill" else sender)
    assert segmentation(text).segments == 1


def test_an_operators_template_wins_over_the_built_in_one_of_the_same_kind_only() -> None:
    mine = own(
        key_of("hotel", "zh", "raised"), "{case}{child}[{looks}],{at}[{place}]未归,查住店[,{link}],回{code}"
    )

    assert "查住店" in text_of(delivery(category="hotel"), notice(), SETTINGS, URL, mine)
    assert "查住店" not in text_of(delivery(category="school"), notice(), SETTINGS, URL, mine)


def test_an_operators_general_template_reaches_kinds_without_a_template_of_their_own() -> None:
    mine = own(key_of("any", "zh", "stood_down"), "{case}{outcome},请停止查找,多谢")

    for kind in RECIPIENT_KINDS:
        assert "请停止查找" in text_of(delivery(category=kind), notice("stood_down"), SETTINGS, URL, mine)


def test_a_template_that_became_too_long_gives_way_to_one_that_fits() -> None:
    long_words = "很长" * 23
    mine = own(key_of("any", "zh", "stood_down"), "{case}{outcome}" + long_words)

    text = text_of(delivery(), notice("stood_down"), LONGEST, URL, mine)

    assert text == f"【{'县' * 12}】CY-0472孩子已找到,协查解除,谢谢配合。"


def test_rows_that_can_not_be_used_are_named_and_do_no_harm() -> None:
    row = {"recipient_kind": "any", "language": "zh", "stage": "raised", "version": 4}

    held, unusable = templates_of_rows([row | {"body": "{name}"}, row | {"stage": "gone", "body": "x"}])

    assert ["any/zh/raised v4", "any/zh/gone v4"] == unusable
    assert held.used(key_of("any", "zh", "raised")).source == "built-in"


def test_an_unknown_stage_has_no_text() -> None:
    with pytest.raises(ValueError, match="stage 'party'"):
        text_of(delivery(), notice("party"), SETTINGS, URL)


@hypothesis_settings(max_examples=60, deadline=None)
@given(
    appearance=st.text(
        st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=120
    ),
    place=st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    category=st.sampled_from(RECIPIENT_KINDS),
)
def test_an_english_notice_never_leaves_the_7_bit_alphabet(
    appearance: str, place: str, category: str
) -> None:
    child = PICTURE["child"] | {"appearance": appearance}  # type: ignore[operator]
    where = PICTURE["last_seen_place"] | {"name": place}  # type: ignore[operator]
    content = PICTURE | {"child": child, "last_seen_place": where}

    text = text_of(delivery(language="en", category=category), notice(content=content), SETTINGS, URL)

    assert [] == not_gsm7(text)


def test_a_template_bound_route_gets_its_code_and_every_value_without_a_link() -> None:
    settings = NotificationSettings(alibaba_templates='{"raised": "SMS_1", "raised.en": "SMS_2"}')
    row = delivery(url_ok=True, category="hotel")

    call = template_call_of(row, notice(), settings, URL)

    assert call.code == "SMS_1"
    assert call.values == {
        "case": "CY-0472",
        "child": "男6岁",
        "height": "115cm",
        "looks": "红衣、蓝裤",
        "at": "14:20",
        "place": "客运站",
        "code": "7K3M",
    }
    assert "SMS_2" == template_call_of(delivery(language="en"), notice(), settings, URL).code


def test_nothing_is_left_out_on_a_template_bound_route_for_a_link_that_it_does_not_take() -> None:
    settings = NotificationSettings(alibaba_templates='{"raised": "SMS_1"}')
    child = PICTURE["child"] | {"appearance": "红色外套、蓝色牛仔裤"}  # type: ignore[operator]
    row, told = delivery(url_ok=True, page_token="t" * 10), notice(content=PICTURE | {"child": child})

    by_sms = text_of(row, told, settings, "https://gt.cn")
    values = template_call_of(row, told, settings, "https://gt.cn").values

    assert by_sms.endswith("https://gt.cn/n/tttttttttt")
    assert "牛仔裤" not in by_sms
    assert values["looks"] == "红色外套、蓝色牛仔裤"


def test_a_template_bound_route_gets_no_empty_value_and_the_exercise_is_marked() -> None:
    settings = NotificationSettings(alibaba_templates='{"raised": "SMS_1", "drill": "SMS_9"}')
    child = PICTURE["child"] | {"height_cm": None, "appearance": "穿" * 80}  # type: ignore[operator]
    told = notice(content=PICTURE | {"child": child}, exercise=True)

    values = template_call_of(delivery(), told, settings, URL).values
    drill = template_call_of(delivery(), notice("drill"), settings, URL).values

    assert all(values.values())
    assert values["case"] == "【演练】CY-0472"
    assert drill == {"code": "【演练】7K3M"}


def test_a_stage_without_an_approved_template_is_refused() -> None:
    with pytest.raises(
        NoProviderTemplate, match="GUITU_ALIBABA_TEMPLATES names no template for stage raised"
    ):
        template_call_of(delivery(), notice(), SETTINGS, URL)


@pytest.mark.parametrize("wrong", ["{", "[]", '{"party": "SMS_1"}', '{"raised": 1}', '{"raised": ""}'])
def test_codes_of_templates_that_make_no_sense_are_refused_at_the_start(wrong: str) -> None:
    with pytest.raises(ValidationError, match="alibaba_templates"):
        NotificationSettings(alibaba_templates=wrong)
