"""Profiles under lock: each genotype sealed with its own key, the key wrapped by the vault key."""

from __future__ import annotations

from uuid import UUID

from contracts.base import SpecimenId
from contracts.dna import ProfileAccepted
from dna_intake import searching, store
from dna_intake.domain.custody import PROFILED, IllegalMove
from dna_intake.domain.packed import pack
from dna_intake.domain.profiles import Genotype, ProfileRefused, genotype_of
from dna_intake.laboratory import lock, mark_entered
from dna_intake.models import EnterProfile, ProfileAnswer, ProfileRow, SpecimenRow
from dna_intake.practice import Practice
from dna_intake.refusals import illegal_move, profile_refused
from guitu import vault
from guitu.problem import Problem
from guitu.tx import Tx


async def enter(tx: Tx, specimen_id: UUID, sent: EnterProfile, practice: Practice) -> ProfileAnswer:
    """Check, seal and enter a profile; the same profile sent once more changes nothing.

    Raises: Problem 404, 409 unless the specimen is quality-checked or if another profile was entered, 422
    with a line a locus.
    """
    genotype = _sound(sent)
    row = await lock(tx, specimen_id)
    before = await store.profile(tx.conn, specimen_id)
    if row.state in PROFILED and before is not None:
        return _repeated(row, before, sent.kit, genotype, practice.master)
    if row.state != "quality_checked":
        raise illegal_move(IllegalMove(row.state, "entered"))
    profile = sealed(tx, row, sent.kit, genotype, practice.master)
    await store.add_profile(tx.conn, profile)
    row = await mark_entered(tx, row, practice)
    _publish(tx, row, profile)
    await searching.profile_entered(tx, row)
    return _answer(row, profile)


def _sound(sent: EnterProfile) -> Genotype:
    try:
        return genotype_of(sent.loci)
    except ProfileRefused as error:
        raise profile_refused(error) from None


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


def _place(specimen_id: UUID) -> str:
    return f"profile|genotype|{specimen_id}"


def _repeated(
    row: SpecimenRow, before: ProfileRow, kit: str, genotype: Genotype, master: bytes
) -> ProfileAnswer:
    assert before.wrapped_key is not None, "An entered specimen has its profile."
    assert before.genotype_sealed is not None, "An entered specimen has its profile."
    key = vault.unwrap(master, before.wrapped_key, _place(row.id))
    if (before.kit, vault.open_sealed(key, before.genotype_sealed, _place(row.id))) == (
        kit,
        pack(genotype),
    ):
        return _answer(row, before)
    raise Problem(
        409,
        "profile_exists",
        "Another profile was entered for this specimen.",
        "该检材已录入另一分型。",
        "If the entered one is wrong, withdraw the specimen and register a new one.",
    )


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


def _answer(row: SpecimenRow, profile: ProfileRow) -> ProfileAnswer:
    return ProfileAnswer(**profile.model_dump(exclude={"region_code"}), state=row.state)
