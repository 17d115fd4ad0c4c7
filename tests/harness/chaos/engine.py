"""One run: everything is started, flows, is struck by the schedule, settles, and is audited."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime

from harness.chaos import audit, faults, ledger, rebuilding, script, topics
from harness.chaos.audit import Evidence, Finding
from harness.chaos.checks import Sort
from harness.chaos.county import County
from harness.chaos.desk import open_desk, open_feeder
from harness.chaos.faults import Fault, Striker
from harness.chaos.load import Load
from harness.chaos.pages import Count, Difference, Pages, open_pages
from harness.chaos.promises import Promises
from harness.chaos.rebuilding import Rebuilt
from harness.chaos.size import Size
from harness.chaos.watch import Watch

SETTLED_WITHIN_S = 180.0
SAY_EVERY_S = 15.0


@dataclass
class Run:
    """What became of a run; `findings` is empty if nothing was lost, doubled or wrong."""

    size: Size
    evidence: Evidence | None = None
    recoveries: list[tuple[Fault, float]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    unplanned: dict[str, int] = field(default_factory=dict)
    unsettled: str = ""
    pages: Sequence[Count] = ()
    """What befell each page that stayed open, up to the rebuild."""
    rebuilt: Rebuilt | None = None
    took_s: float = 0.0

    def count(self, sort: str) -> int:
        """How much was lost, doubled or wrong."""
        return sum(found.count for found in self.findings if found.sort == sort)

    @property
    def recovery_s_max(self) -> float:
        """The longest recovery."""
        return max((seconds for _, seconds in self.recoveries), default=0.0)

    @property
    def blows(self) -> Counter[str]:
        """How often what was done to whom; two that were killed together count for both."""
        done: Counter[str] = Counter()
        for fault, _ in self.recoveries:
            is_one = fault.kind in ("cut", "republish")
            done.update([str(fault)] if is_one else [f"{fault.kind} {name}" for name in fault.names])
        return done


async def run(county: County, size: Size, say: Callable[[str], None]) -> Run:
    """Play a run on a county that was just started. Raises: NeverBack, NeverAnswered."""
    begin, result = time.monotonic(), Run(size)
    written = script.write(random.Random(f"{size.seed}/script"), size.reports)
    blows = faults.schedule(random.Random(f"{size.seed}/faults"), size)
    say(f"seed {size.seed}: {size.reports} reports, {len(blows)} faults")
    promises, watch = Promises(), Watch(county.settings.database_url)
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(open_desk(county))
        feeder = await stack.enter_async_context(open_feeder(county.broker))
        pages = await stack.enter_async_context(open_pages(county))
        striker = Striker(county, desk, size.seed)
        await striker.spoil_provider()
        load = Load(written, size.reports_per_s, desk, feeder, promises)
        saying = asyncio.create_task(_say_progress(load, begin, say))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(load.flow())
                group.create_task(pages.look_around(load))
                group.create_task(_strike_all(blows, load, striker, watch, result, say))
            await load.free_all_units()
        finally:
            saying.cancel()
            await watch.close()
        say(
            f"all accepted after {time.monotonic() - begin:.0f} s, {desk.retries} requests repeated; settling"
        )
        result.unplanned = striker.count_unplanned()
        result.unsettled = await audit.settle(county.settings.database_url, SETTLED_WITHIN_S)
        read_at = datetime.now(UTC)
        carried = await topics.event_ids(county.broker)
        books = ledger.read(county.journal)
        result.evidence = Evidence(read_at, promises, frozenset(feeder.events), carried, books)
        result.findings = await audit.examine(county.settings.database_url, result.evidence)
        result.findings += await _look_at_console(county, pages, result)
    result.took_s = time.monotonic() - begin
    _say_result(result, say)
    return result


async def _look_at_console(county: County, pages: Pages, result: Run) -> list[Finding]:
    """Pages that stayed open show what a new one shows; a rebuild gives the same picture, and they hear of it."""
    found = _of_pages("a page that stayed open shows another thing than a new one", await pages.differences())
    result.pages = [page.count() for page in pages.open]
    result.rebuilt = await rebuilding.rebuild(county)
    if changed := result.rebuilt.changed:
        says = "a rebuild of the console gives another picture"
        found.append(Finding("wrong", says, len(changed), tuple(changed[: audit.SHOWN_MAX])))
    return found + _of_pages("a page that stayed open missed a rebuild", await pages.differences())


def _of_pages(says: str, differences: Sequence[Difference]) -> list[Finding]:
    by_sort: dict[Sort, list[str]] = {}
    for sort, row in differences:
        by_sort.setdefault(sort, []).append(row)
    return [Finding(sort, says, len(rows), tuple(rows[: audit.SHOWN_MAX])) for sort, rows in by_sort.items()]


async def _strike_all(
    blows: Sequence[Fault],
    load: Load,
    striker: Striker,
    watch: Watch,
    result: Run,
    say: Callable[[str], None],
) -> None:
    """One after another; the load trickles when it comes to the next one's place too early."""
    for n, fault in enumerate(blows):
        load.slow_from = fault.at
        await load.reached(fault.at)
        await asyncio.sleep(fault.delay_s)
        load.slow_from = blows[n + 1].at if n + 1 < len(blows) else 2.0
        at = load.progress
        blow = await striker.strike(fault)
        if fault.kind == "cut":
            await watch.check_silence(fault, blow)
        up_s, back_s = await asyncio.gather(striker.up_s(blow), watch.back_s(fault, blow))
        await striker.after(fault)
        result.recoveries.append((fault, back_s))
        say(f"  at {at:4.0%}: {fault}: up after {up_s:.1f} s, at work after {back_s:.1f} s")


async def _say_progress(load: Load, begin: float, say: Callable[[str], None]) -> None:
    while True:  # Bounded by the run, which cancels it.
        await asyncio.sleep(SAY_EVERY_S)
        say(f"  {time.monotonic() - begin:4.0f} s: {load.progress:.0%} of the reports accepted")


def _say_result(result: Run, say: Callable[[str], None]) -> None:
    evidence = result.evidence
    assert evidence is not None, "A finished run has its evidence."
    again = sum(times - 1 for times in evidence.carried.values())
    kept = evidence.promises
    say(
        f"{len(kept.reports)} reports, {len(kept.stand_downs)} stand-downs, {len(kept.updates)} updates, "
        f"{len(kept.sightings)} sightings and {len(kept.answers)} answers accepted; "
        f"{len(evidence.carried)} facts on the topics, published again {again} times; {len(evidence.sms)} SMS"
    )
    shown = Counter[str]()
    for count in result.pages:
        shown.update(count._asdict())
    say(f"{len(result.pages)} pages stayed open: {', '.join(f'{n} {what}' for what, n in shown.items())}")
    if result.rebuilt:
        say(f"{result.rebuilt.said.strip()} {result.rebuilt.compared} cases compared")
    say(f"struck: {', '.join(f'{what} x {times}' for what, times in sorted(result.blows.items()))}")
    if result.unplanned:
        say(f"started again without having been struck: {result.unplanned}")
    if result.unsettled:
        say(f"still under way after {SETTLED_WITHIN_S:g} s: {result.unsettled}")
    for found in result.findings:
        say(str(found))
