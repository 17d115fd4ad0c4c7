"""Two independent readings: a profile is entered when two people read the same, and neither saw the other's.

A first reading waits under lock. The second is another person's: if it agrees, the profile is entered, or held
where it may be of the wrong person (`suspicions`); if not, both wait for a third, who agrees with one of them or
voids them all. Readings are deleted once they have served. One function a command, each in an open transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from dna_intake import genotypes, searching, store
from dna_intake.domain.custody import PROFILED, IllegalMove
from dna_intake.domain.kits import JOINED, KitUnknown
from dna_intake.domain.profiles import AMELOGENIN, ProfileRefused
from dna_intake.domain.typed import Typed, as_bytes, differing, from_bytes, typed_with
from dna_intake.intake import kits, store_readings, words
from dna_intake.intake.rows import HoldRow, ReadingAnswer, ReadingRow
from dna_intake.intake.suspicions import marks_of, suspicions
from dna_intake.laboratory import lock
from dna_intake.models import EnterProfile, ProfileAnswer, ProfileRow, SpecimenRow
from dna_intake.practice import Practice
from dna_intake.refusals import illegal_move, profile_refused
from guitu import vault
from guitu.tx import Tx


@dataclass(frozen=True)
class Outcome:
    """What became of a reading."""

    kind: Literal["waiting", "entered", "held", "differs", "void"]
    row: SpecimenRow
    typed: Typed
    profile: ProfileRow | None = None
    hold: HoldRow | None = None
    loci: tuple[str, ...] = ()
    repeated: bool = False


async def read(tx: Tx, specimen_id: UUID, sent: EnterProfile, practice: Practice) -> Outcome:
    """Take one person's reading of a specimen; the same one sent again changes nothing.

    Raises: Problem 404, 409 (not quality-checked, held, another profile entered, read by the same person before),
    422 with a line a locus.
    """
    typed = sound(specimen_id, sent)
    outcome = await take(tx, await lock(tx, specimen_id), typed, practice)
    await search_follows(tx, [outcome])
    return outcome


def sound(specimen_id: UUID, sent: EnterProfile) -> Typed:
    """The reading checked against its kit. Raises: Problem 422, with the way out for a profile that failed."""
    try:
        return typed_with(
            kits.kit(sent.kit), sent.loci, sent.off_ladder_confirmed, sent.tri_allelic_confirmed
        )
    except KitUnknown as error:
        raise words.kit_unknown(str(error)) from None
    except ProfileRefused as error:
        problem = profile_refused(error)
        problem.extra |= {"offers": words.offers(specimen_id)}
        raise problem from None


async def take(
    tx: Tx, row: SpecimenRow, typed: Typed, practice: Practice, import_id: UUID | None = None
) -> Outcome:
    """The same for a sound reading of a locked specimen. Raises: Problem 409."""
    before = await store.profile(tx.conn, row.id)
    if row.state in PROFILED and before is not None:
        if not _adds_loci(before, typed, practice.master):
            return _repeated(row, before, typed, practice.master)
    elif row.state != "quality_checked":
        raise illegal_move(IllegalMove(row.state, "entered"))
    waiting = [each for each in await store_readings.readings(tx.conn, row.id) if each.state == "open"]
    held = await store_readings.open_hold(tx.conn, row.id)
    earlier = {each.read_by: _opened(each, practice.master) for each in waiting}
    if tx.actor in earlier:
        return _again(row, typed, earlier, tx.actor, held)
    if held is not None:
        raise words.profile_held(held.id)
    await _keep(tx, row, typed, practice.master, import_id, len(waiting) + 1)
    return await _compared(tx, row, typed, list(earlier.values()), practice)


async def _compared(
    tx: Tx, row: SpecimenRow, typed: Typed, earlier: list[Typed], practice: Practice
) -> Outcome:
    differences = [differing(typed, other) for other in earlier]
    if not differences:
        return Outcome("waiting", row, typed)
    if () in differences:
        return await _settle(tx, row, _together(typed, earlier[differences.index(())]), practice)
    loci = tuple(sorted({locus for found in differences for locus in found}))
    if len(differences) == 1:
        tx.audit("dna.readings_differ", subject=row.id, loci=list(loci))
        return Outcome("differs", row, typed, loci=loci)
    await store_readings.end_readings(tx.conn, row.id, "void", tx.now)
    tx.audit("dna.readings_void", subject=row.id, loci=list(loci))
    return Outcome("void", row, typed, loci=loci)


def _together(typed: Typed, other: Typed) -> Typed:
    """Two equal readings; a third allele counts as typed again only if both say so."""
    both = tuple(locus for locus in typed.three_confirmed if locus in other.three_confirmed)
    return Typed(typed.kit, typed.genotype, typed.three, both, typed.off_ladder, typed.ignored)


async def _settle(tx: Tx, row: SpecimenRow, typed: Typed, practice: Practice) -> Outcome:
    reasons = await suspicions(tx, row, typed, practice)
    if not reasons:
        return await let_in(tx, row, typed, practice)
    hold = HoldRow(
        id=tx.ids.new(),
        specimen_id=row.id,
        region_code=row.region_code,
        reasons=tuple(reasons),
        held_at=tx.now,
    )
    await store_readings.add_hold(tx.conn, hold)
    tx.audit("dna.profile_held", subject=row.id, hold=str(hold.id), reasons=[r.code for r in reasons])
    return Outcome("held", row, typed, hold=hold)


async def let_in(tx: Tx, row: SpecimenRow, typed: Typed, practice: Practice) -> Outcome:
    """Enter an agreed profile, or add its loci to the entered one; its readings are deleted, its marks kept.

    Raises: IllegalMove.
    """
    before = await store.profile(tx.conn, row.id) if row.state in PROFILED else None
    if before is None:
        row, profile = await genotypes.enter(tx, row, typed.kit, typed.genotype, practice)
    else:
        profile = await genotypes.extend(tx, row, before, typed.kit, typed.genotype, practice)
    await store_readings.end_readings(tx.conn, row.id, "entered", tx.now)
    await store_readings.add_marks(tx.conn, row.id, marks_of(practice.master, typed.genotype))
    if typed.three:
        tx.audit("dna.loci_left_out", subject=row.id, loci=sorted(typed.three))
    return Outcome("entered", row, typed, profile=profile)


async def search_follows(tx: Tx, outcomes: Sequence[Outcome]) -> None:
    """Let the search know of profiles that were entered: the last thing a transaction does.

    The generations of the index are in the order of commits, so whoever enters next waits for this commit.
    """
    for outcome in outcomes:
        if outcome.kind == "entered" and not outcome.repeated:
            await searching.profile_entered(tx, outcome.row)


def _adds_loci(before: ProfileRow, typed: Typed, master: bytes) -> bool:
    """Does this reading say the same as the entered profile where both are typed, and more elsewhere?"""
    if before.wrapped_key is None:
        return False
    known, read_now = genotypes.opened(before, master).alleles, typed.genotype.alleles
    same = all(read_now[locus] == known[locus] for locus in known.keys() & read_now.keys())
    return same and bool(read_now.keys() - known.keys() - {AMELOGENIN})


def _repeated(row: SpecimenRow, before: ProfileRow, typed: Typed, master: bytes) -> Outcome:
    if before.wrapped_key is None:
        raise words.profile_exists()
    known = genotypes.opened(before, master).alleles
    # Of a profile that was typed with several kits, each kit's reading may come again.
    parts = set(typed.kit.split(JOINED)) <= set(before.kit.split(JOINED))
    part = parts and typed.genotype.alleles.items() <= known.items()
    if not (part if before.kit != typed.kit else known == typed.genotype.alleles):
        raise words.profile_exists()
    return Outcome("entered", row, typed, profile=before, repeated=True)


def _again(
    row: SpecimenRow, typed: Typed, earlier: dict[str, Typed], reader: str, held: HoldRow | None
) -> Outcome:
    """The same reader once more: the same answer, as far as the others have come since."""
    if differing(typed, earlier[reader]):
        raise words.same_reader()
    if held is not None:
        return Outcome("held", row, typed, hold=held)
    loci = {locus for other in earlier.values() for locus in differing(typed, other)}
    return Outcome("differs" if loci else "waiting", row, typed, loci=tuple(sorted(loci)))


async def _keep(
    tx: Tx, row: SpecimenRow, typed: Typed, master: bytes, import_id: UUID | None, number: int
) -> None:
    key, reading_id = vault.new_key(), tx.ids.new()
    reading = ReadingRow(
        id=reading_id,
        specimen_id=row.id,
        region_code=row.region_code,
        kit=typed.kit,
        loci_typed=typed.genotype.loci_typed,
        partial=typed.genotype.partial,
        state="open",
        import_id=import_id,
        wrapped_key=vault.wrap(master, key, _place(reading_id)),
        reading_sealed=vault.seal(key, as_bytes(typed), _place(reading_id)),
        read_at=tx.now,
        read_by=tx.actor,
    )
    await store_readings.add_reading(tx.conn, reading)
    tx.audit("dna.profile_read", subject=row.id, reading=number, loci_typed=reading.loci_typed)


def _opened(reading: ReadingRow, master: bytes) -> Typed:
    assert reading.wrapped_key is not None, "An open reading has its key."
    assert reading.reading_sealed is not None, "An open reading has its content."
    key = vault.unwrap(master, reading.wrapped_key, _place(reading.id))
    return from_bytes(vault.open_sealed(key, reading.reading_sealed, _place(reading.id)))


def _place(reading_id: UUID) -> str:
    return f"profile_reading|content|{reading_id}"


async def agreed(tx: Tx, specimen_id: UUID, master: bytes) -> tuple[Typed, list[str]]:
    """The reading on which two people agreed, of a profile that is held; and everybody who read."""
    found = [each for each in await store_readings.readings(tx.conn, specimen_id) if each.state == "open"]
    typed = [_opened(each, master) for each in found]
    pairs = [
        _together(one, other)
        for at, one in enumerate(typed)
        for other in typed[:at]
        if not differing(one, other)
    ]
    assert pairs, "A held profile has two readings that agree."
    return pairs[0], [each.read_by for each in found]


def told(outcome: Outcome) -> ReadingAnswer | ProfileAnswer:
    """What may be said of a reading. Raises: Problem 409, for readings that differ."""
    if outcome.kind == "differs":
        raise words.readings_differ(outcome.loci)
    if outcome.kind == "void":
        raise words.readings_void(outcome.loci, outcome.row.id)
    if outcome.profile is not None:
        return genotypes.answer(outcome.row, outcome.profile)
    hold = outcome.hold
    return ReadingAnswer(
        specimen_id=outcome.row.id,
        outcome="held" if hold else "waiting",
        kit=outcome.typed.kit,
        loci_typed=outcome.typed.genotype.loci_typed,
        partial=outcome.typed.genotype.partial,
        left_out=sorted(outcome.typed.three),
        hold_id=hold.id if hold else None,
        reasons=[reason.code for reason in hold.reasons] if hold else [],
        says_en=words.HELD_EN if hold else words.WAITING_EN,
        says_zh=words.HELD_ZH if hold else words.WAITING_ZH,
    )
