"""What a board's page shows, and when: every row and state with the moment after it was painted, and every frame.

The script is put into the page before its own; it only looks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from playwright.async_api import Page

from harness.board_facts import Step
from harness.browser import Window

LOOK = """
(() => {
  const told = { seen: {}, frames: [], readyAt: null, veiled: [] };
  window.guituTold = told;
  const waiting = new Set();
  const note = (row) => {
    if (row.nodeType !== 1) return;
    for (const one of [row, ...row.querySelectorAll("[data-state]")])
      if (one.id && one.dataset?.state) waiting.add(`${one.id} ${one.dataset.state}`);
  };
  // Two frames later the change is on the screen: the first runs before it is painted.
  const painted = () => {
    const keys = [...waiting];
    waiting.clear();
    requestAnimationFrame(() => requestAnimationFrame(() => {
      const at = Date.now();
      for (const key of keys) told.seen[key] ??= at;
    }));
  };
  new MutationObserver((changes) => {
    for (const change of changes) {
      change.addedNodes.forEach(note);
      if (change.type === "attributes" && change.attributeName === "data-state") note(change.target);
    }
    if (waiting.size) painted();
    if (!told.readyAt && document.documentElement?.dataset.ready) told.readyAt = performance.now();
  }).observe(document, { childList: true, subtree: true, attributes: true,
    attributeFilter: ["data-state", "data-ready"] });
  const frame = (at) => { told.frames.push(at); requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
})();
"""
POLL_S = 0.05


class NeverShown(Exception):
    """The page does not show what it was told; says what is missing."""


async def watch(window: Window) -> None:
    """Look at every page that this window opens from now on."""
    await window.context.add_init_script(LOOK)


async def is_ready(page: Page) -> float:
    """Milliseconds from the navigation until the board's script says that it works."""
    await page.wait_for_function("window.guituTold && window.guituTold.readyAt")
    return float(await page.evaluate("guituTold.readyAt"))


async def seen(page: Page) -> dict[str, float]:
    """Each row and state, with when it was painted (milliseconds since 1970)."""
    found: dict[str, float] = await page.evaluate("guituTold.seen")
    return found


async def shows_all(page: Page, steps: Iterable[Step], within_s: float = 20.0) -> dict[str, float]:
    """Wait until every step was painted. Raises: NeverShown."""
    wanted, end_s = {step.shown_as for step in steps}, asyncio.get_running_loop().time() + within_s
    while True:
        found = await seen(page)
        missing = wanted - found.keys()
        if not missing:
            return found
        if asyncio.get_running_loop().time() > end_s:
            some = ", ".join(sorted(missing)[:5])
            raise NeverShown(f"{len(missing)} of {len(wanted)} not within {within_s:g} s, such as {some}.")
        await asyncio.sleep(POLL_S)


def lags_ms(steps: Sequence[Step], found: Mapping[str, float]) -> list[float]:
    """From the broker to the screen, for each step."""
    return [found[step.shown_as] - step.sent_ms for step in steps]


async def frames_per_s(page: Page, seconds: float) -> float:
    """How many frames a second the page draws over the next seconds."""
    begun: int = await page.evaluate("guituTold.frames.length")
    await asyncio.sleep(seconds)
    times: list[float] = await page.evaluate("from => guituTold.frames.slice(from)", begun)
    return (len(times) - 1) / ((times[-1] - times[0]) / 1000) if len(times) > 1 else 0.0


async def doubled_ids(page: Page) -> list[str]:
    """Ids that stand on the page more than once."""
    found: Any = await page.evaluate(
        "[...document.querySelectorAll('[id]')].map(e => e.id).filter((id, at, all) => all.indexOf(id) !== at)"
    )
    return list(found)


async def rows(page: Page) -> dict[str, str]:
    """What the tables show now: state by row."""
    found: dict[str, str] = await page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('[data-rows] > [data-state]')]"
        ".map(e => [e.id, e.dataset.state]))"
    )
    return found


async def told(page: Page) -> list[str]:
    """The timeline's entries, by id."""
    found: list[str] = await page.evaluate(
        "[...document.querySelectorAll('[data-rows=timeline] > *')].map(e => e.id)"
    )
    return found
