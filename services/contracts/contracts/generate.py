"""`python -m contracts.generate [--check]`: schemas, AsyncAPI and the flow diagram from the models.

Without `--check` it writes what is missing or stale, but never a breaking change. With `--check` it writes
nothing and fails on a stale file, a breaking change, or an example that is missing or no longer fits.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from contracts import asyncapi, diagram
from contracts.base import Fact
from contracts.compat import breaking_changes
from contracts.flow import FACT_BY_TYPE

HERE = Path(__file__).resolve().parent
SCHEMAS = HERE / "schemas"
EXAMPLES = HERE / "examples"
DOCS = HERE.parents[2] / "docs"
READMES = (DOCS.parent / "README.md", DOCS.parent / "README.zh-CN.md")
SCHEMAS_FROM_DOCS = "../services/contracts/contracts/schemas"
SCHEMA_SUFFIX = ".schema.json"


def schema_of(fact: type[Fact]) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a fact, named by its type."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:guitu:{fact.type_}",
        **fact.model_json_schema(),
    }


def generated_files() -> dict[Path, str]:
    """Return every generated file with its content as it should be."""
    schemas = {SCHEMAS / f"{type_}{SCHEMA_SUFFIX}": schema_of(fact) for type_, fact in FACT_BY_TYPE.items()}
    files = {path: _json(schema) for path, schema in schemas.items()}
    files[DOCS / "asyncapi.json"] = _json(asyncapi.document(SCHEMAS_FROM_DOCS))
    files[DOCS / "flow.md"] = diagram.page()
    for readme in READMES:
        if readme.exists():
            files[readme] = diagram.in_page(readme.read_text(encoding="utf-8"))
    return files


def broken_contracts() -> list[str]:
    """Say which committed schema today's models would break, and how to mend it."""
    found = [line for path in sorted(SCHEMAS.glob(f"*{SCHEMA_SUFFIX}")) for line in _broken(path)]
    mend = "Mend: leave it as it was and add a class with the next .vN; only optional fields may be added."
    return [f"{line} {mend}" for line in found]


def _broken(path: Path) -> Iterator[str]:
    type_ = path.name.removesuffix(SCHEMA_SUFFIX)
    fact = FACT_BY_TYPE.get(type_)
    if fact is None:
        yield f"{type_}: no topic carries it any more, but messages in the log are of this type."
        return
    old = json.loads(path.read_text(encoding="utf-8"))
    yield from (f"{type_}: {change}" for change in breaking_changes(old, schema_of(fact)))


def bad_examples() -> list[str]:
    """Say which fact lacks its example, or has one that does not fit."""
    return [line for type_, fact in FACT_BY_TYPE.items() for line in _bad_example(type_, fact)]


def _bad_example(type_: str, fact: type[Fact]) -> Iterator[str]:
    path = EXAMPLES / f"{type_}.json"
    if not path.exists():
        yield f"{type_}: no example. Mend: write one with invented, fictional content to {path}."
        return
    body = json.loads(path.read_text(encoding="utf-8"))
    try:
        fact.model_validate_json(json.dumps(body))
    except ValidationError as error:
        yield f"{type_}: the example does not fit: {error.errors(include_url=False)}"
    for name in sorted(set(body) - set(fact.model_fields)):
        yield f"{type_}: the example has the unknown field {name!r}; remove it."


def stale_files() -> list[Path]:
    """Return the generated files that differ from what the models say."""
    return [
        path
        for path, content in generated_files().items()
        if not path.exists() or path.read_text(encoding="utf-8") != content
    ]


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _write() -> list[str]:
    files = generated_files()
    stale = stale_files()
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path], encoding="utf-8")
    print(f"contracts: {len(stale)} of {len(files)} generated files written.")
    return bad_examples()


def main(arguments: list[str]) -> int:
    """Run the command; returns its exit code, 1 if anything is wrong."""
    if set(arguments) - {"--check"}:
        print("Usage: python -m contracts.generate [--check]", file=sys.stderr)
        return 2
    troubles = broken_contracts()
    if "--check" in arguments:
        troubles += bad_examples()
        troubles += [f"{path} is stale. Mend: python -m contracts.generate" for path in stale_files()]
    elif not troubles:
        troubles = _write()
    print("\n".join(troubles) if troubles else "contracts: everything fits.")
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
