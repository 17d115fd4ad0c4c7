"""Logs are events with keys, as JSON lines; one processor keeps personal data out, whoever forgot."""

from __future__ import annotations

import logging as std
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

SECRET_KEYS = frozenset(
    {
        "name",
        "child_name",
        "phone",
        "to",
        "from_",
        "body",
        "text",
        "token",
        "photo",
        "address",
        "genotype",
        "alleles",
    }
)
_PHONE = re.compile(r"\+?\d[\d \-]{8,16}\d")


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the values of personal keys, and anything that looks like a phone number inside a text."""
    for key, value in event.items():
        if key in SECRET_KEYS:
            event[key] = "[redacted]"
        elif isinstance(value, str) and not key.endswith("_id") and key not in ("timestamp", "event"):
            event[key] = _PHONE.sub("[number]", value)
    return event


def _exception(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Say which error and where, never its full text: a database error quotes the row, which may be personal."""
    if event.pop("exc_info", None):
        kind, error, trace = sys.exc_info()
        frames = traceback.extract_tb(trace)[-4:]
        event["error"] = kind.__name__ if kind else ""
        event["says"] = plain(error) if error else ""
        event["at"] = [f"{frame.filename.rsplit('/', 2)[-1]}:{frame.lineno} {frame.name}" for frame in frames]
    return event


def plain(error: BaseException) -> str:
    """An error's own words without the row that a database error quotes; 300 characters at most."""
    return str(getattr(error, "message", None) or error).partition("\nDETAIL")[0][:300]


def configure(service: str, level: str) -> structlog.stdlib.BoundLogger:
    """JSON to standard output for this process, with case and event ids where they were bound."""
    std.basicConfig(level=std.WARNING, stream=sys.stdout, format="%(message)s")
    # Twilio's client logs request URLs, with phone numbers, at INFO; aiokafka is chatty.
    for noisy in ("twilio", "aiokafka", "faust", "mode", "uvicorn"):
        std.getLogger(noisy).setLevel(std.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _exception,
            redact,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(std, level.upper(), std.INFO)),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=True,
    )
    log: structlog.stdlib.BoundLogger = structlog.get_logger().bind(service=service)
    return log
