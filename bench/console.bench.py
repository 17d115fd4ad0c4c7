"""The console in a real browser: fact on Kafka -> pixel with 50 consoles open, frames, weight, cut lines, keystrokes.

`pixel_ms_*`: from the producer's send until the second frame after the row changed, 50 facts a second on 200
checkpoints, while 49 other consoles read the same stream; the ceiling is a bare page in the same run (Kafka straight to
an event stream, nothing kept). `points_2000_*` is the same with 2,000 checkpoints. `fps_200`: frames drawn a second
meanwhile, without a GPU; the ceiling is the same page at rest in an idle window. `board_*`: an empty cache until the
map is there; the ceiling is our smallest page. `resync_s_*`: after each of 20 cuts, until the board shows everything
that was said meanwhile. `raise_keys`: keys to raise an alert without a mouse, without the words. `notice_*`: see
`console_notice`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from _console_board import RATE_PER_S, Node, cuts, pixels, weight
from _figures import Figure, percentile, show
from _stack import running
from browser.test_raise import LOOKS, Typist, raised_code
from console_notice import measured as notice_figures
from demo.cast import Cast
from demo.stage import open_stage
from guitu.embedded.node import Node as Database
from guitu.migrate import migrate_now
from guitu.settings import Settings
from guitu.supervisor.system import System
from harness import ground
from harness.board_watch import frames_per_s, watch
from harness.browser import open_browser, open_window

Part = Callable[[Node], Awaitable[dict[str, Figure]]]


async def at_200(node: Node, facts: int) -> dict[str, Figure]:
    """200 checkpoints."""
    lags, fps, rival = await pixels(node, 200, facts)
    return {
        "pixel_ms_p50": Figure(percentile(lags, 0.5), "ms", None, percentile(rival, 0.5)),
        "pixel_ms_p95": Figure(percentile(lags, 0.95), "ms", 400, percentile(rival, 0.95)),
        "pixel_ms_p99": Figure(percentile(lags, 0.99), "ms", 1000, percentile(rival, 0.99)),
        "fps_200": Figure(fps, "1/s", 30, await idle_fps(node)),
    }


async def at_2000(node: Node, facts: int) -> dict[str, Figure]:
    """2,000 points."""
    lags, fps, rival = await pixels(node, 2_000, facts)
    return {
        "points_2000_ms_p95": Figure(percentile(lags, 0.95), "ms", 500, percentile(rival, 0.95)),
        "points_2000_fps": Figure(fps, "1/s"),
    }


async def idle_fps(node: Node) -> float:
    """What this machine draws of a page where nothing moves."""
    async with open_window(node.browser, node.console) as window:
        await window.log_in(node.settings, "operator")
        await watch(window)
        await window.goto("/keys")
        return await frames_per_s(window.page, 3)


async def raise_keys(node: Node) -> dict[str, Figure]:
    """Count the keys of somebody who raises an alert; the letters of the place count, the child's looks do not."""
    async with open_window(node.browser, node.console) as window:
        await window.log_in(node.settings, "operator")
        await window.goto("/keys")
        typist, place = Typist(window), "yykyzx"
        await typist.presses("n")
        await window.page.wait_for_selector("#f-place:focus")
        await typist.types(place)
        await window.page.locator("#place-list [role=option]").first.wait_for()
        await typist.presses("Tab", "Tab", "Tab", "Space", "Tab", "6", "Tab")
        await typist.types(LOOKS)
        await typist.presses("Control+Enter")
        code = await raised_code(window)
    for each in await node.cast.command_centre.open_cases():
        assert each["case_code"] == code, "Somebody else raises alerts here."
    return {"raise_keys": Figure(typist.keys + len(place), "keys", 25)}


async def measure(system: System, settings: Settings, folder: Path, *, quick: bool) -> dict[str, Figure]:
    """All figures on one running system."""
    figures: dict[str, Figure] = {}
    facts = 4 * RATE_PER_S if quick else 6 * RATE_PER_S
    async with open_stage(system.urls, settings) as stage, open_browser(folder) as browser:
        node = Node(system.urls, settings, browser, Cast(stage))
        parts: dict[str, Part] = {
            "weight": weight,
            "200 checkpoints": lambda node: at_200(node, min(facts, 199)),
            "2,000 points": lambda node: at_2000(node, facts),
            "cut lines": cuts,
            "keys": raise_keys,
        }
        for name, part in parts.items():
            figures |= await part(node)
            print(f"  {name}: done", flush=True)
    return figures


def main() -> None:
    """One system, one browser, one part after another; then the notice page on a database of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer facts and openings")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running() as (system, settings):
        figures = asyncio.run(measure(system, settings, Path(folder), quick=options.quick))
    with Database(ephemeral=True, outside={"GUITU_KAFKA": "127.0.0.1:9"}) as database:
        migrate_now(ground.settings_for(database.env).database_url, ("notifications",))
        figures |= asyncio.run(notice_figures(dict(database.env), quick=options.quick))
    show("console", figures, as_json=options.json)


if __name__ == "__main__":
    main()
