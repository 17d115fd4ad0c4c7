"""The life of an order, move by move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.base import OrderId, UnitId
from dispatch.domain.orders import IllegalOrderMove, Order, OrderState, is_due, issue, move
from dispatch.domain.problem import PlaceId
from dispatch.domain.shifts import Shift

START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
DUE = START + timedelta(minutes=3)
S = OrderState


def order(*states: OrderState) -> Order:
    current = issue(OrderId(UUID(int=1)), UnitId(UUID(int=2)), PlaceId(UUID(int=3)), DUE, START)
    for minute, state in enumerate(states, start=1):
        current = move(current, state, START + timedelta(minutes=minute))
    return current


@pytest.mark.parametrize(
    "path",
    [
        (S.accepted, S.in_position, S.nothing_seen, S.stood_down, S.stand_down_acknowledged),
        (S.accepted, S.in_position, S.intercepted, S.stood_down, S.stand_down_acknowledged),
        (S.accepted, S.in_position, S.nothing_seen, S.intercepted),
        (S.overdue, S.reassigned, S.stood_down),
        (S.overdue, S.accepted, S.in_position),
        (S.stood_down, S.stand_down_acknowledged),
    ],
)
def test_an_order_goes_its_ways_and_remembers_when(path: tuple[OrderState, ...]):
    done = order(*path)

    assert path[-1] == done.state
    assert START + timedelta(minutes=len(path)) == done.entered_at(path[-1])


@pytest.mark.parametrize(
    ("path", "target", "mend"),
    [
        ((), S.in_position, "Accept the order first"),
        ((), S.intercepted, "Accept the order first"),
        ((S.accepted,), S.nothing_seen, "Report in position first"),
        ((S.accepted,), S.overdue, "Report in position first"),
        ((S.overdue, S.reassigned), S.accepted, "Another unit has it now"),
        ((S.stood_down,), S.accepted, "acknowledge the stand-down"),
        ((), S.stand_down_acknowledged, "Accept the order first"),
        ((S.stood_down, S.stand_down_acknowledged), S.accepted, "nothing is left to do"),
        ((S.accepted, S.in_position, S.intercepted), S.nothing_seen, "Reload"),
    ],
)
def test_an_illegal_move_is_refused_with_what_can_be_done(
    path: tuple[OrderState, ...], target: OrderState, mend: str
):
    with pytest.raises(IllegalOrderMove, match=mend) as refused:
        move(order(*path), target, DUE)

    assert (refused.value.state, refused.value.target) == (order(*path).state, target)


def test_a_move_made_twice_changes_nothing():
    once = order(S.accepted)

    assert once is move(once, S.accepted, DUE)
    assert once is move(once, S.issued, DUE)


def test_a_late_repeat_of_an_early_move_changes_nothing():
    standing = order(S.accepted, S.in_position)

    assert standing is move(standing, S.accepted, DUE)


@given(st.lists(st.sampled_from(list(OrderState)), max_size=12))
def test_whatever_is_tried_an_order_never_leaves_its_end_and_never_repeats_a_state(tries: list[OrderState]):
    current = order()
    for target in tries:
        before = current
        try:
            current = move(current, target, DUE)
        except IllegalOrderMove:
            current = before
        states = [state for state, _ in current.history]
        assert len(set(states)) == len(states)
        if before.state == S.stand_down_acknowledged:
            assert before is current


def test_an_order_is_due_when_its_time_is_up_and_nobody_answered():
    assert not is_due(order(), DUE - timedelta(seconds=1))
    assert is_due(order(), DUE)
    assert not is_due(order(S.accepted), DUE)


@pytest.mark.parametrize(
    ("shift", "minute", "expected"),
    [
        (Shift(), 0, True),
        (Shift(), 1439, True),
        (Shift(360, 1200), 359, False),
        (Shift(360, 1200), 360, True),
        (Shift(360, 1200), 1200, False),
        (Shift(1200, 360), 1380, True),
        (Shift(1200, 360), 60, True),
        (Shift(1200, 360), 720, False),
        (Shift(480, 480), 100, True),
    ],
)
def test_a_shift_covers_its_minutes_over_midnight_too(shift: Shift, minute: int, expected: bool):
    assert expected == shift.covers(minute)
