"""Looks for who a profile may be confused with, before it is entered: opens as few sealed profiles as it can."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from dna_intake.domain.likeness import Alleles, contradictions, marks, same_person, wrong_sex
from dna_intake.domain.packed import unpack
from dna_intake.domain.profiles import AMELOGENIN, Genotype
from dna_intake.domain.typed import Typed
from dna_intake.genotypes import opened
from dna_intake.intake import store_readings
from dna_intake.intake.rows import Reason, StaffRow
from dna_intake.models import SpecimenRow
from dna_intake.practice import Practice
from guitu import vault
from guitu.tx import Tx

ALIKE_MAX = 500
"""Profiles opened for one new one; at ten million, 51 to 84 strangers share a mark with it (`likeness.SETS`)."""
STAFF_MAX = 2_000
_GONE = ("rejected", "withdrawn", "expunged")
_MARK = b"guitu.dna.profile_mark.v1"


def marks_of(master: bytes, genotype: Genotype) -> list[tuple[int, bytes]]:
    """The keyed marks of a profile; their key is derived from the vault key (HKDF-SHA256), for this alone."""
    return marks(vault.derived(master, _MARK), genotype)


async def suspicions(tx: Tx, row: SpecimenRow, typed: Typed, practice: Practice) -> list[Reason]:
    """Every reason to hold a profile on which two people agree; empty if there is none.

    Profiles of one person, or of one family, that are entered at the same moment wait for each other.
    """
    found = list(_by_itself(row, typed))
    found += await _staff(tx, typed.genotype, practice.master)
    found += await _duplicates(tx, row, typed.genotype, practice.master)
    found += await _family(tx, row, typed.genotype, practice.master)
    return found


def _by_itself(row: SpecimenRow, typed: Typed) -> Iterator[Reason]:
    if wrong_sex(typed.genotype.alleles, row.registered_sex, row.relation):
        yield Reason(code="sex_differs", loci=(AMELOGENIN,))
    if typed.three_unconfirmed:
        yield Reason(code="three_alleles", loci=typed.three_unconfirmed)


async def _staff(tx: Tx, genotype: Genotype, master: bytes) -> list[Reason]:
    everybody = await store_readings.staff(tx.conn, STAFF_MAX)
    alike = [
        who.id for who in everybody if same_person(genotype.alleles, staff_genotype(who, master).alleles)
    ]
    return [Reason(code="staff", others=tuple(alike))] if alike else []


def staff_genotype(who: StaffRow, master: bytes) -> Genotype:
    """The genotype of an entry of the elimination list. Raises: guitu.vault.Tampered."""
    assert who.wrapped_key is not None, "A retired entry has nothing to open."
    assert who.genotype_sealed is not None, "A retired entry has nothing to open."
    key = vault.unwrap(master, who.wrapped_key, staff_place(who.id))
    return unpack(vault.open_sealed(key, who.genotype_sealed, staff_place(who.id)))


def staff_place(staff_id: UUID) -> str:
    """Where alone a staff profile opens."""
    return f"staff_profile|genotype|{staff_id}"


async def _duplicates(tx: Tx, row: SpecimenRow, genotype: Genotype, master: bytes) -> list[Reason]:
    found = marks_of(master, genotype)
    await store_readings.lock_marks(tx.conn, found)
    alike = await store_readings.marked_alike(tx.conn, found, row.id, ALIKE_MAX)
    others = await _opened(tx, alike, master)
    same = tuple(one for one, alleles in others.items() if same_person(genotype.alleles, alleles))
    return [Reason(code="duplicate", others=same)] if same else []


async def _family(tx: Tx, row: SpecimenRow, genotype: Genotype, master: bytes) -> list[Reason]:
    if row.case_link is None or row.relation is None:
        return []
    async with store_readings.everywhere(tx.conn):
        relatives = await store_readings.family(tx.conn, row.case_link, row.id, _GONE)
    profiles = await _opened(tx, list(relatives), master)
    declared = [(relatives[one], alleles) for one, alleles in profiles.items()]
    return [
        Reason(
            code="family",
            loci=tuple(loci),
            relation=other,
            others=tuple(one for one, said in relatives.items() if other in (said, "couple")),
        )
        for other, loci in contradictions(row.relation, genotype.alleles, declared)
    ]


async def _opened(tx: Tx, specimen_ids: list[UUID], master: bytes) -> dict[UUID, Alleles]:
    """The genotypes of some specimens, of any region, for a comparison in memory."""
    if not specimen_ids:
        return {}
    async with store_readings.everywhere(tx.conn):
        found = await store_readings.profiles(tx.conn, specimen_ids)
    return {profile.specimen_id: opened(profile, master).alleles for profile in found}
