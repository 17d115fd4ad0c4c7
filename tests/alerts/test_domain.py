"""The rules of alerts as tables and properties, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.domain import case as cases
from alerts.domain.area import box_around, distance_km
from alerts.domain.case import Case, CaseClosed, OutcomeRefused
from alerts.domain.duplicates import likeness, missing_of, possible_duplicates
from alerts.domain.progress import NOTICE_STATES, ORDER_STATES, notice_rank, order_rank
from alerts.domain.rings import DEFAULT_SCHEDULE, first_step, near_radius_km, ring_at
from contracts.base import Child, Place, Position, Sex, Tier
from harness.alert_stories import outside_report

NOW = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
SEAT = Position(lon=108.69, lat=30.93)
HOURS = st.floats(min_value=0, max_value=24 * 365 * 40)


def a_case(**report: object) -> Case:
    return cases.open_case(outside_report(NOW, **report), "CY-0001", NOW)


@pytest.mark.parametrize(
    ("hours", "radius_km"), [(0, 100), (0.99, 100), (1, 200), (2.5, 300), (3, 500), (90, 500)]
)
def test_a_late_report_starts_with_the_ring_that_is_due_by_then(hours: float, radius_km: float) -> None:
    step = first_step(DEFAULT_SCHEDULE, NOW - timedelta(hours=hours), NOW)

    assert step.radius_km == radius_km


@pytest.mark.parametrize(
    ("minutes", "radius_km", "near_km"), [(0, 100, 60), (10, 100, 80), (20, 100, 100), (60, 200, 180)]
)
def test_the_near_ring_is_what_can_be_reached_within_half_an_hour_from_now(
    minutes: int, radius_km: float, near_km: float
) -> None:
    assert near_radius_km(NOW - timedelta(minutes=minutes), NOW, radius_km) == near_km


@given(HOURS, HOURS)
def test_rings_never_shrink_and_the_near_one_stays_inside(first_h: float, later_h: float) -> None:
    seen = NOW - timedelta(days=365 * 41)
    moments = sorted([seen + timedelta(hours=first_h), seen + timedelta(hours=later_h)])

    steps = [first_step(DEFAULT_SCHEDULE, seen, moment) for moment in moments]
    rings = [
        ring_at(step.step, step.radius_km, SEAT, seen, at) for step, at in zip(steps, moments, strict=True)
    ]

    assert rings[0].radius_km <= rings[1].radius_km
    assert all(ring.near_radius_km and ring.near_radius_km <= ring.radius_km for ring in rings)


@pytest.mark.parametrize(
    ("circumstance", "tier"),
    [
        ("unknown", Tier.interception),
        ("abduction", Tier.interception),
        ("lost", Tier.search),
        ("runaway", Tier.search),
    ],
)
def test_an_unknown_circumstance_counts_as_the_worst(circumstance: str, tier: Tier) -> None:
    assert a_case(circumstance=circumstance).tier == tier


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("tier"), st.sampled_from(list(Tier))),
        st.tuples(st.just("appearance"), st.sampled_from(["blue cap", "red cap"])),
        st.tuples(st.just("widen"), st.sampled_from([1, 2, 3])),
        st.tuples(st.just("end"), st.sampled_from(["found", "false_alarm", "exercise_over"])),
    ),
    max_size=12,
)


def moved(case: Case, kind: str, value: object) -> Case:
    if kind == "tier":
        return cases.with_tier(case, Tier(value))
    if kind == "appearance":
        return cases.with_fields(case, {"appearance": value}, NOW)[0]
    if kind == "widen":
        return cases.widened(case, int(str(value)), 100.0 * int(str(value)), NOW)
    return cases.stood_down(case, value, "", NOW)  # type: ignore[arg-type]


@settings(max_examples=200)
@given(MOVES)
def test_every_change_is_one_version_on_and_nothing_follows_the_end(moves: list[tuple[str, object]]) -> None:
    case = a_case()
    for kind, value in moves:
        before = case
        try:
            case = moved(case, kind, value)
        except (CaseClosed, OutcomeRefused):
            case = before

        assert case.version - before.version == (case != before)
        if before.state == "stood_down":
            assert case == before


def test_a_field_that_does_not_differ_makes_no_version() -> None:
    case = a_case()

    after, changed = cases.with_fields(case, {"appearance": "blue cap", "age_years": 6}, NOW)

    assert (after, changed) == (case, ())


def test_a_new_place_moves_the_rings_centre_and_keeps_the_step_it_has_reached() -> None:
    case = cases.widened(a_case(), 2, 300, NOW)
    place = Place(position=Position(lon=108.9, lat=31.0))

    after, changed = cases.with_fields(case, {"last_seen_place": place}, NOW)

    assert changed == ("last_seen_place",)
    assert (after.ring.center, after.ring.step, after.ring.radius_km) == (place.position, 2, 300)


def test_one_report_is_one_case_whoever_delivers_it() -> None:
    report = outside_report(NOW)

    assert cases.open_case(report, "CY-0001", NOW).id == cases.case_id_of(report.report_id)


def child(sex: Sex = Sex.male, age: int = 6, height_cm: int | None = None) -> Child:
    return Child(sex=sex, age_years=age, height_cm=height_cm, appearance="x")


@pytest.mark.parametrize(
    ("child_b", "km_north", "minutes", "is_likely"),
    [
        (child(), 0, 0, True),
        (child(), 1, 60, True),
        (child(Sex.unknown, 7), 1, 30, True),
        (child(height_cm=115), 0, 5, True),
        (child(Sex.female), 0, 0, False),
        (child(age=12), 0, 0, False),
        (child(age=8), 15, 20 * 60, False),
    ],
)
def test_what_counts_as_a_possible_duplicate(
    child_b: Child, km_north: float, minutes: int, is_likely: bool
) -> None:
    a = missing_of(a_case(child=child()))
    place = Place(position=Position(lon=SEAT.lon, lat=SEAT.lat + km_north / 111.2))
    b = missing_of(
        a_case(child=child_b, last_seen_place=place, last_seen_at=NOW - timedelta(minutes=minutes))
    )

    assert [each.case.id for each in possible_duplicates(a, [a, b])] == ([b.id] if is_likely else [])


@given(
    st.integers(0, 17),
    st.integers(0, 17),
    st.floats(-0.3, 0.3),
    st.integers(0, 3000),
    st.one_of(st.none(), st.integers(30, 220)),
)
def test_likeness_is_symmetric_and_between_nothing_and_all(
    age_a: int, age_b: int, north: float, minutes: int, height_cm: int | None
) -> None:
    a = missing_of(a_case(child=child(age=age_a)))
    place = Place(position=Position(lon=SEAT.lon, lat=SEAT.lat + north))
    b = missing_of(
        a_case(
            child=child(age=age_b, height_cm=height_cm),
            last_seen_place=place,
            last_seen_at=NOW - timedelta(minutes=minutes),
        )
    )

    assert likeness(a, b).score == likeness(b, a).score
    assert 0 <= likeness(a, b).score <= 1


def test_an_exercise_is_no_duplicate_of_a_real_case() -> None:
    assert likeness(missing_of(a_case()), missing_of(a_case(exercise=True))).score == 0


def test_the_box_keeps_its_margin_on_every_side() -> None:
    box = box_around([(108.0, 30.5), (109.5, 31.5)], 60)

    assert box.holds(Position(lon=108.75, lat=31.5 + 59 / 111.2))
    assert not box.holds(Position(lon=108.75, lat=31.5 + 61 / 111.2))
    for edge in (Position(lon=box.west, lat=31), Position(lon=box.east, lat=31)):
        inside = Position(lon=108.0 if edge.lon < 109 else 109.5, lat=31)
        assert distance_km(edge, inside) >= 60


def test_later_steps_replace_earlier_ones_and_a_failure_yields_to_a_delivery() -> None:
    assert [order_rank(state) for state in ORDER_STATES] == list(range(len(ORDER_STATES)))
    assert notice_rank("queued") < notice_rank("accepted") < notice_rank("failed") < notice_rank("delivered")
    assert notice_rank("acknowledged") == len(NOTICE_STATES) - 1
