"""The kits and control DNA that ship as data, read once a process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from dna_intake.domain.kits import Kit, key_of, kit_from, kit_named

_CONTROLS = "controls.json"


@cache
def kits() -> Mapping[str, Kit]:
    """Every kit by `key_of` its name and of each alias."""
    found: dict[str, Kit] = {}
    for file in sorted(files("dna_intake").joinpath("kits").iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".json") and file.name != _CONTROLS:
            kit, aliases = kit_from(json.loads(file.read_text(encoding="utf-8")))
            for name in (kit.name, *aliases):
                assert found.setdefault(key_of(name), kit) is kit, f"Two kits are called {name}."
    return found


def kit(name: str) -> Kit:
    """The kit, or the kits joined by " + ", of that name. Raises: KitUnknown."""
    return kit_named(name, kits())


@cache
def controls() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """What each control DNA must show, by `key_of` its name: locus -> alleles, as its vendor publishes them."""
    told = json.loads(files("dna_intake").joinpath("kits", _CONTROLS).read_text(encoding="utf-8"))
    return {
        key_of(name): {locus: tuple(alleles.split()) for locus, alleles in genotype.items()}
        for name, genotype in told["controls"].items()
    }
