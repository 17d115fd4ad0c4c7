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
ONE_A_RECIPIENT = "guitu.notice."
_PHONE = re.compile(r"\+?\d[\d \-]{8,16}\d")


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the values of personal keys, and anything that looks like a phone number inside a text."""
    for key, value in event.items():
        if key in SECRET_KEYS:
            event[key] = "[redacted]"
        elif isinstance(value, str) and not key.endswith("_id") and key != "timestamp":
            event[key] = _PHONE.sub("[number]", value)
    return event


def _exception(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Say which error and where, never its full text: a database error quotes the row, which may be personal."""
    given = event.pop("exc_info", None)
    if given:
        kind, error, trace = given if isinstance(given, tuple) else sys.exc_info()
        frames = traceback.extract_tb(trace)[-4:]
        event["error"] = kind.__name__ if kind else ""
        event["says"] = plain(error) if error else ""
        event["at"] = [f"{frame.filename.rsplit('/', 2)[-1]}:{frame.lineno} {frame.name}" for frame in frames]
    return event


def plain(error: BaseException) -> str:
    """An error's own words without the row that a database error quotes; 300 characters at most."""
    return str(getattr(error, "message", None) or error).partition("\nDETAIL")[0][:300]


def configure(service: str, level: str) -> structlog.stdlib.BoundLogger:
    """JSON lines to standard output for this process, the libraries' too, with case and event ids where bound."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _exception,
        redact,
    ]
    as_json = structlog.processors.JSONRenderer(ensure_ascii=False)
    _libraries_too(service, [*shared, structlog.stdlib.ProcessorFormatter.remove_processors_meta, as_json])
    structlog.configure(
        processors=[*shared, as_json],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(std, level.upper(), std.INFO)),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=True,
    )
    log: structlog.stdlib.BoundLogger = structlog.get_logger().bind(service=service)
    return log


def _libraries_too(service: str, processors: list[Any]) -> None:
    """Warnings of libraries become the same JSON lines, redacted by the same rule."""

    def named(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["service"], event["library"] = service, event["_record"].name
        return event

    handler = std.StreamHandler(sys.stdout)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=[named, *processors]))
    std.basicConfig(level=std.WARNING, handlers=[handler], force=True)
    # Twilio's client logs request URLs, with phone numbers, at INFO; aiokafka is chatty.
    for noisy in ("twilio", "aiokafka", "faust", "mode", "uvicorn"):
        std.getLogger(noisy).setLevel(std.WARNING)


def told(log: Any, moment: str, type_: str, event_id: object, case_id: object) -> None:
    """One line for a fact that was handled or published, so that a case can be followed through all services.

    Facts of single notices are a line a recipient: only at debug.
    """
    say = log.debug if type_.startswith(ONE_A_RECIPIENT) else log.info
    say(moment, type=type_, event_id=str(event_id), case_id=str(case_id) if case_id else None)
