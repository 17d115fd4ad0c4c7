"""Files that pages load: under an address that changes when any of them does, small on the wire, kept for a year.

The mark of the content is a folder (`/static/3f2a9c01/board.mjs`) and not a question mark, so that what a module
imports or a style sheet names beside itself is of the same version too. An address of another version is answered
with what is here now, and not kept.
"""

from __future__ import annotations

import gzip
import json
import mimetypes
import re
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from console.words import Language, words

STATIC = Path(__file__).parent / "static"
NOSNIFF = {"X-Content-Type-Options": "nosniff"}
_KEPT = "public, max-age=31536000, immutable"
_TYPES = {".mjs": "text/javascript", ".json": "application/json", ".webmanifest": "application/manifest+json"}
_PARTS = {".mjs", ".css"}
"""Parts of a page: what a page may do, and who may find it, is said by the page. Each saves 200 bytes on the wire."""
_SQUEEZED = {".mjs", ".js", ".css", ".svg", ".json", ".geojson", ".txt"}
_IMPORT = re.compile(r"""(?:from|import)\s*\(?\s*["'](\./[\w./-]+\.mjs)["']""")
_COMMENT = re.compile(r"^\s*//.*$", re.MULTILINE)
JS_WORD = re.compile(r'\bt\(\s*"((?:[^"\\]|\\.)*)"')
"""A text that a module says: `t("English text")`, always with double quotes."""


@lru_cache(maxsize=1)
def version() -> str:
    """The mark of all assets together."""
    files = sorted(f for f in STATIC.rglob("*") if f.is_file())
    whole = sha256()
    for file in files:
        whole.update(str(file.relative_to(STATIC)).encode() + b"\0" + file.read_bytes())
    return whole.hexdigest()[:10]


def asset(name: str) -> str:
    """The address of a file under `static/`. Raises: FileNotFoundError, for a name that is not there."""
    if not (STATIC / name).is_file():
        raise FileNotFoundError(f"No asset {name!r} under {STATIC}.")
    return f"/static/{version()}/{name}"


def script(name: str, language: Language) -> Markup:
    """A module with its words: what it and the modules that it imports say, as data beside it."""
    # JSON in a data block ends only at its own end tag, so no "<" may stand in it.
    said = Markup(json.dumps(words_of(name, language), ensure_ascii=False).replace("<", "\\u003c"))  # noqa: S704
    block = Markup('<script type="application/json" class="words">{}</script>').format(said)
    return block + Markup('<script type="module" src="{}"></script>').format(asset(name))


@lru_cache(maxsize=64)
def words_of(name: str, language: Language) -> Mapping[str, str]:
    """What a module and its imports may say. Raises: MissingWord."""
    spoken = words(language)
    ids = {message_id for text in _module_texts(name) for message_id in said_in(text)}
    return {message_id: spoken(message_id) for message_id in sorted(ids)}


def said_in(module: str) -> set[str]:
    """The message ids of a module's text; a comment says nothing."""
    return {json.loads(f'"{found}"') for found in JS_WORD.findall(_COMMENT.sub("", module))}


def _module_texts(name: str) -> list[str]:
    """The text of a module and of every module that it reaches by `./`."""
    seen: dict[Path, str] = {}
    waiting = [(STATIC / name).resolve()]
    while waiting:
        file = waiting.pop()
        if file not in seen:
            seen[file] = file.read_text(encoding="utf-8")
            waiting += [(file.parent / found).resolve() for found in _IMPORT.findall(seen[file])]
    return list(seen.values())


@lru_cache(maxsize=256)
def _body(file: Path, squeezed: bool) -> bytes:
    raw = file.read_bytes()
    return gzip.compress(raw, 9, mtime=0) if squeezed else raw


def assets_router(headers: Mapping[str, str]) -> APIRouter:
    """Serve what lies under `static/`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/static/{mark}/{name:path}")
    async def static(request: Request, mark: str, name: str) -> Response:
        """An asset; its address changes with its content, so it may be kept for a year."""
        file = (STATIC / name).resolve()
        if not file.is_relative_to(STATIC) or not file.is_file():
            return Response(status_code=404, headers=dict(headers))
        squeezed = file.suffix in _SQUEEZED and "gzip" in request.headers.get("accept-encoding", "")
        more = {"Cache-Control": _KEPT if mark == version() else "no-cache", "Vary": "Accept-Encoding"}
        more |= {"Content-Encoding": "gzip"} if squeezed else {}
        kind = _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        said = NOSNIFF if file.suffix in _PARTS else dict(headers)
        return Response(_body(file, squeezed), media_type=kind, headers=said | more)

    return router
