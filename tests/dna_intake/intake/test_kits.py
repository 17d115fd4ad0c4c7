"""The kits that ship: enough of them, each with its sources, and their ladders hold what their controls show."""

from __future__ import annotations

import pytest

from dna_intake.domain.kits import Kit, KitUnknown
from dna_intake.domain.packed import PACKED_LOCI, tenths
from dna_intake.domain.profiles import AMELOGENIN, LOCI, LOCI_MIN, wrong_repeats
from dna_intake.intake import kits

ALL = sorted({kit.name: kit for kit in kits.kits().values()}.values(), key=lambda kit: kit.name)


def named(kit: Kit) -> str:
    return kit.name


def test_there_are_at_least_five_kits() -> None:
    assert len(ALL) >= 5


@pytest.mark.parametrize("kit", ALL, ids=named)
def test_a_kit_names_its_sources_and_types_enough_for_a_profile(kit: Kit) -> None:
    assert kit.sources
    assert len(kit.ladder) - 1 >= LOCI_MIN
    assert set(kit.ladder) <= set(PACKED_LOCI)
    assert frozenset({"X", "Y"}) == kit.ladder[AMELOGENIN]


@pytest.mark.parametrize("kit", ALL, ids=named)
def test_every_allele_of_a_ladder_can_be_entered(kit: Kit) -> None:
    odd = [(locus, sorted(alleles)) for locus, alleles in kit.ladder.items() if locus != AMELOGENIN]

    assert [] == [locus for locus, alleles in odd if wrong_repeats(locus, alleles)]
    assert all(tenths(allele) % 10 < LOCI[locus].repeat_bases for locus, alleles in odd for allele in alleles)


@pytest.mark.parametrize("kit", [kit for kit in ALL if kit.controls], ids=named)
def test_a_ladder_holds_what_the_kits_control_shows(kit: Kit) -> None:
    [control] = kit.controls
    shown = kits.controls()[control]

    off = [locus for locus in kit.ladder if not set(shown.get(locus, ())) <= kit.ladder[locus]]

    assert [] == off


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("globalfiler", "GlobalFiler"),
        ("PowerPlex® Fusion 6C System", "PowerPlex Fusion 6C"),
        ("powerplex21", "PowerPlex 21"),
        ("GlobalFiler+PowerPlex 21", "GlobalFiler + PowerPlex 21"),
        ("GlobalFiler + GlobalFiler", "GlobalFiler"),
    ],
)
def test_a_kit_is_known_by_its_usual_spellings(text: str, name: str) -> None:
    assert name == kits.kit(text).name


@pytest.mark.parametrize("text", ["", "+", "K1", "GlobalFiler + K1", " + ".join(["GlobalFiler"] * 4)])
def test_an_unknown_kit_is_refused_with_the_known_ones(text: str) -> None:
    with pytest.raises(KitUnknown, match="GlobalFiler") as error:
        kits.kit(text)

    assert "K1" not in str(error.value)


def test_an_allele_is_on_the_ladder_of_joined_kits_if_it_is_on_either() -> None:
    both = kits.kit("GlobalFiler + PowerPlex 21")

    assert both.on_ladder("vWA", "10")
    assert not kits.kit("GlobalFiler").on_ladder("vWA", "10")
    assert both.types("SE33")
    assert both.leaves_out("DYS391")
