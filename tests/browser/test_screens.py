"""The pictures in docs/screens: one of every page in both languages, and small enough for a repository."""

from __future__ import annotations

import pytest

from browser.make_screens import FOLDER, file_of
from browser.screens import SCREENS, Screen
from harness.browser import LANGUAGES

TOGETHER_MAX = 6_000_000


@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_a_page_has_its_picture_in_both_languages(screen: Screen) -> None:
    """Mend: PYTHONPATH=tests .venv/bin/python -m browser.make_screens NAME."""
    assert all(file_of(screen, language).exists() for language in LANGUAGES)


def test_no_picture_is_left_of_a_page_that_is_gone_and_all_are_small() -> None:
    wanted = {file_of(screen, language) for screen in SCREENS for language in LANGUAGES}

    found = set(FOLDER.glob("*.webp"))

    assert set() == found - wanted
    assert sum(path.stat().st_size for path in found) <= TOGETHER_MAX
