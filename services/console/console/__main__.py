"""Serve the console: `python -m console`."""

from console.service import SERVICE
from console.settings import ConsoleSettings
from guitu.service import run

run(SERVICE, ConsoleSettings())
