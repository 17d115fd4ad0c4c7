"""The grammar of templates, and what is refused before anybody depends on it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.domain.stages import STAGES, StageName, read_template
from notifications.domain.templates import Language, TemplateRefused, parse

GOOD = "{case}{child}[{height}][{looks}|特征询110],{at}[{place}]走失,签收码{code}[ {link}]"
VALUES = {"case": "CY-0472", "child": "男6岁", "at": "14:20", "code": "7K3M"}


def reasons(body: str, stage: StageName = "raised", language: Language = "zh") -> list[tuple[int, str]]:
    with pytest.raises(TemplateRefused) as refused:
        read_template(body, language, stage)
    return [(reason.position, reason.en) for reason in refused.value.reasons]


@pytest.mark.parametrize(
    ("body", "values", "said"),
    [
        ("a {x}", {"x": "1"}, "a 1"),
        ("a {x}", {}, None),
        ("a[ {x}]", {}, "a"),
        ("a[ {x}]", {"x": "1"}, "a 1"),
        ("a[ {x}| b]", {}, "a b"),
        ("a[ {x}| {y}| c]", {"y": "2"}, "a 2"),
        ("a[ {x}{y}]", {"x": "1"}, "a"),
        ("a[, spare] b", {}, "a, spare b"),
        ("\uff5bx\uff5d\uff3b \uff5by\uff5d\uff5cz\uff3d", {"x": "1"}, "1z"),
    ],
)
def test_a_template_says_what_has_a_value(body: str, values: dict[str, str], said: str | None) -> None:
    assert said == parse(body, "en").filled(values)


def test_spare_words_can_be_left_out_and_others_can_not() -> None:
    template = parse("a[, spare][ {x}| or]", "en")

    assert template.has_spare
    assert template.filled({}, spare=False) == "a or"


def test_a_value_is_never_read_as_a_template() -> None:
    assert parse("{x}", "en").filled({"x": "{y}[z|"}) == "{y}[z|"


@pytest.mark.parametrize(
    ("body", "position", "says"),
    [
        ("{case", 1, "no partner"),
        ("case}", 5, "no partner"),
        ("a[b", 2, "no partner"),
        ("a[b[c]]", 2, "no partner"),
        ("a|b", 2, "outside square brackets"),
        ("a[]", 3, "Nothing is said here"),
        ("a[{x}|]", 7, "Nothing is said here"),
        ("", 0, "empty"),
        ("a\nb", 2, "line break"),
        ("【x】a", 1, "signature is put"),
        ("see https://x.example", 5, "use {link}"),
        ("call +1 202 555 0123", 6, "phone number"),
        ("a" * 401, 0, "400 characters"),
    ],
)
def test_a_template_with_a_mistake_is_refused_with_its_place(body: str, position: int, says: str) -> None:
    with pytest.raises(TemplateRefused) as refused:
        parse(body, "en")

    assert any(reason.position == position and says in reason.en for reason in refused.value.reasons)
    assert all(reason.zh for reason in refused.value.reasons)


@pytest.mark.parametrize(
    "hole",
    ["name", "child_name", "NAME", "parent", "parents", "mother", "phone", "photo", "姓名", "家长", "电话"],
)
def test_a_hole_that_names_a_person_is_refused_wherever_it_stands(hole: str) -> None:
    for words in (f"{{{hole}}}", f"[{{{hole}}}]"):
        assert (len(GOOD) + words.index("{") + 1, True) in [
            (position, "names a person" in says) for position, says in reasons(GOOD + words)
        ]


def test_every_reason_is_given_at_once_in_the_order_of_the_text() -> None:
    found = reasons("{case}{name}{nonsense}{height}")

    assert [position for position, _ in found] == sorted(position for position, _ in found)
    said = " ".join(says for _, says in found)
    for word in (
        "names a person",
        "{nonsense}",
        "square brackets",
        "{code} is missing",
        "{place} is missing",
    ):
        assert word in said


@pytest.mark.parametrize("hole", ["signature", "签名", "exercise"])
def test_nobody_writes_the_signature_or_the_mark(hole: str) -> None:
    assert any("put before every text" in says for _, says in reasons(f"{GOOD}{{{hole}}}"))


@pytest.mark.parametrize(("language", "word"), [("zh", "演练"), ("en", "Exercise")])
def test_a_real_alert_can_not_call_itself_an_exercise(language: Language, word: str) -> None:
    assert any("exercise mark" in says for _, says in reasons(GOOD + word, language=language))
    read_template("演练{code}", "zh", "drill")


@pytest.mark.parametrize(
    ("stage", "body"),
    [
        ("raised", "{case}{child}[{looks}],{at}[{place}][签收码{code}{link}]"),
        ("raised", "{case}{child}[{looks}],{at}[{place}][{link}|签收码{code}]"),
        ("order", "{case}{by}到[{place}][ {link}][{summary}{code}]"),
    ],
)
def test_a_text_without_its_code_is_refused_for_whatever_route(stage: StageName, body: str) -> None:
    assert any("Every text must have" in says for _, says in reasons(body, stage))


def test_an_order_may_give_its_link_instead_of_its_code() -> None:
    read_template("{case}{by}到[{place}][ {link}|,签收码{code}]", "zh", "order")


@pytest.mark.parametrize("stage", STAGES)
def test_a_hole_of_no_stage_is_refused_at_every_stage(stage: StageName) -> None:
    assert any("{weather}" in says and "there are" in says for _, says in reasons("{weather}", stage))


@given(st.text(alphabet=st.sampled_from("a{}[]|中{x}\uff5b "), max_size=40))
def test_no_brace_of_a_template_gets_into_a_text(body: str) -> None:
    try:
        template = parse(body, "en")
    except TemplateRefused:
        return

    assert not set("{}[]|") & set(template.filled({"x": "1", "": "1"}) or "")
