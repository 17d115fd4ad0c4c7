"""Containment on networks small enough to see through, and on random ones against trying everything."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispatch.planning.checker import examine
from dispatch.planning.checker_model import CheckInstance
from dispatch.planning.closing import earliest_closing
from dispatch.planning.containment import contain
from dispatch.planning.model import Containment, Escape
from harness.escapes import (
    claimed,
    draw_case,
    draw_contest,
    draw_layers,
    fewest_that_close,
    movement_of,
    told_by_times,
)

NEVER = np.inf
SOME = settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def line(*, source=0, exits=(3,), posts=(1, 2), ready_s=((5.0, 5.0),), left_s=0.0, margin_s=0.0) -> Escape:
    """0 - 1 - 2 - 3, ten seconds a stretch."""
    arcs = tuple((i, j, 10.0) for i, j in ((0, 1), (1, 2), (2, 3), (1, 0), (2, 1), (3, 2)))
    ready = np.array(ready_s, dtype=np.float64).reshape(len(ready_s), len(posts))
    return Escape(4, (movement_of(arcs, ((source, left_s),)),), tuple(exits), tuple(posts), ready, margin_s)


def kind_and_guards(found: Containment) -> tuple[str, list[tuple[int, int]]]:
    return found.kind, [(guard.unit, guard.node) for guard in found.guards]


class TestOnALine:
    def test_a_unit_that_is_there_first_closes_the_only_way(self):
        found = contain(line())

        assert ("guaranteed", [(0, 1)]) == kind_and_guards(found)
        assert (1, 5.0, 10.0) == (found.flow_value, found.closed_at_s, found.guards[0].arrival_s)

    def test_a_unit_that_comes_with_them_is_still_in_time(self):
        assert "guaranteed" == contain(line(ready_s=((10.0, NEVER),))).kind

    def test_a_unit_that_comes_after_them_everywhere_leaves_a_way_that_nobody_can_block(self):
        found = contain(line(ready_s=((10.1, 20.1),)))

        assert "impossible" == found.kind
        assert (((0, 1, 2, 3), 1.0),) == found.certificate.paths
        assert (0.0,) == found.certificate.stops

    def test_the_margin_counts(self):
        assert "guaranteed" == contain(line(ready_s=((8.0, 30.0),), margin_s=2.0)).kind
        assert "impossible" == contain(line(ready_s=((8.0, 30.0),), margin_s=3.0)).kind

    def test_without_exits_there_is_nothing_to_close(self):
        assert Containment("guaranteed") == contain(line(exits=()))

    def test_exits_that_nobody_can_reach_count_as_closed(self):
        one_way = movement_of(((1, 0, 1.0), (1, 2, 1.0)), ((0, 0.0),))

        assert Containment("guaranteed") == contain(Escape(4, (one_way,), (2, 3), (1,), np.array([[0.0]])))

    def test_a_source_that_is_an_exit_is_open_unless_somebody_was_there_before(self):
        held = contain(line(source=3, posts=(3,), ready_s=((-1.0,),)))

        assert "impossible" == contain(line(source=3)).kind
        assert ("guaranteed", [(0, 3)]) == kind_and_guards(held)

    def test_a_source_at_a_post_is_held_by_a_unit_that_was_there_before_they_left(self):
        held = contain(line(posts=(0,), ready_s=((5.0,),), left_s=6.0))

        assert ("guaranteed", [(0, 0)]) == kind_and_guards(held)
        assert "impossible" == contain(line(posts=(0,), ready_s=((5.0,),), left_s=4.0)).kind

    def test_units_without_a_post_and_no_units_at_all_stop_nobody(self):
        assert "impossible" == contain(line(ready_s=((NEVER, NEVER),))).kind
        assert "impossible" == contain(line(ready_s=())).kind
        assert "impossible" == contain(line(posts=(), ready_s=((),))).kind

    def test_two_places_at_one_node_are_one_post_with_the_earlier_time(self):
        assert 4.0 == contain(line(posts=(1, 1), ready_s=((9.0, 4.0),))).closed_at_s

    def test_without_movements_nobody_gets_out(self):
        assert Containment("guaranteed") == contain(Escape(4, (), (3,), (1,), np.array([[5.0]])))

    def test_a_network_in_pieces_is_closed_where_the_sources_are(self):
        """0 - 1 and 2 - 3: only what is on the source's side needs a unit."""
        pieces = movement_of(((0, 1, 10.0), (1, 0, 10.0), (2, 3, 10.0), (3, 2, 10.0)), ((0, 0.0),))

        found = contain(Escape(4, (pieces,), (1, 3), (1, 3), np.array([[1.0, 1.0]])))

        assert ("guaranteed", [(0, 1)]) == kind_and_guards(found)

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"exits": (4,)}, "exit 4"),
            ({"posts": (1, 9)}, "post 9"),
            ({"ready_s": ((np.nan, 1.0),)}, "numbers"),
            ({"source": 7}, "source 7"),
            ({"left_s": np.inf}, "numbers"),
        ],
    )
    def test_an_escape_that_makes_no_sense_is_refused(self, wrong, said):
        with pytest.raises(ValueError, match=said):
            contain(line(**wrong))


def rivals() -> Escape:
    """Ways s-a-c, s-a-d, s-b-c, s-b-d; one unit can hold a or b, the other c or d. Halves would do, units don't."""
    a, b, c, d, s, out = range(6)
    arcs = tuple((i, j, 1.0) for i, j in ((s, a), (s, b), (a, c), (a, d), (b, c), (b, d), (c, out), (d, out)))
    ready = np.array([[0.0, 0.0, NEVER, NEVER], [NEVER, NEVER, 0.0, 0.0]])
    return Escape(6, (movement_of(arcs, ((s, 0.0),)),), (out,), (a, b, c, d), ready)


def test_a_question_that_fractions_of_units_would_solve_is_split_in_two():
    found = contain(rivals())

    assert "impossible" == found.kind
    assert found.certificate.branch_on is not None
    assert 2 == len(found.certificate.branches)
    findings = examine(told_by_times(rivals()), claimed(found))
    assert ([], ["Some way out stays open, wherever the units stand."]) == (findings.wrong, findings.verified)


def test_without_time_to_decide_the_verdict_is_left_open():
    assert "probabilistic" == contain(rivals(), deadline_s=0.0).kind


def test_a_guard_on_the_short_way_gains_time_for_the_guard_on_the_long_one():
    """0-1-2-3 takes three minutes, 0-2 alone ten. The unit for 2 comes after five: too late, unless 1 is held."""
    arcs = ((0, 1, 60.0), (1, 2, 60.0), (0, 2, 600.0), (2, 3, 60.0))
    ready = np.array([[30.0, NEVER], [NEVER, 300.0]])

    found = contain(Escape(4, (movement_of(arcs, ((0, 0.0),)),), (3,), (1, 2), ready))

    assert ("guaranteed", [(0, 1), (1, 2)]) == kind_and_guards(found)
    assert [60.0, 600.0] == [guard.arrival_s for guard in found.guards]


def test_a_cut_whose_nodes_want_the_same_unit_gives_way_to_another():
    """The nodes nearest the source, 1 and 2, are in reach of unit 0 only; each unit has one of 3 and 4."""
    arcs = tuple((i, j, 10.0) for i, j in ((0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 5)))
    ready = np.array([[1.0, 1.0, 5.0, NEVER], [NEVER, NEVER, NEVER, 5.0]])

    found = contain(Escape(6, (movement_of(arcs, ((0, 0.0),)),), (5,), (1, 2, 3, 4), ready), fewest=True)

    assert "guaranteed" == found.kind
    assert 2 == len(found.guards) == found.flow_value


def test_people_of_two_movements_need_a_guard_each_where_they_share_no_node():
    by_road = movement_of(((0, 1, 10.0), (1, 4, 10.0)), ((0, 0.0),))
    by_boat = movement_of(((0, 2, 10.0), (2, 4, 10.0)), ((0, 0.0),))
    both = np.array([[1.0, 1.0], [1.0, 1.0]])

    assert 2 == len(contain(Escape(5, (by_road, by_boat), (4,), (1, 2), both)).guards)
    assert "impossible" == contain(Escape(5, (by_road, by_boat), (4,), (1, 2), both[:1])).kind


def test_movements_are_not_mixed_although_their_roads_meet():
    """By road to 1 and on by boat only: nobody who keeps to one movement gets out, so nothing needs a guard."""
    by_road = movement_of(((0, 1, 10.0),), ((0, 0.0),))
    by_boat = movement_of(((1, 2, 10.0),), ((3, 0.0),))

    assert Containment("guaranteed") == contain(Escape(4, (by_road, by_boat), (2,), (), np.zeros((0, 0))))


class TestEarliestClosing:
    def test_the_last_unit_works_as_early_as_any_closure_allows_and_the_proof_stands_beside(self):
        found = earliest_closing(line(ready_s=((9.0, 4.0), (8.0, 6.0))))

        assert ("guaranteed", [(0, 2)]) == kind_and_guards(found)
        assert 4.0 == found.closed_at_s
        assert found.sooner is not None

    def test_what_cannot_be_closed_has_no_moment(self):
        found = earliest_closing(line(ready_s=((99.0, 99.0),)))

        assert ("impossible", None) == (found.kind, found.closed_at_s)

    def test_what_is_closed_anyway_has_no_moment_either(self):
        assert Containment("guaranteed") == earliest_closing(line(exits=()))


def verdicts_hold(escape: Escape, instance: CheckInstance) -> None:
    """The verdict is that of trying everything, the checker agrees, and no fewer units would do."""
    least = fewest_that_close(escape)
    found, fewest, soonest = contain(escape), contain(escape, fewest=True), earliest_closing(escape)

    for answer in (found, fewest, soonest):
        assert ("impossible" if least is None else "guaranteed") == answer.kind
        assert [] == examine(instance, claimed(answer)).wrong
    if least is not None:
        assert least == len(fewest.guards)
        assert (soonest.sooner is not None) == bool(soonest.guards)


@given(st.integers(0, 2**32))
@SOME
def test_verdicts_are_those_of_trying_everything(seed):
    case = draw_case(np.random.default_rng(seed), nodes_max=8)

    verdicts_hold(case.escape(), case.instance())


@given(st.integers(0, 2**32))
@SOME
def test_verdicts_of_near_things_are_those_of_trying_everything(seed):
    case = draw_contest(np.random.default_rng(seed), nodes=8)

    verdicts_hold(case.escape(), case.instance())


@given(st.integers(0, 2**32))
@settings(SOME, max_examples=30)
def test_verdicts_where_units_get_in_each_others_way_are_those_of_trying_everything(seed):
    escape = draw_layers(np.random.default_rng(seed), units=3)

    verdicts_hold(escape, told_by_times(escape))


@given(st.integers(0, 2**32))
@SOME
def test_the_same_escape_gets_the_same_answer(seed):
    escape = draw_contest(np.random.default_rng(seed)).escape()
    first, second = contain(escape), contain(escape)

    assert (first.kind, first.guards, first.ways) == (second.kind, second.guards, second.ways)
    assert first.certificate == second.certificate
