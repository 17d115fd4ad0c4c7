"""What fits into one SMS and how it gets shorter."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.base import Child, Sex
from notifications.domain import texts
from notifications.domain.stages import RECIPIENT_KINDS
from notifications.domain.templates import Language, Template
from notifications.domain.texts import AlertText, OrderText, Signature, TextTooLong
from notifications.segments import is_gsm7, segmentation
from notifications.templates import BUILT_IN, key_of

US = Signature("云阳公安", "Yunyang Police")
WORDS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=200)
AT = datetime(2026, 3, 1, 6, 20, tzinfo=UTC)


def about(appearance: str = "红衣、蓝裤", place: str = "客运站", **more: object) -> AlertText:
    child = Child(sex=Sex.male, age_years=6, height_cm=115, appearance=appearance)
    fields = {"version": 1, "kind": "raised", "exercise": False} | more
    return AlertText("CY-0472", child, place, 108.69, 30.93, AT, **fields)  # type: ignore[arg-type]


def built_in(language: Language, stage: str, kind: str = "any") -> Template:
    return BUILT_IN.used(key_of(kind, language, stage)).template


def alert_text(
    alert: AlertText, language: Language, us: Signature, code: str, link: str, kind: str = "any"
) -> str:
    template = built_in(language, alert.kind, kind)
    return texts.alert_text(alert, language, us, code, link, template).text


def order_text(order: OrderText, language: Language, us: Signature, code: str, link: str) -> str:
    return texts.order_text(order, language, us, code, link, built_in(language, "order")).text


def stand_down_text(case_code: str, outcome: str, exercise: bool, language: Language, us: Signature) -> str:
    template = built_in(language, "stood_down")
    return texts.stand_down_text(case_code, outcome, exercise, language, us, template).text


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("云" * 70, 1),
        ("云" * 71, 2),
        ("云" * 134, 2),
        ("云" * 135, 3),
        ("𠀀" * 35, 1),
        ("𠀀" * 36, 2),
        ("", 1),
        ("a" * 70 + "“", 2),
    ],
)
def test_segments_are_counted_as_carriers_do(text: str, count: int) -> None:
    assert count == segmentation(text).segments


def test_a_chinese_text_says_all_that_a_station_needs_in_one_segment() -> None:
    text = alert_text(about(), "zh", US, "7K3M", "")

    assert text == "【云阳公安】CY-0472男6岁115cm红衣、蓝裤,14:20客运站走失,见到拨110,签收码7K3M"
    assert segmentation(text).segments == 1


def test_an_exercise_is_marked_in_both_languages() -> None:
    assert alert_text(about(exercise=True), "zh", US, "7K3M", "").startswith("【演练】")
    assert alert_text(about("red coat", "bus station", exercise=True), "en", US, "7K3M", "").startswith(
        "EXERCISE "
    )
    assert stand_down_text("CY-0472", "found", True, "zh", US).startswith("【演练】")


def test_an_appearance_that_is_too_long_loses_whole_phrases_from_its_end() -> None:
    text = alert_text(
        about("红色羽绒服、蓝色牛仔裤、白色运动鞋、背一个绿色书包、戴黄色帽子、左脸有一颗痣"),
        "zh",
        US,
        "7K3M",
        "",
    )

    assert "红色羽绒服、蓝色牛仔裤" in text
    assert "一颗痣" not in text
    assert segmentation(text).segments == 1


def test_phrases_are_told_apart_by_the_commas_that_chinese_keyboards_type() -> None:
    said = "\uff0c".join(["红色羽绒服", "蓝色牛仔裤", "白色运动鞋", "背一个绿色书包", "戴黄色帽子"])

    text = alert_text(about(said), "zh", US, "7K3M", "")

    assert "红色羽绒服、蓝色牛仔裤" in text
    assert "戴黄色帽子" not in text


def test_a_bus_station_is_asked_to_check_its_passengers() -> None:
    text = alert_text(about(), "zh", US, "7K3M", "", kind="bus_station")

    assert text == "【云阳公安】CY-0472男6岁115cm红衣、蓝裤,14:20客运站走失,请查验旅客,见到拨110,签收码7K3M"


def test_what_is_asked_gives_way_to_what_the_child_looks_like() -> None:
    looks = "红色羽绒服配蓝色牛仔裤和白色运动鞋背绿色书包戴黄帽"

    text = alert_text(about(looks), "zh", US, "7K3M", "", kind="bus_station")

    assert looks in text
    assert "请查验旅客" not in text


def test_a_place_without_end_is_left_out_before_the_text_is_refused() -> None:
    long_signature = Signature("云" * 12, "P" * 24)
    alert = about("穿" * 80, "长" * 90, exercise=True, kind="updated", version=999)

    text = alert_text(alert, "zh", long_signature, "7K3M", "")

    assert segmentation(text).segments == 1
    assert "14:20走失" in text


def test_a_single_phrase_that_can_not_be_shortened_is_left_out_and_said_so() -> None:
    text = alert_text(about("穿" * 80), "zh", US, "7K3M", "")

    assert "特征询110" in text
    assert "穿" not in text


def test_a_link_is_there_if_it_fits_beside_the_code() -> None:
    text = alert_text(about("红衣", "客运站"), "zh", US, "7K3M", "https://gt.example/n/abcdefghij")

    assert text.endswith("签收码7K3M https://gt.example/n/abcdefghij")
    assert segmentation(text).segments == 1


def test_an_english_text_stays_in_the_7_bit_alphabet_although_the_report_is_chinese() -> None:
    text = alert_text(about("红衣, blue trousers", "客运站"), "en", US, "7K3M", "")

    assert is_gsm7(text)
    assert "blue trousers" in text
    assert "30.930,108.690" in text


def test_an_order_keeps_its_link_whole() -> None:
    link = "http://127.0.0.1:8102/o/" + "x" * 150

    text = order_text(
        OrderText("CY-0472", False, "北门卡点", "North gate", AT, "男,6岁"), "zh", US, "7K3M", link
    )

    assert text.endswith(link)
    assert segmentation(text).segments <= 4


def test_a_text_that_can_not_fit_is_refused_and_not_cut() -> None:
    with pytest.raises(TextTooLong, match="GUITU_SMS_SIGNATURE_ZH"):
        alert_text(about(), "zh", Signature("云" * 70, "Police"), "7K3M", "")


@settings(max_examples=150, deadline=None)
@given(
    appearance=WORDS.filter(bool),
    place=WORDS,
    language=st.sampled_from(["zh", "en"]),
    exercise=st.booleans(),
    kind=st.sampled_from(["raised", "updated", "widened"]),
    version=st.integers(1, 999),
    recipient=st.sampled_from(RECIPIENT_KINDS),
)
def test_any_report_becomes_one_segment_with_its_code(
    appearance: str, place: str, language: str, exercise: bool, kind: str, version: int, recipient: str
) -> None:
    alert = about(appearance, place, exercise=exercise, kind=kind, version=version)

    text = alert_text(alert, language, US, "7K3M", "https://gt.example/n/abcdefghij", recipient)  # type: ignore[arg-type]

    assert segmentation(text).segments == 1
    assert "7K3M" in text
    assert "CY-0472" in text
