"""`PYTHONPATH=tests .venv/bin/python -m browser.make_screens [NAME...]`: the pictures in `docs/screens`, anew.

Starts the whole system on data that goes away, plays the first minutes of a case, and opens each page in each
language as its reader does. The pictures are small enough to live in the repository.
"""

from __future__ import annotations

import asyncio
import io
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser

from browser.screens import SCREENS, Screen
from demo.cast import Cast
from demo.stage import open_stage
from harness.browser import LANGUAGES, Language, Look, open_browser, open_window
from harness.ground import repo_root
from harness.scene import Scene, busy_county
from harness.whole_system import Stack, seeded_stack

FOLDER = repo_root() / "docs" / "screens"
QUALITY = 62
"""Of WebP: letters stay sharp, and a page takes some 50 KB."""


def file_of(screen: Screen, language: Language) -> Path:
    """Where the picture of a page in a language lies."""
    return FOLDER / f"{screen.name}.{'zh' if language == 'zh-CN' else 'en'}.webp"


async def picture(browser: Browser, stack: Stack, scene: Scene, screen: Screen, language: Language) -> bytes:
    """The page as its reader sees it first, without scrolling."""
    look = Look(language, "light", screen.size)
    async with open_window(browser, stack.urls["console"], look) as window:
        if screen.role is not None:
            await window.log_in(stack.settings, screen.role)
        await window.goto(screen.at(scene))
        await screen.is_ready(window)
        shot = Image.open(io.BytesIO(await window.page.screenshot()))
    small = io.BytesIO()
    shot.convert("RGB").save(small, "WEBP", quality=QUALITY, method=6)
    return small.getvalue()


async def make(stack: Stack, folder: Path, wanted: Sequence[Screen]) -> None:
    """Every wanted page in both languages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    async with open_stage(stack.urls, stack.settings) as stage, open_browser(folder) as browser:
        scene = await busy_county(Cast(stage))
        for screen in wanted:
            for language in LANGUAGES:
                found = await picture(browser, stack, scene, screen, language)
                file_of(screen, language).write_bytes(found)
                print(f"  {file_of(screen, language).name:<32} {len(found) / 1000:6.1f} KB", flush=True)


def main(names: Sequence[str]) -> int:
    """Make all pictures, or those named."""
    wanted = [screen for screen in SCREENS if not names or screen.name in names]
    if unknown := set(names) - {screen.name for screen in SCREENS}:
        print(f"No such page: {', '.join(sorted(unknown))}.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as place, seeded_stack(Path(place), 30_600) as stack:
        asyncio.run(make(stack, Path(place), wanted))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
