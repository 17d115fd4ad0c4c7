"""Serve dispatch: `python -m dispatch`."""

from dispatch.service import SERVICE
from dispatch.settings import DispatchSettings
from guitu.service import run

run(SERVICE, DispatchSettings())
