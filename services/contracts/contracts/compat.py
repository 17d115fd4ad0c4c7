"""May this contract change? Compares the JSON Schema of a fact with the committed one.

Old and new run side by side, so both directions count: a new reader gets old messages from the log, an old
reader gets new messages. Only a new optional field passes; anything else is a new class with the next version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_WORDS_ONLY = frozenset({"title", "description", "examples", "$defs", "$schema", "$id"})
_COMPARED_APART = frozenset({"properties", "required", "items", "anyOf", "prefixItems"})
_DEPTH_MAX = 32
"""Facts nest four deep; more than this is a schema that contains itself."""


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """Say, a sentence each, what in `new` would break a reader or writer of `old`; empty if nothing."""
    return list(_compare("", old, new, (old, new), 0))


def _compare(path: str, old: Schema, new: Schema, roots: tuple[Schema, Schema], depth: int) -> Iterator[str]:
    assert depth <= _DEPTH_MAX, f"The schema at {path} contains itself."
    old, new = _resolved(old, roots[0]), _resolved(new, roots[1])
    yield from _keywords(path, old, new)
    yield from _required(path, old, new)
    yield from _properties(path, old, new, roots, depth)
    for keyword in ("anyOf", "prefixItems"):
        yield from _branches(path, keyword, old, new, roots, depth)
    if isinstance(old.get("items"), Mapping) and isinstance(new.get("items"), Mapping):
        yield from _compare(f"{path}[]", old["items"], new["items"], roots, depth + 1)
    elif old.get("items") != new.get("items"):
        yield f"{_named(path)}: the items changed."


def _keywords(path: str, old: Schema, new: Schema) -> Iterator[str]:
    """Type, enum, pattern, limits and default of a field stay as they are."""
    for keyword in sorted((set(old) | set(new)) - _WORDS_ONLY - _COMPARED_APART):
        before, now = old.get(keyword), new.get(keyword)
        if before != now:
            yield f"{_named(path)}: {keyword} changed from {before!r} to {now!r}."


def _required(path: str, old: Schema, new: Schema) -> Iterator[str]:
    before, now = set(old.get("required", ())), set(new.get("required", ()))
    for name in sorted(now - before):
        yield f"{_joined(path, name)}: is required now; messages in the log lack it."
    for name in sorted((before - now) & set(new.get("properties", ()))):
        yield f"{_joined(path, name)}: is optional now; old readers require it."


def _properties(
    path: str, old: Schema, new: Schema, roots: tuple[Schema, Schema], depth: int
) -> Iterator[str]:
    after = new.get("properties", {})
    for name, before in old.get("properties", {}).items():
        if name in after:
            yield from _compare(_joined(path, name), before, after[name], roots, depth + 1)
        else:
            yield f"{_joined(path, name)}: was removed or renamed."


def _branches(
    path: str, keyword: str, old: Schema, new: Schema, roots: tuple[Schema, Schema], depth: int
) -> Iterator[str]:
    before, now = old.get(keyword, ()), new.get(keyword, ())
    if len(before) != len(now):
        yield f"{_named(path)}: has {len(now)} alternatives, had {len(before)}."
        return
    for one, other in zip(before, now, strict=True):
        yield from _compare(path, one, other, roots, depth + 1)


def _resolved(schema: Schema, root: Schema) -> Schema:
    """Follow a `$ref` into `$defs`; what stands beside it (a default) stays."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    target = root["$defs"][str(reference).removeprefix("#/$defs/")]
    return {**target, **{name: value for name, value in schema.items() if name != "$ref"}}


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _named(path: str) -> str:
    return path or "the fact"
