"""Judges a sheet against its kit, without a database: controls first, then every sample; all troubles at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dna_intake.domain.barcode import BarcodeMisread, read_barcode
from dna_intake.domain.kits import Kit, KitUnknown, key_of
from dna_intake.domain.profiles import ProfileRefused, locus_named
from dna_intake.domain.typed import Typed, typed_with
from dna_intake.intake import kits
from dna_intake.intake.sheet import FileRefused, RowTrouble, Sample, Sheet, row_trouble

Part = Literal["specimen", "positive", "negative", "ladder"]
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
_NEGATIVE = re.compile(r"(NEG|NC|NTC|BLANK|阴性|空白)", re.I)
_POSITIVE = re.compile(r"(POS|PC|阳性)", re.I)
_LADDER = re.compile(r"(ALLELIC|LADDER|阶梯)", re.I)


@dataclass(frozen=True)
class Control:
    """A control of the plate that was as it must be."""

    line: int
    part: Part
    name: str


@dataclass(frozen=True)
class Judged:
    """A sheet whose form, controls and profiles are sound."""

    kit: str
    controls: tuple[Control, ...]
    profiles: tuple[tuple[Sample, Typed], ...]


def judge(sheet: Sheet, kit_name: str | None) -> Judged:
    """Check a whole sheet; `kit_name` goes before what the file says of a sample, and that before what it says of all.

    Raises: FileRefused, with a line a trouble: unknown kit, controls that failed, profiles that are not sound.
    """
    troubles: list[RowTrouble] = []
    controls: list[Control] = []
    profiles: list[tuple[Sample, Typed]] = []
    used: dict[str | None, Kit] = {}
    for sample in sheet.samples:
        name = kit_name or sample.kit or sheet.kit
        if name not in used:
            used[name] = _kit(name, sample)
        kit = used[name]
        part, control = part_of(sample.name, kit)
        if part == "specimen":
            _profile(kit, sample, profiles, troubles)
            continue
        wrong = _control_troubles(kit, sample, part, control)
        troubles += wrong
        controls += [] if wrong else [Control(sample.line, part, control)]
    if troubles:
        raise FileRefused(troubles)
    named = ", ".join(dict.fromkeys(kit.name for kit in used.values()))
    return Judged(named, tuple(controls), tuple(profiles))


def _kit(name: str | None, sample: Sample) -> Kit:
    try:
        return kits.kit(name or "")
    except KitUnknown as error:
        mend = "Name the kit with ?kit= (guitu dna check: --kit), or in the file."
        raise FileRefused([row_trouble(sample, "", str(error), "试剂盒未知。", mend)]) from None


def part_of(name: str, kit: Kit) -> tuple[Part, str]:
    """Is a sample a specimen or a control of the plate, and which? A label of ours is always a specimen."""
    if _is_label(name):
        return "specimen", ""
    key = key_of(name)
    named = next((control for control in kits.controls() if control in key), None)
    if named or "CONTROL007" in key or key == "007":
        return "positive", named or "DNA007"
    if _LADDER.match(key):
        return "ladder", ""
    if _NEGATIVE.match(key):
        return "negative", ""
    if _POSITIVE.match(key):
        return "positive", key_of(kit.controls[0]) if kit.controls else ""
    return "specimen", ""


def _is_label(name: str) -> bool:
    try:
        read_barcode(name)
    except BarcodeMisread:
        return _UUID.fullmatch(name.strip()) is not None
    return True


def _control_troubles(kit: Kit, sample: Sample, part: Part, control: str) -> list[RowTrouble]:
    if part == "negative":
        return [_contaminated(sample, locus) for locus in sample.loci]
    if part == "positive":
        return _positive(kit, sample, kits.controls().get(control))
    return []


def _positive(kit: Kit, sample: Sample, known: Mapping[str, Sequence[str]] | None) -> list[RowTrouble]:
    if known is None:
        return [
            row_trouble(
                sample,
                "",
                "The positive control is not one whose genotype is known here.",
                "阳性对照的分型未知。",
                f"Name the control DNA in the sample name: {', '.join(sorted(kits.controls()))}.",
            )
        ]
    typed = {locus_named(marker): set(alleles) for marker, alleles in sample.loci.items()}
    wrong = [locus for locus in kit.ladder if locus in known and typed.get(locus) != set(known[locus])]
    return [_not_as_known(sample, locus) for locus in wrong]


def _not_as_known(sample: Sample, locus: str) -> RowTrouble:
    return row_trouble(
        sample,
        locus,
        "The positive control is not as its vendor publishes it; nothing of this plate can be taken.",
        "阳性对照分型与已知不符,整板不予录入。",
        "Run the plate again; if it fails again, reject its specimens so that new samples are asked for.",
    )


def _contaminated(sample: Sample, locus: str) -> RowTrouble:
    return row_trouble(
        sample,
        locus_named(locus) or "",
        "The negative control shows DNA; nothing of this plate can be taken.",
        "阴性对照出现扩增产物,整板不予录入。",
        "Find the contamination, then amplify the plate again from the extracts.",
    )


def _profile(
    kit: Kit, sample: Sample, profiles: list[tuple[Sample, Typed]], troubles: list[RowTrouble]
) -> None:
    try:
        profiles.append((sample, typed_with(kit, sample.loci, sample.retyped, sample.retyped)))
    except ProfileRefused as error:
        troubles += [
            row_trouble(sample, trouble.locus, trouble.says_en, trouble.says_zh, trouble.mend)
            for trouble in error.troubles
        ]
