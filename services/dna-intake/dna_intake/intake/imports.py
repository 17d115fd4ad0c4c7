"""A file of profiles, all or nothing: each of its samples is one reading by whoever uploads it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from dna_intake.domain.barcode import BarcodeMisread, read_barcode
from dna_intake.domain.typed import Typed
from dna_intake.identity import blinded
from dna_intake.intake import store_readings
from dna_intake.intake.files import read_file
from dna_intake.intake.plate import Judged, judge
from dna_intake.intake.readings import Outcome, search_follows, take
from dna_intake.intake.rows import ImportAnswer, ImportedSample
from dna_intake.intake.sheet import FileRefused, RowTrouble, Sample, Sheet, row_trouble
from dna_intake.intake.suspicions import marks_of
from dna_intake.models import SpecimenRow
from dna_intake.practice import Practice
from guitu.problem import Problem
from guitu.tx import Tx


class DryRun(Exception):
    """The end of a rehearsal: the transaction must not commit; `answer` is what would have been."""

    def __init__(self, answer: ImportAnswer) -> None:
        super().__init__("A rehearsal ends without a commit.")
        self.answer = answer


async def prepared(raw: bytes, content_type: str, kit: str | None) -> tuple[Sheet, Judged]:
    """Read and judge a file, in a thread: a large one takes longer than others may wait. Raises: FileRefused."""

    def work() -> tuple[Sheet, Judged]:
        sheet = read_file(raw, content_type)
        return sheet, judge(sheet, kit)

    return await asyncio.to_thread(work)


async def take_file(
    tx: Tx, raw: bytes, read: tuple[Sheet, Judged], region_code: str, practice: Practice, *, dry_run: bool
) -> ImportAnswer:
    """Take every sample as a reading by this person; the same file of the same person again changes nothing.

    Unless a reading from it became void since: then the file is read anew.
    Raises: FileRefused with a line a trouble; DryRun, if it was a rehearsal. Neither may commit.
    """
    sheet, judged = read
    digest = blinded(practice.master, judged.kit.encode() + b"|" + raw)
    before = None if dry_run else await _imported(tx, digest)
    if before is not None and not await _reads_anew(tx, before):
        return before.model_copy(update={"repeated": True})
    import_id = (before and before.import_id) or tx.ids.new()
    outcomes = await _taken(tx, judged, practice, import_id)
    answer = ImportAnswer(
        import_id=None if dry_run else import_id,
        dry_run=dry_run,
        format=sheet.format,
        kit=judged.kit,
        controls=len(judged.controls),
        samples=[_shown(sample, outcome) for sample, outcome in outcomes],
    )
    if dry_run:
        raise DryRun(answer)
    await store_readings.add_import(
        tx.conn, import_id, region_code, tx.actor, digest, answer.model_dump(mode="json"), tx.now
    )
    tx.audit("dna.profiles_imported", subject=import_id, samples=len(outcomes), controls=answer.controls)
    await search_follows(tx, [outcome for _, outcome in outcomes])
    return answer


async def _imported(tx: Tx, digest: bytes) -> ImportAnswer | None:
    stored = await store_readings.imported(tx.conn, tx.actor, digest)
    return None if stored is None else ImportAnswer.model_validate(stored)


async def _reads_anew(tx: Tx, before: ImportAnswer) -> bool:
    """Has a reading from this file become void since? Then the file is how its reader begins anew.

    A sample whose own answer was that all readings are void is no such one: there it is only asked twice.
    """
    assert before.import_id is not None, "A rehearsal is not remembered."
    void = await store_readings.void_since(tx.conn, before.import_id)
    return any(each.specimen_id in void for each in before.samples if each.outcome != "void")


async def _taken(tx: Tx, judged: Judged, practice: Practice, import_id: UUID) -> list[tuple[Sample, Outcome]]:
    troubles: list[RowTrouble] = []
    specimens = await _specimens(tx, judged.profiles, troubles)
    await _lock_in_order(tx, judged, specimens, practice.master)
    outcomes: list[tuple[Sample, Outcome]] = []
    for sample, typed in judged.profiles:
        row = specimens.get(sample.name)
        if row is None:
            continue
        try:
            outcomes.append((sample, await take(tx, row, typed, practice, import_id)))
        except Problem as problem:
            troubles.append(
                row_trouble(sample, "", problem.detail_en, problem.detail_zh, problem.mend or "See /docs.")
            )
    if troubles:
        raise FileRefused(sorted(troubles, key=lambda trouble: trouble.line or 0))
    return outcomes


async def _lock_in_order(tx: Tx, judged: Judged, specimens: Mapping[str, SpecimenRow], master: bytes) -> None:
    """Lock the people and families that second readings are compared with, all before the first comparison.

    One by one, in the order of the file, two files about the same families would lock each other up.
    """
    begun = await store_readings.begun(tx.conn, [row.id for row in specimens.values()])
    found = [(specimens.get(sample.name), typed) for sample, typed in judged.profiles]
    second = [(row, typed) for row, typed in found if row is not None and row.id in begun]
    marks = [mark for _, typed in second for mark in marks_of(master, typed.genotype)]
    await store_readings.lock_marks(tx.conn, marks)
    await store_readings.lock_families(tx.conn, [row.case_link for row, _ in second if row.case_link])


async def _specimens(
    tx: Tx, profiles: tuple[tuple[Sample, Typed], ...], troubles: list[RowTrouble]
) -> Mapping[str, SpecimenRow]:
    """The specimen of each sample's name, locked; a name that is none, or one of a second sample, is a trouble."""
    wanted: dict[str, UUID | str] = {}
    for sample, _ in profiles:
        key = _label(sample.name)
        if key is None:
            troubles.append(_no_label(sample))
        elif key in wanted.values():
            troubles.append(_twice(sample))
        else:
            wanted[sample.name] = key
    ids = [key for key in wanted.values() if isinstance(key, UUID)]
    barcodes = [key for key in wanted.values() if isinstance(key, str)]
    rows = await store_readings.lock_specimens(tx.conn, ids, barcodes)
    by: dict[Any, SpecimenRow] = {row.id: row for row in rows} | {row.barcode: row for row in rows}
    found = {name: by[key] for name, key in wanted.items() if key in by}
    samples = {sample.name: sample for sample, _ in profiles}
    troubles += [_not_here(samples[name]) for name in wanted if name not in found]
    seen: set[UUID] = set()
    for name, row in found.items():
        troubles += [_twice(samples[name])] if row.id in seen else []
        seen.add(row.id)
    return found


def _label(name: str) -> UUID | str | None:
    try:
        return UUID(name) if len(name) == 36 else read_barcode(name)
    except (ValueError, BarcodeMisread):
        return None


def _no_label(sample: Sample) -> RowTrouble:
    return row_trouble(
        sample,
        "",
        "The sample is named by neither a barcode nor a specimen id, or the barcode was misread.",
        "样本名称不是有效的条码或检材编号。",
        "Put the barcode of the label into the sample name; never a person's name.",
    )


def _not_here(sample: Sample) -> RowTrouble:
    return row_trouble(
        sample,
        "",
        "No such specimen in your region.",
        "本辖区无此检材。",
        "Register it first, or compare the label.",
    )


def _twice(sample: Sample) -> RowTrouble:
    return row_trouble(
        sample, "", "The specimen is there twice.", "检材重复。", "Send each specimen once a file."
    )


def _shown(sample: Sample, outcome: Outcome) -> ImportedSample:
    return ImportedSample(
        line=sample.line,
        specimen_id=outcome.row.id,
        outcome=outcome.kind,
        loci_typed=outcome.typed.genotype.loci_typed,
        partial=outcome.typed.genotype.partial,
        left_out=sorted(outcome.typed.three),
        loci=list(outcome.loci),
    )
