"""From a path to a case: JSON in our form, or a Familias `.fam` file. Every refusal names the field and the mend."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dna_intake.kinship_files.case import LrCase
from dna_intake.kinship_files.fam import read_fam
from dna_intake.kinship_files.refused import CaseRefused, Trouble, refused

FILE_BYTES_MAX = 8 * 1024 * 1024
"""The largest real case, with a table written out, is some 200 kB."""
TROUBLES_SHOWN = 20


def read_case(path: Path, h1: str | None = None, h2: str | None = None) -> LrCase:
    """Read a case; `h1` and `h2` choose pedigrees of a `.fam` file. Raises: CaseRefused."""
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise refused(
                f"{path} is larger than {FILE_BYTES_MAX // 2**20} MiB.",
                "文件过大。",
                "Give one case a file; put frequencies into a file of their own.",
            )
        if path.suffix.lower() == ".fam":
            return read_fam(path, h1, h2)
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise refused(
            f"{path} can't be read: {error.strerror}.",
            "文件无法读取。",
            "Give the path of a .json or .fam file.",
        ) from error
    except UnicodeDecodeError as error:
        raise refused(f"{path} is not UTF-8: {error}.", "文件不是UTF-8。", "Save it as UTF-8.") from error
    if h1 is not None or h2 is not None:
        raise refused(
            "--h1 and --h2 choose pedigrees of a .fam file.", "--h1、--h2仅用于.fam文件。", "Leave them out."
        )
    return case_of_json(text, path.name)


def case_of_json(text: str, name: str) -> LrCase:
    """The case in a JSON text. Raises: CaseRefused, with a line a wrong field."""
    try:
        written = json.loads(text, object_pairs_hook=_each_once)
    except (json.JSONDecodeError, RecursionError) as error:
        raise refused(f"{name} is not JSON: {error}.", "文件不是JSON。", "Mend it at that place.") from error
    try:
        return LrCase.model_validate(written)
    except ValidationError as error:
        raise CaseRefused(_troubles_of(error, written)) from error


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a name that is there twice would lose one of its values in silence."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise refused(
            f"{twice!r} is there twice in one object.",
            f"{twice!r}重复。",
            "Keep one of them.",
            locus=twice[:30],
        )
    return found


def _troubles_of(error: ValidationError, written: Any) -> Sequence[Trouble]:
    """Each wrong field by its path; values are not repeated, for they may be alleles."""
    wrong = error.errors(include_url=False, include_input=False, include_context=False)
    troubles = []
    for one in wrong[:TROUBLES_SHOWN]:
        path = one["loc"]
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
        says = one["msg"].removeprefix("Value error, ")
        troubles.append(
            Trouble(
                f"{where or 'The case'}: {says}.",
                f"{where or '案件'}:内容不符合格式。",
                "`guitu dna schema case` prints the form.",
                person=_person_at(path, written),
                locus=_locus_at(path),
            )
        )
    if len(wrong) > TROUBLES_SHOWN:
        troubles.append(
            Trouble(f"And {len(wrong) - TROUBLES_SHOWN} more.", "另有更多问题。", "Mend these first.")
        )
    return troubles


def _person_at(path: Sequence[int | str], written: Any) -> str:
    """Whose field it is, where the file says so."""
    if len(path) < 2 or path[0] != "people" or not isinstance(path[1], int):
        return ""
    try:
        return str(written["people"][path[1]]["id"])[:60]
    except (KeyError, IndexError, TypeError):
        return ""


def _locus_at(path: Sequence[int | str]) -> str:
    """Which locus it is in."""
    for name in ("genotypes", "loci", "locus_models"):
        if name in path[:-1]:
            after = path[path.index(name) + 1]
            return str(after)[:30] if isinstance(after, str) else ""
    return ""
