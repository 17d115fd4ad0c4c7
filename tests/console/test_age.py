"""How old the picture says it is: never newer than what it still has to read."""

from __future__ import annotations

from datetime import timedelta

from aiokafka import TopicPartition

from console.live.age import Age, Standing
from harness.ground import START

ONE, OTHER = TopicPartition("guitu.alerts", 1), TopicPartition("guitu.alerts", 2)


def after(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def test_a_partition_that_stands_still_makes_the_picture_old_though_others_go_on() -> None:
    standing = Standing()

    looks = [standing.look({ONE: (5, 9), OTHER: (n, n + 1)}, START + after(10 * n)) for n in range(4)]
    gone_on = standing.look({ONE: (9, 9), OTHER: (5, 5)}, START + after(50))

    assert [START] * 4 == looks
    assert gone_on is None
    age = Age(START + after(30), 7, START + after(29), {"guitu.alerts": 5}, looks[-1])
    assert START == age.as_of


def test_a_partition_that_reads_is_not_said_to_stand_still() -> None:
    standing = Standing()

    looks = [standing.look({ONE: (n, 9)}, START + after(n)) for n in range(3)]

    assert [START + after(n) for n in range(3)] == looks


def test_a_fact_of_the_future_makes_the_picture_no_newer_than_now() -> None:
    """It comes from a machine whose clock is ahead; what waits is missing all the same."""
    age = Age(START, 7, START + timedelta(hours=5), {"guitu.alerts": 5})

    assert START == age.as_of


def test_when_nothing_waits_the_picture_is_as_of_now_however_old_its_newest_fact() -> None:
    assert START == Age(START, 7, START - timedelta(days=3), {"guitu.alerts": 0}).as_of
