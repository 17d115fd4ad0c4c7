"""Settings that depend on one another."""

from __future__ import annotations

import pytest

from notifications.settings import NotificationSettings

DISPATCH, PUBLIC = "http://127.0.0.1:8202", "https://guitu.example/"


@pytest.mark.parametrize(
    ("public_url", "links_start_with"), [("", DISPATCH), (PUBLIC, "https://guitu.example")]
)
def test_links_start_with_what_the_outside_world_sees(public_url: str, links_start_with: str) -> None:
    """The supervisor tells every service where dispatch listens; a unit's phone can't reach that."""
    settings = NotificationSettings(public_url=public_url, dispatch_url=DISPATCH)

    assert links_start_with == settings.order_base_url
