"""`python -m dna_intake.kinship_files.schemas [--check]`: the JSON Schemas of cases and results, from their models."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Literal

from dna_intake.kinship_files.case import CASE_FORMAT, LrCase
from dna_intake.kinship_files.result import RESULT_FORMAT, LrResult

FOLDER = Path(__file__).resolve().parents[4] / "docs" / "schemas"
Of = Literal["case", "result"]


def schema(of: Of) -> dict[str, Any]:
    """JSON Schema, draft 2020-12: what may be written (case), what is written (result)."""
    model, name = (LrCase, CASE_FORMAT) if of == "case" else (LrResult, RESULT_FORMAT)
    mode: Literal["validation", "serialization"] = "validation" if of == "case" else "serialization"
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{name}",
        **model.model_json_schema(mode=mode),
    }


def text_of(of: Of) -> str:
    """The schema as it is committed."""
    return json.dumps(schema(of), indent=2, ensure_ascii=False) + "\n"


def files() -> dict[Path, str]:
    """Every generated file with its content as it should be."""
    return {FOLDER / "lr_case.json": text_of("case"), FOLDER / "lr_result.json": text_of("result")}


def main(arguments: list[str]) -> int:
    """Write what is stale, or with --check only say so."""
    stale = [
        path
        for path, text in files().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        print(f"{path.name} is stale.")
        if "--check" not in arguments:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files()[path], encoding="utf-8")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
