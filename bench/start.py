"""From a clone to the first case handled: cold (nothing installed or fetched) and warm (the second run).

Runs `./guitu demo --check` in a fresh clone with an empty home; its story ends with everyone stood down, which is
later than the first case handled, so the figures are on the safe side. The floor of `warm` is the start of broker
and database alone; that of `cold` is installing the locked packages by pip alone.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

from _figures import Figure, show
from guitu.embedded.node import Node

ROOT = Path(__file__).resolve().parents[1]
BOUND_S = 1_200


def clone_into(folder: Path) -> Path:
    """A clone of what is committed."""
    place = folder / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(place)], check=True)
    return place


def environment(home: Path) -> dict[str, str]:
    """This machine's environment, without anything of ours and with an empty home."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GUITU_")}
    return kept | {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")}


def demo_s(place: Path, env: dict[str, str]) -> float:
    """Seconds of one `./guitu demo --check`. Raises: CalledProcessError if it fails."""
    begin = time.perf_counter()
    subprocess.run(
        ["./guitu", "demo", "--check"],
        cwd=place,
        env=env,
        check=True,
        timeout=BOUND_S,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - begin


def pip_s(place: Path, folder: Path, env: dict[str, str]) -> float:
    """Seconds that pip takes for the locked packages alone."""
    venv.create(folder / "bare", with_pip=True)
    command = [str(folder / "bare/bin/python"), "-m", "pip", "install", "-q", "--no-deps", "--require-hashes"]
    begin = time.perf_counter()
    subprocess.run([*command, "-r", str(place / "requirements.lock")], env=env, check=True, timeout=BOUND_S)
    return time.perf_counter() - begin


def node_s() -> float:
    """Seconds until broker and database of a used directory answer."""
    with tempfile.TemporaryDirectory() as folder:
        with Node(Path(folder), outside={}):
            pass
        begin = time.perf_counter()
        with Node(Path(folder), outside={}):
            return time.perf_counter() - begin


def main() -> None:
    """Clone, run twice, say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="warm only, in this checkout")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args()
    figures: dict[str, Figure] = {}
    with tempfile.TemporaryDirectory(prefix="guitu-start-") as name:
        folder = Path(name)
        env, place = environment(folder), ROOT
        if not options.quick:
            place = clone_into(folder)
            print("  cold: a fresh clone with an empty home", file=sys.stderr)
            figures["cold_s"] = Figure(demo_s(place, env), "s", 300, pip_s(place, folder, env))
        else:
            demo_s(place, env | {"GUITU_DATA_DIR": str(folder / "data")})
        print("  warm: the second run", file=sys.stderr)
        warm = env if not options.quick else env | {"GUITU_DATA_DIR": str(folder / "data")}
        figures["warm_s"] = Figure(demo_s(place, warm), "s", 60, node_s())
    show("start", figures, as_json=options.json)


if __name__ == "__main__":
    main()
