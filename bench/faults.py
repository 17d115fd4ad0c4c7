"""What is lost, doubled or wrong when everything dies: kill -9 of every process, restarts, stops and a partition.

The long run of the engine that `tests/faults/test_whole_system.py` runs short (`tests/harness/chaos`): reports flow
through all services while a schedule drawn from the seed (GUITU_FAULT_SEED) strikes; afterwards an auditor that
shares no code with the services holds their tables, the topics and the SMS provider's journal to what was accepted,
the console's picture to the owners' tables, and its pages that stayed open to new ones.
`recovery_s_max` is the longest time from a blow to a process (or from the end of a stop or partition) to the next
effect committed there. Two processes killed at one moment are given apart: the first has to wait for the second.

There is no ceiling to stand beside it: 0, 0 and 15 s are goals, not measurements of a rival.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path

from _figures import Figure, show

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from harness.chaos.county import open_county
from harness.chaos.engine import Run, run
from harness.chaos.faults import Fault
from harness.chaos.size import Size

SEED = int(os.environ.get("GUITU_FAULT_SEED", "20260301"))
LONG = Size(
    seed=SEED,
    reports=10_000,
    kills_each=3,
    pairs=4,
    restarts_each=2,
    # Longer than Kafka's session of 10 s: the stopped service is put out of its group and must come back.
    pauses_s=(15.0, 15.0, 15.0, 15.0, 15.0),
    cuts_s=(25.0,),
)
QUICK = Size(
    seed=SEED,
    reports=1_500,
    kills_each=1,
    pairs=1,
    restarts_each=1,
    pauses_s=(15.0, 15.0, 15.0),
    cuts_s=(25.0,),
)


async def measure(size: Size) -> Run:
    """One run on a system of its own."""
    async with open_county() as county:
        return await run(county, size, lambda line: print(line, flush=True))


def is_pair(fault: Fault) -> bool:
    """Two processes killed at one moment."""
    return fault.kind == "kill" and len(fault.names) == 2


def figures_of(result: Run) -> dict[str, Figure]:
    """The goals, and how much was struck."""
    blows = [(fault, seconds) for fault, seconds in result.recoveries if fault.kind != "republish"]
    pairs = [seconds for fault, seconds in blows if is_pair(fault)]
    single = [seconds for fault, seconds in blows if not is_pair(fault)]
    kills = sum(times for what, times in result.blows.items() if what.startswith("kill "))
    return {
        "lost": Figure(result.count("lost"), "", 0),
        "doubled": Figure(result.count("doubled"), "", 0),
        "wrong": Figure(result.count("wrong"), "", 0),
        "recovery_s_max": Figure(max(single), "s", 15),
        "recovery_pair_s_max": Figure(max(pairs), "s"),
        "kills": Figure(kills, ""),
        "took_s": Figure(result.took_s, "s"),
    }


def main() -> None:
    """Exit code 1 if anything was lost, doubled, wrong, or still under way at the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1,500 reports instead of 10,000, fewer blows")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args()
    # The clients of the bench itself complain of a dead broker many times a second.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    result = asyncio.run(measure(QUICK if options.quick else LONG))
    show("faults", figures_of(result), as_json=options.json)
    if result.findings or result.unsettled:
        sys.exit(1)


if __name__ == "__main__":
    main()
