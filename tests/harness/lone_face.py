"""`python -m harness.lone_face PACKAGE`: a service without its readers: HTTP, relay and timers on a real database.

What it answers does not depend on the broker, so that a test of its HTTP face needs none.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib import import_module

from guitu.service import run

if __name__ == "__main__":
    run(replace(import_module(f"{sys.argv[1]}.service").SERVICE, reactions=()))
