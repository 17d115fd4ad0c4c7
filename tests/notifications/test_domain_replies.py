"""What people text back, and how statuses of a delivery follow each other."""

from __future__ import annotations

import random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.alert import Ring
from contracts.base import Position
from notifications.domain.delivery import RANK, backoff_s, step_for
from notifications.domain.page_token import looks_like_token, page_token_of
from notifications.domain.recipients import Candidate, distance_km, in_ring, update_matters
from notifications.domain.replies import (
    _ACK_WORDS,
    _NIL_WORDS,
    Meaning,
    OpenNotice,
    ack_code_of,
    codes_in,
    read_reply,
)

FIRST = OpenNotice(UUID(int=1), "CY-0001", "7K3M")
UPDATE = OpenNotice(UUID(int=2), "CY-0001", "9Q0A")
OTHER = OpenNotice(UUID(int=3), "CY-0002", "ABCD")


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("1", Meaning("ack", FIRST.delivery_id)),
        ("\uff11", Meaning("ack", FIRST.delivery_id)),
        (" 签收。 ", Meaning("ack", FIRST.delivery_id)),
        ("收到!", Meaning("ack", FIRST.delivery_id)),
        ("ack 7k3m", Meaning("ack", FIRST.delivery_id)),
        ("7K3M", Meaning("ack", FIRST.delivery_id)),
        ("签收码:7K3M", Meaning("ack", FIRST.delivery_id)),
        ("1 7K3M", Meaning("ack", FIRST.delivery_id)),
        ("7K3M 收到", Meaning("ack", FIRST.delivery_id)),
        ("7k3m签收!", Meaning("ack", FIRST.delivery_id)),
        ("无", Meaning("nil_report", FIRST.delivery_id)),
        ("没看到。", Meaning("nil_report", FIRST.delivery_id)),
        ("\uff10", Meaning("nil_report", FIRST.delivery_id)),
        ("nil", Meaning("nil_report", FIRST.delivery_id)),
        ("7K3M 未发现", Meaning("nil_report", FIRST.delivery_id)),
        ("没有 7K3M", Meaning("nil_report", FIRST.delivery_id)),
        ("没看到孩子,但有人问过路", Meaning("sighting", FIRST.delivery_id)),
        ("没有红衣服的", Meaning("sighting", FIRST.delivery_id)),
        ("No child, but a red coat", Meaning("sighting", FIRST.delivery_id)),
        ("7K3M 往码头去了", Meaning("sighting", FIRST.delivery_id)),
        ("看到一个男孩上了大巴", Meaning("sighting", FIRST.delivery_id)),
        ("1个男孩", Meaning("sighting", FIRST.delivery_id)),
        ("STOP", Meaning("opt_out")),
        ("退订", Meaning("opt_out")),
        ("ｔｄ", Meaning("opt_out")),
        ("start", Meaning("opt_in")),
        ("恢复。", Meaning("opt_in")),
        ("  。 ", Meaning("none")),
    ],
)
def test_a_reply_to_one_open_notice(text: str, meaning: Meaning) -> None:
    assert meaning == read_reply(text, [FIRST])


def test_a_plain_ack_with_two_cases_open_is_ambiguous_and_with_a_code_is_not() -> None:
    assert Meaning("ambiguous") == read_reply("签收", [OTHER, FIRST])
    assert Meaning("ack", FIRST.delivery_id) == read_reply("签收7K3M", [OTHER, FIRST])


@pytest.mark.parametrize(
    "text",
    [
        "7K3M 往码头去了",
        "7K3M往码头去了",
        "签收码7K3M:往码头去了",
        "往码头去了,7k3m",
        "7K3M,没看到孩子,但有人问过路",
    ],
)
def test_a_code_anywhere_in_a_sighting_says_of_which_notice_it_is(text: str) -> None:
    assert Meaning("sighting", FIRST.delivery_id) == read_reply(text, [OTHER, FIRST])
    assert "7K3M" in codes_in(text)


def test_nothing_seen_is_said_of_one_case_only() -> None:
    answered = [OpenNotice(n.delivery_id, n.case_code, n.ack_code, answered=True) for n in (OTHER, FIRST)]

    assert Meaning("ambiguous") == read_reply("无", [OTHER, FIRST])
    assert Meaning("ambiguous") == read_reply("无", answered)
    assert Meaning("nil_report", FIRST.delivery_id) == read_reply("无 7K3M", answered)
    assert Meaning("ack", OTHER.delivery_id) == read_reply("1", answered)


def test_words_without_a_code_are_of_the_newest_notice_that_is_no_drill() -> None:
    drill = OpenNotice(UUID(int=4), "DRILL-0001", "WXYZ", drill=True)

    assert Meaning("sighting", FIRST.delivery_id) == read_reply("看到他了", [drill, FIRST])


WIDE = {
    ord(char): ord(char) + 0xFEE0 for char in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
}


@given(
    st.sampled_from([*_ACK_WORDS[1:], *_NIL_WORDS]),
    st.sampled_from(["", "7K3M"]),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_case_width_punctuation_and_spaces_change_nothing(
    word: str, code: str, code_first: bool, dice: random.Random
) -> None:
    plain = f"{code} {word}" if code_first else f"{word} {code}"
    letters = (dice.choice([c.upper(), c.lower(), c.translate(WIDE)]) for c in plain)
    written = "".join(c + dice.choice(["", "", " ", "。", "!", "\u3000", ",", "-"]) for c in letters)

    meaning = read_reply(written, [FIRST])

    assert meaning == read_reply(plain, [FIRST]) == read_reply(word, [FIRST])
    assert meaning.kind == ("ack" if word in _ACK_WORDS else "nil_report")
    assert not code or code in codes_in(written)


@given(st.uuids(), st.sampled_from([*_ACK_WORDS, *_NIL_WORDS]), st.booleans())
def test_every_code_with_every_word_means_its_notice(random_id: UUID, word: str, code_first: bool) -> None:
    code = ack_code_of(random_id, [FIRST.ack_code])
    notice = OpenNotice(UUID(int=9), "CY-0009", code)

    meaning = read_reply(code + word if code_first else word + code, [FIRST, notice])

    assert ("ack" if word in _ACK_WORDS else "nil_report", notice.delivery_id) == (
        meaning.kind,
        meaning.delivery_id,
    )


def test_a_plain_ack_of_one_case_means_its_newest_notice() -> None:
    assert Meaning("ack", UPDATE.delivery_id) == read_reply("1", [UPDATE, FIRST])


def test_nothing_open_means_nothing() -> None:
    assert Meaning("none") == read_reply("1", [])
    assert Meaning("none") == read_reply("看到了", [])


@given(st.text(max_size=200))
def test_any_text_means_something_and_words_are_never_dropped(text: str) -> None:
    meaning = read_reply(text, [FIRST])

    assert (meaning.kind == "none") <= (not any(char.isalnum() for char in text))


@given(st.uuids(), st.lists(st.uuids(), max_size=5))
def test_codes_differ_from_those_that_are_taken(new: UUID, old: list[UUID]) -> None:
    taken = [ack_code_of(item) for item in old]

    assert ack_code_of(new, taken) not in taken


@given(st.lists(st.sampled_from(sorted(RANK)), max_size=20), st.integers())
def test_a_delivery_ends_the_same_however_its_statuses_are_shuffled_and_doubled(
    statuses: list[str], seed: int
) -> None:
    finals = {"delivered", "undelivered", "failed", "canceled"} & set(statuses)
    shuffled = statuses * 2
    random.Random(seed).shuffle(shuffled)

    def end(order: list[str]) -> int:
        rank = 0
        for status in order:
            step = step_for(status, rank)
            rank = step.rank if step else rank
        return rank

    assert end(statuses) == end(shuffled) == max((RANK[s] for s in statuses), default=0)
    assert not finals or end(shuffled) >= 5


def test_a_final_status_is_not_replaced_by_another_final_one() -> None:
    assert step_for("failed", RANK["delivered"]) is None
    assert step_for("invented", 0) is None


@pytest.mark.parametrize("attempts", range(1, 12))
def test_waits_between_attempts_grow_to_a_bound(attempts: int) -> None:
    assert 0.5 <= backoff_s(attempts, 0.0) <= backoff_s(attempts, 1.0) <= 30


def test_only_sites_inside_the_ring_are_told() -> None:
    center = Position(lon=108.69, lat=30.93)
    sites = [Candidate(UUID(int=n), UUID(int=n), Position(lon=108.69, lat=30.93 + n / 10)) for n in range(20)]

    told = list(in_ring(sites, Ring(step=0, center=center, radius_km=100, near_radius_km=30)))

    assert [n for n in range(20) if n * 11.12 <= 100] == [r.site_id.int for r in told]
    assert [r.priority for r in told] == sorted(r.priority for r in told)


def test_distance_is_that_of_the_great_circle() -> None:
    """A degree of the equator is 1/360 of the circumference: 111.195 km on the mean sphere."""
    assert abs(distance_km(Position(lon=0, lat=0), Position(lon=1, lat=0)) - 111.195) < 0.001


def test_a_change_of_the_ring_alone_does_not_matter_to_those_who_know() -> None:
    assert not update_matters(("ring",))
    assert update_matters(("ring", "child.appearance"))


@given(st.uuids())
def test_page_tokens_are_short_and_recognised(random_id: UUID) -> None:
    assert looks_like_token(page_token_of(random_id))
    assert not looks_like_token("../../etc")
