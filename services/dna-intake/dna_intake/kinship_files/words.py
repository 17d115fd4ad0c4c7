"""A result for people at a terminal: the numbers locus by locus, then the sum and what it rests on. No verdict."""

from __future__ import annotations

from collections.abc import Sequence

from dna_intake.kinship_files.case import ModelChoice
from dna_intake.kinship_files.result import LocusResult, LrResult


def summary(result: LrResult, language: str) -> str:
    """The result in English or Chinese ("zh")."""
    zh = language == "zh"
    lines = [
        f"H1 {result.h1}",
        f"H2 {result.h2}",
        "",
        *_table(result.loci, gbt=result.mode == "gbt37223", zh=zh),
        "",
        _total(result, zh=zh),
        *_opinion(result, zh=zh),
        "",
        f"{'公式' if zh else 'formula'}     {result.formula}",
        f"{'频率表' if zh else 'table'}       {result.table.name} ({result.table.source})",
        f"{'校验' if zh else 'sha256'}      {result.table.sha256}",
    ]
    if result.model is not None:
        lines.append(f"{'模型' if zh else 'model'}       {model_words(result.model)}")
    lines += [
        f"{'模型' if zh else 'model'} {locus}: {model_words(own)}"
        for locus, own in sorted(result.locus_models.items())
    ]
    lines += [f"{'未采用' if zh else 'left out'}    {one.locus}: {one.reason}" for one in result.left_out]
    lines += [f"{'提示' if zh else 'notice'}      {notice}" for notice in result.notices]
    return "\n".join(lines)


def model_words(model: ModelChoice) -> str:
    """The model on one line."""
    mutation = model.mutation
    words = [f"theta {model.theta:g}", f"mutation {mutation.model}"]
    if mutation.model != "none":
        words.append(f"rates male {mutation.rate_male:g}, female {mutation.rate_female:g}")
    if mutation.model == "stepwise":
        words.append(f"range {mutation.range:g}, microvariants {mutation.rate_microvariant:g}")
    if mutation.stabilised:
        words.append("stabilised")
    words += [f"silent {model.silent:g}", f"minimum frequency {model.minimum_frequency:g}"]
    words += [f"linked {pair.first} and {pair.second} at {pair.recombination:g}" for pair in model.linked]
    return "; ".join(words)


def _table(loci: Sequence[LocusResult], *, gbt: bool, zh: bool) -> list[str]:
    head = (
        f"{'基因座' if zh else 'locus':<16}{'log10 PI' if gbt else 'log10 LR':>12}{'PI' if gbt else 'LR':>14}"
    )
    lines = [head + ("  " + ("公式" if zh else "formula") if gbt else "")]
    for one in loci:
        if one.log10_lr is None:
            shown = f"{'不可能' if zh else 'impossible under H1':>26}"
        else:
            shown = f"{one.log10_lr:>12.6f}{_number(one.lr):>14}"
        formula = f"  {one.formula}{', inconsistent' if one.inconsistent else ''}" if gbt else ""
        lines.append(f"{one.locus:<16}{shown}{formula}")
    return lines


def _total(result: LrResult, *, zh: bool) -> str:
    name = "CPI" if result.mode == "gbt37223" else "LR"
    if result.log10_lr is None:
        where = ", ".join(result.impossible)
        return f"LR 0: H1在{where}不可能成立。" if zh else f"LR 0: H1 can't be, at {where}."
    lr = f" ({name} {_number(result.lr)})" if result.lr is not None else ""
    count = len(result.loci)
    return f"log10 {name} {result.log10_lr:.6f}{lr}, {count} {'个基因座' if zh else 'loci'}"


def _opinion(result: LrResult, *, zh: bool) -> list[str]:
    if result.opinion is None:
        return []
    found = result.opinion
    lines = [found.zh if zh else found.en]
    if found.inconsistent_loci:
        lines.append(f"{'不符合' if zh else 'inconsistent'}: {', '.join(found.inconsistent_loci)}")
    if found.other_parent_inconsistent_loci:
        other = ", ".join(found.other_parent_inconsistent_loci)
        lines.append(f"{'另一方父母不符合' if zh else 'inconsistent with the known parent'}: {other}")
    return [*lines, found.basis]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
