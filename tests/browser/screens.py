"""Every page that people see, who sees it, and how to get there: axe, screenshots and the list of pages share it.

A page of the console that is missing here fails `test_every_page_of_the_console_is_looked_at`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from guitu.auth import Role
from harness.browser import DESK, PHONE, Window
from harness.scene import Scene


async def _filled_in(window: Window) -> None:
    """The five facts of an alert, and what would happen."""
    page = window.page
    await page.fill("#f-place", "")
    await page.type("#f-place", "yykyzx")
    await page.locator("#place-list [role=option]").first.wait_for()
    await page.keyboard.press("Tab")
    await page.check("[name=sex][value=female]")
    await page.fill("#f-age_years", "6")
    await page.fill("#f-appearance", "红色羽绒服,蓝色书包")
    await page.wait_for_selector("#preview .sms")
    await page.evaluate("scrollTo(0, 0)")


@dataclass(frozen=True)
class Screen:
    """One page: its name, its route in the console, who looks at it; ids in the route are those of the scene."""

    name: str
    route: str
    role: Role | None = "operator"
    query: str = ""
    size: tuple[int, int] = DESK
    waits_for: str = "main"
    """What must be there before a picture is taken; a map comes after its page."""
    status: int = 200
    link: str = ""
    """Where a page of another service is, by its name in the scene."""
    fills_in: Callable[[Window], Awaitable[None]] | None = None
    """What its reader types before the page shows what it is for."""

    def __str__(self) -> str:
        return self.name

    def at(self, scene: Scene) -> str:
        """Its address in this scene."""
        return scene.links[self.link] if self.link else (self.route + self.query).format_map(scene.ids)

    async def is_ready(self, window: Window) -> None:
        """Wait until the page shows what it is about."""
        await window.page.wait_for_selector(self.waits_for)
        if self.fills_in:
            await self.fills_in(window)
        await window.page.evaluate("document.fonts.ready.then(() => null)")


SCREENS: tuple[Screen, ...] = (
    Screen("login", "/login", None),
    Screen("login-link", "/login/link/{token}", None),
    Screen("keys", "/keys"),
    Screen("refused", "/cases/{case_id}", "laboratory", status=403),
    Screen("raise", "/alerts/new", fills_in=_filled_in),
    Screen("raised", "/alerts/raised/{case_id}"),
    Screen("cases", "/cases"),
    Screen("board", "/cases/{case_id}", waits_for="[data-ready=board] .leaflet-container"),
    Screen("board-order", "/cases/{case_id}", query="?order={order_id}"),
    Screen("board-wall", "/cases/{case_id}", query="?wall=1", waits_for=".leaflet-container"),
    Screen("board-contacts", "/cases/{case_id}/deliveries/{delivery_id}/contacts"),
    Screen("board-command", "/cases/{case_id}/command"),
    Screen("board-reach", "/cases/{case_id}/reach"),
    Screen("board-drill", "/cases/{drill_id}", waits_for="[data-ready=board] .leaflet-container"),
    Screen("case-file", "/cases/{case_id}/file", "case_leader"),
    Screen("sightings", "/sightings"),
    Screen("sites", "/sites"),
    Screen("site", "/sites/{site_id}"),
    Screen("sites-import", "/sites/import", "admin"),
    Screen("units", "/units"),
    Screen("unit", "/units/{unit_id}"),
    Screen("units-import", "/units/import", "admin"),
    Screen("roads", "/units/roads"),
    Screen("dna", "/dna", "laboratory"),
    Screen("dna-case", "/dna/cases/{case_id}", "laboratory"),
    Screen("dna-register", "/dna/specimens/new", "laboratory"),
    Screen("dna-specimen", "/dna/specimens/{specimen_id}", "laboratory"),
    Screen("dna-reading", "/dna/specimens/{specimen_id}/reading", "laboratory"),
    Screen("dna-shipments", "/dna/shipments", "laboratory"),
    Screen("dna-profiles", "/dna/profiles", "laboratory"),
    Screen("dna-reveal", "/dna/reveal", "case_leader"),
    Screen("dna-candidates", "/dna/candidates", "laboratory"),
    Screen("dna-candidate", "/dna/candidates/{candidate_id}", "laboratory"),
    Screen("dna-searches", "/dna/searches", "laboratory"),
    Screen("dna-search", "/dna/searches/{search_id}", "laboratory"),
    Screen("gate", "/gate", "registry"),
    Screen("gate-request", "/gate/{request_id}", "registry"),
    Screen("alarms", "/alarms"),
    Screen("figures", "/figures"),
    Screen("figures-cases", "/figures/cases"),
    Screen("drill", "/drill"),
    Screen("drill-run", "/drill/{run_id}"),
    Screen("texts", "/texts", "admin"),
    Screen("text", "/texts/{kind}/{language}/{stage}", "admin"),
    Screen("inbox", "/inbox"),
    Screen("inbox-phone", "/inbox/{sid}"),
    Screen("audit", "/audit", "auditor"),
    Screen("audit-chains", "/audit/chains", "auditor"),
    Screen("order", "", None, size=PHONE, link="order"),
    Screen("notice", "", None, size=PHONE, link="notice"),
)
NO_PAGES: dict[str, str] = {
    "/": "leads to the first page of a role",
    "/static/{mark}/{name:path}": "assets",
    "/oidc/start": "leads to the issuer",
    "/oidc/return": "leads back from the issuer",
    "/audit.csv": "a file",
    "/figures.csv": "a file",
    "/banner": "a part of every page",
    "/age": "for the bar of every page",
    "/cases/live": "a stream",
    "/cases/{case_id}/live": "a stream",
    "/cases/{case_id}/rings": "a part of the board",
    "/map/{region_code}.json": "for the map",
    "/cases/{case_id}/units.json": "for the map",
    "/cases/{case_id}/reach.json": "for the map",
    "/cases/{case_id}/poster.pdf": "a file",
    "/cases/{case_id}/share.jpg": "a picture",
    "/places": "for the field of a place",
    "/places/index": "for the field of a place",
    "/alerts/worker.js": "a script",
    "/drill/{run_id}/steps": "a part of a run",
    "/dna/find": "leads to a specimen",
    "/dna/shipments/{shipment_id}": "a box; the scene sends none",
    "/sites/export/{table}": "a file",
    "/units/export": "a file",
    "/sightings/newest": "for the page of sightings",
}
"""GET routes that people do not look at, and what they are."""
