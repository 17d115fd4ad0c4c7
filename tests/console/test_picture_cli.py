"""`guitu console rebuild` and `status` as an operator types them."""

from __future__ import annotations

import asyncio

import pytest
from typer.testing import CliRunner

from console.console_cli import cli
from console.projection.agents import READ
from guitu.embedded.node import Node
from guitu.migrate import migrate_now
from guitu.topics import ensure_topics
from harness import ground


@pytest.fixture
def at_the_node(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ground.settings_for(node.env)
    migrate_now(settings.database_url, ("console",))
    for name, value in node.env.items():
        monkeypatch.setenv(name, value)
    # A thread of its own: the test session has a loop already.
    asyncio.new_event_loop().run_until_complete(ensure_topics(settings))


def test_status_says_what_waits_on_each_topic_and_what_it_holds(at_the_node: None) -> None:
    said = CliRunner().invoke(cli, ["status"])

    assert 0 == said.exit_code, said.output
    assert all(topic.name in said.output for topic in READ)
    assert "Holds: " in said.output


def test_rebuild_says_from_how_many_facts_and_in_what_time(at_the_node: None) -> None:
    said = CliRunner().invoke(cli, ["rebuild"])

    assert 0 == said.exit_code, said.output
    assert said.output.startswith("Built again from ")
