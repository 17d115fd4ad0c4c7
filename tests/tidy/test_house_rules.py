"""House rules that a machine can check: agents, SQL, domain purity, room sizes, locks."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(p for p in (ROOT / "services").rglob("*.py") if "__pycache__" not in p.parts)
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 500
IMPURE = {
    "asyncpg",
    "aiohttp",
    "httpx",
    "faust",
    "aiokafka",
    "fastapi",
    "twilio",
    "random",
    "secrets",
    "socket",
    "os",
}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_rooms_are_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    functions = [
        n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
    ]

    crowded = [f.name for f in functions if (f.end_lineno or 0) - f.lineno + 1 > FUNCTION_LINES_MAX]

    assert crowded == []
    assert len(text.splitlines()) <= FILE_LINES_MAX


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_only_the_stream_wrapper_touches_faust(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    allowed = {"services/guitu/guitu/stream.py", "services/guitu/guitu/service.py"}

    bare = re.findall(r"^\s*(?:import faust|from faust)|\.agent\(|exactly_once\"", text, flags=re.MULTILINE)

    assert bare == [] or named(path) in allowed


SQL = re.compile(
    r"^\s*(?:(?:select|insert\s+into|update|delete\s+from)\b[^.]*?\b(?:from|values|set)\b|with\s+\w+\s+as\s*\()",
    re.I,
)
"""A string that begins as a statement; what the ground itself needs lies in the ground."""


@pytest.mark.parametrize("path", [p for p in SOURCES if "services/guitu/" not in named(p)], ids=named)
def test_sql_lies_in_the_store(path: Path) -> None:
    """Demo data and the like have none either: they use the service's own doors."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    texts = [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]

    statements = [t.lineno for t in texts if id(t) not in docstrings and SQL.match(t.value)]

    assert statements == [] or path.stem.startswith("store")


@pytest.mark.parametrize("path", [p for p in SOURCES if "domain" in named(p)], ids=named)
def test_domain_is_pure(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {
        (alias.name if isinstance(node, ast.Import) else node.module or "").split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    calls = {ast.unparse(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}

    assert set() == imported & IMPURE
    assert set() == calls & {"datetime.now", "datetime.utcnow", "time.time", "open", "uuid4"}


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_locks_carry_hashes_and_no_addresses(name: str) -> None:
    text = (ROOT / name).read_text()

    assert not re.search(r"https?://|--index-url|--find-links", text)
    assert text.count("==") <= text.count("--hash=")
