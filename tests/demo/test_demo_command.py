"""`guitu demo` from the first line to Ctrl-C, and every command that one types beside it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from unicodedata import east_asian_width
from uuid import uuid4

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from demo.paper import Page

from .conftest import PARTITIONS, Visitor

pytestmark = [pytest.mark.timeout(400)]

TIMINGS = (
    "report -> first order",
    "report -> first SMS accepted",
    "report -> first site answered",
    "report -> first unit answered",
    "report -> everyone stood down",
)
LOGIN = re.compile(r"^  (\w+) \S.*\n    (eyJ\S+)\n    opens 可打开 (http\S+)$", re.MULTILINE)
LOGIN_LINK = re.compile(r"^  (\w+) \S.*\n    (http\S+/login/link/\S+)$", re.MULTILINE)
PEOPLE = {"operator", "case_leader", "laboratory", "registry", "auditor", "admin"}


def columns(line: str) -> int:
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in line)


def link(text: str, kind: str) -> str:
    found = re.search(rf"http://\S+/{kind}/\S+", text)
    assert found is not None, text
    return found[0]


def test_story_is_told_in_both_languages_with_its_timings_and_fits_the_terminal(visitor: Visitor) -> None:
    text = visitor.output()

    places = [text.index(words) for words in ("A child is missing", "警情解除", *TIMINGS, "全程完成")]
    assert places == sorted(places)
    wide = [
        line for line in text.splitlines() if columns(line) > 80 and not re.search(r"eyJ|http|curl", line)
    ]
    assert wide == []
    assert not re.search(r"Traceback|Warning|Error", text)


def test_every_role_is_handed_a_login_that_opens_what_it_says(visitor: Visitor) -> None:
    logins = LOGIN.findall(visitor.output())

    assert {role for role, _, _ in logins} == PEOPLE
    for _, token, address in logins:
        answer = httpx.get(address, headers={"Authorization": f"Bearer {token}"}, trust_env=False)
        assert answer.status_code == 200, answer.text
        assert httpx.get(address, trust_env=False).status_code == 401


def test_every_role_is_handed_a_link_that_logs_in_to_the_console_once(visitor: Visitor) -> None:
    links = LOGIN_LINK.findall(visitor.output())

    assert {role for role, _ in links} == PEOPLE
    for role, address in links:
        with httpx.Client(trust_env=False, headers={"Accept": "text/html"}) as browser:
            looked, used = browser.get(address), browser.post(address)
            shown = browser.get(httpx.URL(address).join(used.headers["location"]), follow_redirects=True)
            again = browser.post(address)
        assert (200, 303, 200, 410) == tuple(a.status_code for a in (looked, used, shown, again)), role
        assert f'data-role="{role}"' in shown.text


async def test_unit_and_site_are_handed_pages_that_they_can_use(visitor: Visitor) -> None:
    text = visitor.output()

    async with httpx.AsyncClient(trust_env=False) as http:
        order = await (await Page.open(http, link(text, "o"))).press("accept")
        notice = await (await Page.open(http, link(text, "n"))).press("ack")

    assert order.offers("in-position")
    assert "已签收" in notice.text


def test_status_shows_every_process_ready(visitor: Visitor) -> None:
    done = visitor.says("status", "--json")

    assert done.returncode == 0
    assert {"ready"} == {each["state"] for each in json.loads(done.stdout).values()}


def test_seed_says_the_same_the_second_time(visitor: Visitor) -> None:
    first, second = visitor.says("seed"), visitor.says("seed")

    assert (first.returncode, first.stdout) == (0, second.stdout)
    assert "54 units" in first.stdout


def test_topics_are_there_and_can_be_written_again(visitor: Visitor) -> None:
    assert "Every topic exists already." in visitor.says("topics", "create").stdout
    assert re.match(r"[1-9]\d* facts will be", visitor.says("topics", "republish", "guitu.alerts").stdout)


def test_second_demo_on_the_same_data_is_told_who_has_it(visitor: Visitor) -> None:
    done = visitor.says("demo", "--check")

    assert done.returncode == 1
    assert "is in use by process" in done.stderr
    assert "Mend:" in done.stderr


async def test_refused_message_is_listed_shown_and_replayed_with_its_event_id(visitor: Visitor) -> None:
    event_id = str(uuid4())
    async with AIOKafkaProducer(bootstrap_servers=broker_of(visitor)) as producer:
        headers = [("ce_id", event_id.encode()), ("ce_type", b"guitu.report.filed.v1")]
        await producer.send_and_wait("guitu.reports", b"not json", headers=headers)

    letter = await the_only_letter(visitor)
    shown = visitor.says("dlq", "show", letter).stdout
    dry = visitor.says("dlq", "replay", letter, "--dry-run").stdout
    async with listening(visitor, "guitu.reports") as consumer:
        replayed = visitor.says("dlq", "replay", letter).stdout
        again = await asyncio.wait_for(consumer.getone(), 60)

    assert f"event     {event_id}" in shown
    assert ("Would replay: 1", "Replayed: 1") == (dry.splitlines()[-1], replayed.strip())
    assert (b"not json", event_id.encode()) == (again.value, dict(again.headers)["ce_id"])
    assert letter not in visitor.says("dlq", "list").stdout
    assert "replayed 20" in visitor.says("dlq", "list", "--all").stdout


def test_unknown_letters_services_and_topics_are_refused_in_a_sentence(visitor: Visitor) -> None:
    for words, says in (
        (("dlq", "replay", str(uuid4())), "There is no dead letter"),
        (("dlq", "list", "--service", "ghost"), "No service 'ghost'; there are alerts"),
        (("topics", "republish", "ghost"), "No topic 'ghost'; there are guitu.reports"),
        (("topics", "republish", "guitu.alerts", "--since", "yesterday"), "is no time with a zone"),
    ):
        done = visitor.says(*words)

        assert done.returncode in (1, 2)
        assert says in done.stderr
        assert "Traceback" not in done.stderr


def test_ctrl_c_ends_everything_and_leaves_no_process(visitor: Visitor) -> None:
    """Runs after the others: they need it up."""
    assert len(visitor.left_behind()) > 6, "what is looked for can be found"

    code = visitor.presses_ctrl_c()

    assert code == 0
    assert visitor.left_behind() == []


def test_check_stands_down_what_was_left_open_and_plays_to_the_end(visitor: Visitor) -> None:
    """The second start on the same data; the first one's open case still holds its units."""
    visitor.starts("--check")

    code = visitor.waits_for_the_end()

    assert code == 0, visitor.output()
    assert "Stood down 1 open case(s) of an earlier demo" in visitor.output()
    assert visitor.output().splitlines()[-1].startswith("The story ran to its end")
    assert visitor.left_behind() == []


def broker_of(visitor: Visitor) -> str:
    processes = json.loads((visitor.data_dir / "processes.json").read_text())["processes"]
    return str(processes["kafka"]["url"])


async def the_only_letter(visitor: Visitor) -> str:
    """Wait until a message was refused; returns the id of its letter."""
    for _ in range(40):
        letter = re.match(r"([0-9a-f-]{36})  ", visitor.says("dlq", "list").stdout)
        if letter:
            return letter[1]
        await asyncio.sleep(0.25)
    raise AssertionError("The message was not refused.")


@asynccontextmanager
async def listening(visitor: Visitor, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    """Hears only what comes from now on."""
    async with AIOKafkaConsumer(bootstrap_servers=broker_of(visitor)) as consumer:
        consumer.assign([TopicPartition(topic, number) for number in range(PARTITIONS)])
        await consumer.seek_to_end()
        for place in consumer.assignment():
            await consumer.position(place)
        yield consumer
