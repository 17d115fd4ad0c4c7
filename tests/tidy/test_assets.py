"""What was copied from npm packages is what their manifest says, and nothing else lies beside it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCK = json.loads((ROOT / "deploy/assets/package-lock.json").read_text())
FOLDERS = [ROOT / "services/console/console/static/vendor", ROOT / "tests/browser/vendor"]
FREE = {"BSD-2-Clause", "0BSD", "MIT", "MPL-2.0", "ISC"}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.parent.name)
def test_assets_are_those_of_the_manifest(folder: Path) -> None:
    """Mend: `npm ci --prefix deploy/assets && python deploy/assets/copy_assets.py`."""
    manifest = json.loads((folder / "vendor.json").read_text())
    said = {name: known for asset in manifest for name, known in asset["files"].items()}

    there = {
        str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest()
        for f in folder.rglob("*")
        if f.is_file() and f.name != "vendor.json"
    }

    assert said == there
    assert all(any("LICENSE" in name for name in asset["files"]) for asset in manifest)
    assert {asset["licence"] for asset in manifest} <= FREE


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.parent.name)
def test_assets_are_of_the_locked_versions(folder: Path) -> None:
    for asset in json.loads((folder / "vendor.json").read_text()):
        locked = LOCK["packages"][f"node_modules/{asset['name']}"]

        assert asset["version"] == locked["version"]
        assert locked["integrity"].startswith("sha512-")


def test_the_lock_names_no_address() -> None:
    assert "://" not in json.dumps(LOCK)
