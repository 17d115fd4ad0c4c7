"""Find a Chromium to drive, install Debian's where that is allowed, or say in words what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SETTING = "GUITU_CHROMIUM"
INSTALL_S = 420
"""Chromium and what it needs is about 100 MB; a slow mirror should not hold up the other tests for ever."""
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    # Nothing but this machine can be reached, whatever a page asks for; that it asked is a test's failure.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
FONTS = Path(__file__).resolve().parents[2] / "services" / "guitu" / "guitu" / "fonts"
"""The product's own font has the Chinese characters; a bare machine has none."""
_FONTS_CONF = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><include ignore_missing="yes">/etc/fonts/fonts.conf</include>
<dir>{fonts}</dir><cachedir>{cache}</cachedir></fontconfig>
"""


class NoBrowser(Exception):
    """There is no Chromium and we may not install one; the message says how to mend it."""


def find() -> Path | None:
    """The browser that GUITU_CHROMIUM names, or the first of the usual names on the path.

    Raises: NoBrowser, if the setting leads nowhere.
    """
    named = os.environ.get(SETTING)
    if named and shutil.which(named) is None:
        raise NoBrowser(f"{SETTING}={named} is no program. Mend: let it name a Chromium, or unset it.")
    found = [path for name in ([named] if named else NAMES) if name and (path := shutil.which(name))]
    return Path(found[0]) if found else None


def find_or_install() -> Path:
    """A Chromium that runs here. Raises: NoBrowser, with the mend."""
    found = find() or (_install() if _may_install() else None)
    if found is None:
        raise NoBrowser(
            "No Chromium here, so pages were not tried in a browser. Mend: apt install chromium, or set "
            f"{SETTING} to the path of a Chromium or Chrome."
        )
    return found


def _may_install() -> bool:
    """Debian's own package, and only for root: a test never asks for a password."""
    is_debian = Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None
    return is_debian and os.geteuid() == 0


def _install() -> Path | None:
    print("\nNo Chromium here: installing Debian's with apt-get (once, up to 7 minutes).", file=sys.stderr)
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
    if not _runs(install):
        # A fresh image has no list of packages yet.
        _runs(["apt-get", "update", "-qq"])
        _runs(install)
    return find()


def _runs(command: list[str]) -> bool:
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, env=quiet, capture_output=True, timeout=INSTALL_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def environment(folder: Path) -> dict[str, str]:
    """What the browser is started with: fonts of the product, its settings and caches in `folder`."""
    config = folder / "fonts.conf"
    config.write_text(_FONTS_CONF.format(fonts=FONTS, cache=folder / "fonts"), encoding="utf-8")
    own = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return own | {
        "FONTCONFIG_FILE": str(config),
        "XDG_CONFIG_HOME": str(folder),
        "XDG_CACHE_HOME": str(folder),
    }
