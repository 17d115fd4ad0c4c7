"""The elimination list: profiles of laboratory staff under a code, to notice contamination; never searched."""

from __future__ import annotations

from uuid import UUID

from dna_intake.domain.kits import KitUnknown
from dna_intake.domain.packed import pack
from dna_intake.domain.profiles import ProfileRefused
from dna_intake.domain.typed import typed_with
from dna_intake.intake import kits, store_readings, words
from dna_intake.intake.rows import RegisterStaff, StaffAnswer, StaffRow
from dna_intake.intake.suspicions import staff_place
from dna_intake.practice import Practice
from dna_intake.refusals import not_found, profile_refused
from guitu import vault
from guitu.problem import Problem
from guitu.tx import Tx


async def register(tx: Tx, sent: RegisterStaff, practice: Practice) -> StaffAnswer:
    """Seal a staff member's profile; from now on, what is entered is compared with it.

    Raises: Problem 409 if the code has one, 422 with a line a locus.
    """
    try:
        typed = typed_with(kits.kit(sent.kit), sent.loci)
    except KitUnknown as error:
        raise words.kit_unknown(str(error)) from None
    except ProfileRefused as error:
        raise profile_refused(error) from None
    staff_id, key = tx.ids.new(), vault.new_key()
    row = StaffRow(
        id=staff_id,
        region_code=sent.region_code,
        staff_code=sent.staff_code,
        kit=typed.kit,
        loci_typed=typed.genotype.loci_typed,
        wrapped_key=vault.wrap(practice.master, key, staff_place(staff_id)),
        genotype_sealed=vault.seal(key, pack(typed.genotype), staff_place(staff_id)),
        registered_at=tx.now,
        registered_by=tx.actor,
    )
    if not await store_readings.add_staff(tx.conn, row):
        raise Problem(
            409,
            "staff_code_taken",
            "This staff code has a profile already.",
            "该人员代码已有分型。",
            "Retire the old one first: DELETE /staff-profiles/{id}.",
        )
    tx.audit("dna.staff_profile_registered", subject=row.id)
    return shown(row)


async def retire(tx: Tx, staff_id: UUID) -> None:
    """Delete a staff profile's key and genotype for good. Raises: Problem 404."""
    if not await store_readings.retire_staff(tx.conn, staff_id, tx.now):
        raise not_found("staff profile", "人员分型")
    tx.audit("dna.staff_profile_retired", subject=staff_id)


def shown(row: StaffRow) -> StaffAnswer:
    """What may be said of an entry."""
    return StaffAnswer(**row.model_dump())
