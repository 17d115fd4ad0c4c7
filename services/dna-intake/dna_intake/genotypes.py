"""Profiles under lock: each genotype sealed with its own key, the key wrapped by the vault key."""

from __future__ import annotations

from uuid import UUID

from contracts.base import SpecimenId
from contracts.dna import ProfileAccepted
from dna_intake import store
from dna_intake.domain.kits import JOINED
from dna_intake.domain.packed import pack, unpack
from dna_intake.domain.profiles import Genotype
from dna_intake.laboratory import family_case, mark_entered
from dna_intake.models import ProfileAnswer, ProfileRow, SpecimenRow
from dna_intake.practice import Practice
from dna_intake.requests import compare_again
from guitu import vault
from guitu.tx import Tx


async def enter(
    tx: Tx, row: SpecimenRow, kit: str, genotype: Genotype, practice: Practice
) -> tuple[SpecimenRow, ProfileRow]:
    """Seal and enter a profile on which two people agree (`intake.readings`); the specimen is locked.

    Raises: IllegalMove, unless it is quality-checked.
    """
    profile = sealed(tx, row, kit, genotype, practice.master)
    await store.add_profile(tx.conn, profile)
    row = await mark_entered(tx, row, practice)
    _publish(tx, row, profile)
    return row, profile


async def extend(
    tx: Tx, row: SpecimenRow, before: ProfileRow, kit: str, genotype: Genotype, practice: Practice
) -> ProfileRow:
    """Add the loci of a further typing to an entered profile; the specimen is locked, shared loci are the same.

    The case waits for the comparison again, which the caller lets follow (`intake.readings.search_follows`).
    """
    alleles = {**opened(before, practice.master).alleles, **genotype.alleles}
    whole = Genotype({locus: alleles[locus] for locus in sorted(alleles)})
    kits = JOINED.join(dict.fromkeys([*before.kit.split(JOINED), *kit.split(JOINED)]))
    profile = sealed(tx, row, kits, whole, practice.master)
    await store.extend_profile(tx.conn, profile)
    _publish(tx, row, profile)
    case_id = family_case(row, practice)
    if case_id is not None:
        await compare_again(tx, case_id)
    return profile


def sealed(tx: Tx, row: SpecimenRow, kit: str, genotype: Genotype, master: bytes) -> ProfileRow:
    """The profile's row; its genotype opens only in this row, with this row's key."""
    key = vault.new_key()
    return ProfileRow(
        specimen_id=row.id,
        region_code=row.region_code,
        kit=kit,
        loci_typed=genotype.loci_typed,
        partial=genotype.partial,
        wrapped_key=vault.wrap(master, key, _place(row.id)),
        genotype_sealed=vault.seal(key, pack(genotype), _place(row.id)),
        accepted_at=tx.now,
        accepted_by=tx.actor,
    )


def opened(profile: ProfileRow, master: bytes) -> Genotype:
    """The genotype of a sealed profile, for a comparison in memory. Raises: guitu.vault.Tampered."""
    assert profile.wrapped_key is not None, "An expunged profile has nothing to open."
    assert profile.genotype_sealed is not None, "An expunged profile has nothing to open."
    place = _place(profile.specimen_id)
    key = vault.unwrap(master, profile.wrapped_key, place)
    return unpack(vault.open_sealed(key, profile.genotype_sealed, place))


def _place(specimen_id: UUID) -> str:
    return f"profile|genotype|{specimen_id}"


def _publish(tx: Tx, row: SpecimenRow, profile: ProfileRow) -> None:
    tx.publish(
        ProfileAccepted(
            region_code=row.region_code,
            exercise=row.exercise,
            occurred_at=tx.now,
            specimen_id=SpecimenId(row.id),
            kit=profile.kit,
            loci_typed=profile.loci_typed,
        )
    )
    tx.audit("dna.profile_entered", subject=row.id, loci_typed=profile.loci_typed, partial=profile.partial)


def answer(row: SpecimenRow, profile: ProfileRow) -> ProfileAnswer:
    """What may be said of an entered profile."""
    return ProfileAnswer(**profile.model_dump(exclude={"region_code"}), state=row.state)
