"""A sender that fails by itself is left alone for a while; what others are to blame for changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from notifications.domain.breaker import FAILURES_MAX, REST, REST_MAX, WITHIN, Health, after
from notifications.domain.delivery import Outcome

NOW = datetime(2026, 3, 1, 6, 20, tzinfo=UTC)
OK, REFUSED = Outcome("accepted"), Outcome("not_sent", code="no_bytes_sent")
BLAMELESS = [
    Outcome("rejected", code="21211", reason="permanent_recipient"),
    Outcome("rejected", code="20429", reason="transient_safe", retry=True),
    Outcome("rejected", code="21611", reason="transient_sender", retry=True),
    Outcome("absent"),
    Outcome("stopped"),
]


def failing(health: Health, times: int, now: datetime = NOW) -> Health:
    return after(health, [REFUSED] * times, now)


def test_it_rests_after_so_many_failures_within_the_time_and_not_before() -> None:
    almost = failing(Health(), FAILURES_MAX - 1)

    assert almost.places(NOW, 32) == 32
    assert failing(almost, 1).places(NOW, 32) == 0
    assert failing(almost, 1, NOW + WITHIN).places(NOW + WITHIN, 32) == 32


def test_after_its_rest_it_gets_one_message_and_a_success_forgets_everything() -> None:
    resting = failing(Health(), FAILURES_MAX)
    later = NOW + REST

    assert resting.places(later, 32) == 1
    assert after(resting, [OK], later) == Health()


def test_each_rest_without_a_success_between_is_longer_up_to_a_bound() -> None:
    health, now, rests = Health(), NOW, list[timedelta]()
    for _ in range(12):
        health = failing(health, FAILURES_MAX, now)
        assert health.rests_until is not None
        rests.append(health.rests_until - now)
        now = health.rests_until

    assert rests[:3] == [REST, 2 * REST, 4 * REST]
    assert rests[-1] == REST_MAX


def test_refused_credentials_send_it_to_rest_at_once() -> None:
    wrong = Outcome("rejected", code="20003", reason="permanent_config")

    assert after(Health(), [wrong], NOW).places(NOW, 32) == 0


@given(st.lists(st.sampled_from(BLAMELESS), max_size=30))
def test_what_is_not_its_fault_changes_nothing(outcomes: list[Outcome]) -> None:
    assert after(Health(), outcomes, NOW) == Health()


@given(st.lists(st.sampled_from([OK, REFUSED, *BLAMELESS]), max_size=60), st.integers(0, 600))
def test_a_success_always_brings_it_back(outcomes: list[Outcome], seconds: int) -> None:
    health = after(Health(), outcomes, NOW)

    assert after(health, [OK], NOW + timedelta(seconds=seconds)).places(NOW, 7) == 7
