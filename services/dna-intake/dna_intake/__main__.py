"""Serve dna-intake: `python -m dna_intake`."""

from dna_intake.service import SERVICE
from dna_intake.settings import DnaSettings
from guitu.service import run

run(SERVICE, DnaSettings())
