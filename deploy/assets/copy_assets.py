"""Copy the few files of npm packages that pages load into the repository, with licences and a manifest.

    npm ci --prefix deploy/assets && python deploy/assets/copy_assets.py

Nobody else needs Node: what is copied is committed, and `tests/tidy/test_assets.py` compares it with the manifest
and the manifest with the lock. Nothing is built or changed on the way but a source map's address.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CONSOLE = ROOT / "services/console/console/static/vendor"
BROWSER = ROOT / "tests/browser/vendor"


@dataclass(frozen=True)
class Asset:
    """What is taken from a package: file inside it -> file name here."""

    package: str
    into: Path
    files: dict[str, str]


ASSETS = (
    Asset(
        "leaflet",
        CONSOLE,
        {
            "dist/leaflet.js": "leaflet/leaflet.js",
            "dist/leaflet.css": "leaflet/leaflet.css",
            "dist/images/layers.png": "leaflet/images/layers.png",
            "dist/images/layers-2x.png": "leaflet/images/layers-2x.png",
            "dist/images/marker-icon.png": "leaflet/images/marker-icon.png",
            "LICENSE": "leaflet/LICENSE",
        },
    ),
    Asset(
        "axe-core",
        BROWSER,
        {
            "axe.min.js": "axe-core/axe.min.js",
            "LICENSE": "axe-core/LICENSE",
            "LICENSE-3RD-PARTY.txt": "axe-core/LICENSE-3RD-PARTY.txt",
        },
    ),
)


def copied(asset: Asset) -> dict[str, Any]:
    """Copy an asset's files and say what was copied."""
    package = HERE / "node_modules" / asset.package
    about = json.loads((package / "package.json").read_text(encoding="utf-8"))
    sums = {}
    for source, name in asset.files.items():
        # A browser with its tools open would ask for the map, which is not here.
        body = re.sub(rb"\n//# sourceMappingURL=\S+\s*$", b"\n", (package / source).read_bytes())
        target = asset.into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)
        sums[name] = hashlib.sha256(body).hexdigest()
    return {"name": about["name"], "version": about["version"], "licence": about["license"], "files": sums}


def main() -> None:
    """Copy everything; a manifest in each folder."""
    for folder in dict.fromkeys(asset.into for asset in ASSETS):
        made = [copied(asset) for asset in ASSETS if asset.into == folder]
        (folder / "vendor.json").write_text(json.dumps(made, indent=2) + "\n")


if __name__ == "__main__":
    main()
