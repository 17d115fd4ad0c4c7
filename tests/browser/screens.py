"""Every page that people see, who sees it, and how to get there: axe, screenshots and the list of pages share it.

A page of the console that is missing here fails `test_every_page_of_the_console_is_looked_at`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from guitu.auth import Role
from harness.browser import DESK, PHONE, Window
from harness.scene import Scene

At = Callable[[Scene], str]


@dataclass(frozen=True)
class Screen:
    """One page: its name, its route in the console (empty for a page of another service), who looks, its address."""

    name: str
    route: str
    role: Role | None
    at: At
    size: tuple[int, int] = DESK
    waits_for: str = "main"
    """What must be there before a picture is taken; a map comes after its page."""

    async def is_ready(self, window: Window) -> None:
        """Wait until the page shows what it is about."""
        await window.page.wait_for_selector(self.waits_for)
        await window.page.evaluate("document.fonts.ready.then(() => null)")

    def __str__(self) -> str:
        return self.name


def _fixed(path: str) -> At:
    return lambda scene: path


def _plain(name: str, path: str, role: Role | None) -> Screen:
    return Screen(name, path, role, _fixed(path))


SCREENS: tuple[Screen, ...] = (
    _plain("login", "/login", None),
    _plain("keys", "/keys", "operator"),
    _plain("audit", "/audit", "auditor"),
    _plain("audit-chains", "/audit/chains", "auditor"),
    Screen("order", "", None, lambda scene: scene.order_page, PHONE),
    Screen("notice", "", None, lambda scene: scene.notice_page, PHONE),
)
NO_PAGES: dict[str, str] = {
    "/": "leads to the first page of a role",
    "/audit.csv": "a file",
    "/banner": "a part of every page",
    "/static/{mark}/{name:path}": "assets",
}
"""GET routes that people do not look at, and what they are."""
