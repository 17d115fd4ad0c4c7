"""The HTTP face of a service that runs as a process of its own, and what it takes to fuzz it by its document."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from guitu.auth import Role, mint
from guitu.embedded.ports import LOOPBACK, free_port
from guitu.openapi import DOCS
from guitu.settings import Settings
from harness.ground import repo_root

YUNYANG = "500235"
SEED = 20260301
READY_WITHIN_S = 60.0
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
NONSENSE = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"\xff\xfe\x00",
    b"[" * 20_000,
    b'{"a":' * 5_000,
    b'{"a":' + b"9" * 5_000 + b"}",
    b'{"a":1e400,"b":NaN}',
    rb'{"\ud800":"\udfff","a\u0000":"\u0000"}',
]
CONTENT_TYPES = [
    "application/json",
    "application/json; charset=utf-16",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "text/plain",
    "x",
]


def drawing(examples: int, *, valid_only: bool = False, limits: bool = False) -> schemathesis.Config:
    """The same requests in every run: so many drawn for an operation, and with `limits` every border besides."""
    mode = "positive" if valid_only else "all"
    return schemathesis.Config.from_dict(
        {
            "seed": SEED,
            "suppress-health-check": ["all"],
            "generation": {"deterministic": True, "max-examples": examples, "mode": mode},
            "phases": {"coverage": {"enabled": limits, "unexpected-methods": ["PATCH"]}},
        }
    )


def document(name: str, *, examples: int, limits: bool = False) -> Any:
    """The committed document of a face, as a schema to make requests from."""
    return schemathesis.openapi.from_path(DOCS / f"{name}.json", config=drawing(examples, limits=limits))


def guarded(name: str) -> Any:
    """The operations of a face that want a token; a few valid requests for each."""
    whole = schemathesis.openapi.from_path(DOCS / f"{name}.json", config=drawing(3, valid_only=True))
    return whole.include(lambda context: "security" in context.operation.definition.raw)


@dataclass
class Face:
    """A running service; `stored` are sets of values that name rows which are there, or that can be true."""

    url: str
    settings: Settings
    stored: Sequence[Mapping[str, Any]]
    _next: Iterator[Mapping[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        self._next = cycle(self.stored)

    def as_role(self, role: Role, region: str = YUNYANG) -> dict[str, str]:
        """Headers of somebody in that role."""
        token = mint(self.settings, f"test-{role}", role, region, datetime.now(UTC), timedelta(hours=9))
        return {"Authorization": f"Bearer {token}"}

    def point_at_stored(self, case: Any) -> Mapping[str, Any]:
        """Let a request be about what is there, wherever it names something: in path, query, headers or body.

        Returns the set of values that was put in.
        """
        known = next(self._next)
        for place in (case.path_parameters, case.query, case.headers, case.body):
            _put(known, place)
        return known

    def is_back(self) -> None:
        """Wait until it listens."""
        _wait_until_ready(self.url)

    def answers_to_nonsense(self, name: str) -> list[tuple[str, int]]:
        """Send every kind of nonsense, of every type, to every operation that takes a body; what is no refusal."""
        paths = json.loads((DOCS / f"{name}.json").read_text(encoding="utf-8"))["paths"]
        asked = [(m, p) for p, ways in paths.items() for m, way in ways.items() if "requestBody" in way]
        odd = []
        with httpx.Client(base_url=self.url, headers=self.as_role("admin"), trust_env=False) as http:
            for number, (method, path) in enumerate(asked):
                for body in NONSENSE:
                    kind = CONTENT_TYPES[(number + len(body)) % len(CONTENT_TYPES)]
                    for type_ in {"application/json", kind}:
                        told = http.request(
                            method,
                            path.format_map(_Stored(self.stored[0])),
                            content=body,
                            headers={"Content-Type": type_},
                        )
                        if not 400 <= told.status_code < 500:
                            odd.append((f"{method} {path} {type_} {body[:20]!r}", told.status_code))
        return odd


class _Stored(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return "x"


def _put(known: Mapping[str, Any], place: Any) -> None:
    """Put the known values in place of made-up ones, however deep they lie."""
    if not isinstance(place, MutableMapping):
        return
    for name in list(place):
        if name in known:
            place[name] = known[name]
        else:
            _put(known, place[name])


@contextmanager
def serving(command: Sequence[str], env: Mapping[str, str], log: Path) -> Iterator[str]:
    """A Python program as a process; gives its address once it is ready, and ends it in order."""
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    path = os.pathsep.join([str(repo_root() / "tests"), os.environ.get("PYTHONPATH", "")])
    own = {"GUITU_PORT": str(port), "GUITU_LOG_LEVEL": "error", "PYTHONPATH": path}
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("GUITU_")}
    with log.open("ab") as lines:
        process = subprocess.Popen(
            [sys.executable, *command], env=inherited | env | own, stdout=lines, stderr=subprocess.STDOUT
        )
    try:
        _wait_until_ready(url, process)
        yield url
        assert process.poll() is None, "It died on the way."
    except AssertionError as error:
        error.add_note(log.read_text()[-3000:])
        raise
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _wait_until_ready(url: str, process: subprocess.Popen[bytes] | None = None) -> None:
    end = time.monotonic() + READY_WITHIN_S
    with httpx.Client(trust_env=False, timeout=5) as http:
        while time.monotonic() < end and not (process and process.poll()):
            try:
                if http.get(f"{url}/health/ready").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
    raise AssertionError(f"{url} was not ready within {READY_WITHIN_S:g} s, or ended before.")
