"""DNA kinship all at once: search, likelihood ratios, calibration and rebuild, each figure beside its goal.

Each part is a bench of its own, and can be run alone.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from time import perf_counter

from _figures import Figure, show

PARTS = ("dna_search", "dna_likelihood", "dna_calibration", "dna_rebuild")


def figures(part: str, quick: bool) -> dict[str, Figure]:
    """All figures of a part.

    Raises: SystemExit, if the part is not in the checkout; a figure that is missing must not look like a good one.
    """
    if not (Path(__file__).parent / f"{part}.py").is_file():
        sys.exit(f"bench/{part}.py is not in this checkout; run the others by --part, or get it.")
    found: dict[str, Figure] = importlib.import_module(part).figures(quick)
    return found


def main() -> None:
    """All parts, or some."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller, for a first look")
    parser.add_argument("--part", action="append", choices=PARTS, help="only this one; may be given again")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parent))
    found: dict[str, Figure] = {}
    for part in options.part or PARTS:
        begun = perf_counter()
        print(f"  {part}{', quick' if options.quick else ''}", flush=True)
        mine = figures(part, options.quick)
        found |= {f"{part.removeprefix('dna_')}.{name}": figure for name, figure in mine.items()}
        print(f"  {part} took {perf_counter() - begun:.0f} s", flush=True)
    show("dna", found, as_json=options.json)


if __name__ == "__main__":
    main()
