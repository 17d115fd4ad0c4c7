"""Logs are JSON lines with ids, whoever writes them, and carry nobody's number."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

SCRIPT = """
import logging, sys
from uuid import UUID
from structlog.contextvars import bound_contextvars
from guitu.logging import configure, told
log = configure("alerts", sys.argv[1])
{}
"""
CASE = "0199aaaa-0000-7000-8000-00000000000c"


def lines_of(code: str, level: str = "info") -> list[dict[str, Any]]:
    """What a process that logs by `code` prints; structlog is configured once a process."""
    command = [sys.executable, "-c", SCRIPT.format(code), level]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_line_carries_the_ids_that_were_bound() -> None:
    [line] = lines_of(f"with bound_contextvars(event_id='e-1', case_id='{CASE}'): log.warning('order.late')")

    assert ("order.late", "alerts", "e-1", CASE) == (
        line["event"],
        line["service"],
        line["event_id"],
        line["case_id"],
    )


def test_a_fact_leaves_a_line_by_which_its_case_is_followed() -> None:
    [line] = lines_of(f"told(log, 'fact.published', 'guitu.alert.raised.v1', UUID(int=1), '{CASE}')")

    assert "guitu.alert.raised.v1" == line["type"]
    assert CASE == line["case_id"]


def test_facts_of_single_notices_are_told_at_debug_only() -> None:
    code = "told(log, 'fact.published', 'guitu.notice.queued.v1', UUID(int=1), None)"

    assert [] == lines_of(code)
    assert 1 == len(lines_of(code, "debug"))


def test_warnings_of_libraries_are_json_too_and_redacted() -> None:
    [line] = lines_of("logging.getLogger('aiokafka').warning('no answer from %s', '+86 23 5516 0110')")

    assert ("aiokafka", "warning", "alerts") == (line["library"], line["level"], line["service"])
    assert "no answer from [number]" == line["event"]


def test_personal_keys_and_numbers_in_texts_are_redacted() -> None:
    [line] = lines_of("log.info('sms.sent', phone='+12025550123', note='call 023 5516 0110 now')")

    assert ("[redacted]", "call [number] now") == (line["phone"], line["note"])


def test_an_error_says_where_but_never_quotes_the_row() -> None:
    code = """
try:
    raise LookupError("no such row\\nDETAIL: Failing row contains (Xiao Ming)")
except LookupError:
    log.error("handler.failed", exc_info=True)
    logging.getLogger("uvicorn").exception("also")
"""
    ours, theirs = lines_of(code)

    assert ("LookupError", "no such row") == (ours["error"], ours["says"])
    assert ours["at"]
    assert "Xiao Ming" not in json.dumps([ours, theirs])
