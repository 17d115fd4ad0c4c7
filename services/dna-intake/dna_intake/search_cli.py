"""`guitu dna search`: who in these profile files may be whose parent, child, couple or sibling?

The files stay on this machine; nothing is asked of a service or database. Progress goes to stderr, answers to stdout.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from guitu.embedded.trouble import NodeError

if TYPE_CHECKING:
    from dna_intake.search.file_search import Answer

RELATIONS_SAID = "parent, child, couple, child_of_couple, full_sibling, or another of docs/dna_search.md"


def search(
    files: Annotated[list[Path], typer.Argument(help="Profiles: .csv, or .jsonl with one a line.")],
    query: Annotated[
        list[str] | None, typer.Option("--query", help="Specimen to search for; may be given again.")
    ] = None,
    relation: Annotated[str, typer.Option(help=f"What is sought: {RELATIONS_SAID}.")] = "parent",
    table: Annotated[str, typer.Option(help="Frequency table: a shipped one, or a file.")] = "nist1036_asian",
    mismatches: Annotated[int, typer.Option(help="Inconsistent loci to begin with; more if need be.")] = 2,
    lr_min: Annotated[float, typer.Option(help="Smallest likelihood ratio of a lead.")] = 1e4,
    leads_max: Annotated[int, typer.Option(help="Most leads told of a query; the rest is counted.")] = 100,
    population: Annotated[
        int | None, typer.Option(help="N of the prior 1/N; the number of candidates if not said.")
    ] = None,
    index: Annotated[
        Path | None, typer.Option(help="Keep the candidates there; used again if it is there.")
    ] = None,
    theta: Annotated[float, typer.Option(help="Subpopulation correction.")] = 0.01,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Search profile files for relatives; without --query everybody whose role fits is searched for.

    \b
    Example: ./guitu dna search docs/examples/search/families.csv --query C-1
    """
    from dna_intake.kinship import KinshipRefused
    from dna_intake.search.file_search import Asked, search_files
    from dna_intake.search.refusals import SearchRefused

    asked = Asked(
        tuple(files),
        tuple(query or ()),
        relation,
        table,
        mismatches,
        lr_min,
        leads_max,
        population,
        index,
        theta,
    )
    try:
        answers = list(search_files(asked, _progress, _off_ladder))
    except (SearchRefused, KinshipRefused) as error:
        raise NodeError(str(error)) from error
    except OSError as error:
        raise NodeError(
            f"{error.filename}: {error.strerror}. Give files that are there and may be used."
        ) from error
    except UnicodeDecodeError as error:
        raise NodeError(
            f"A file is not UTF-8 ({error.reason} at byte {error.start}); save it as UTF-8."
        ) from error
    if as_json:
        typer.echo(json.dumps({"answers": [_as_json(answer) for answer in answers]}, ensure_ascii=False))
        return
    for answer in answers:
        typer.echo("\n".join(_lines(answer)))


def _off_ladder(locus: str, alleles: Sequence[object]) -> str:
    """What is wrong with repeat numbers at a locus that is known: a typing error would count as a rare allele."""
    from dna_intake.domain.profiles import LOCI, locus_named

    known = LOCI.get(locus_named(locus) or locus)
    if known is None:
        return ""
    for allele in map(str, alleles):
        whole, _, bases = allele.partition(".")
        if int(bases or 0) < known.repeat_bases and known.repeats_min <= int(whole) <= known.repeats_max:
            continue
        return (
            f"{allele!r} is off ladder; plausible are {known.repeats_min} to {known.repeats_max} repeats and up to"
            f" .{known.repeat_bases - 1}; compare with the electropherogram, or leave the locus empty."
        )
    return ""


def _progress(says: str) -> None:
    print(f"  {says}", file=sys.stderr, flush=True)


def _as_json(answer: Answer) -> dict[str, Any]:
    from dna_intake.search.ranking import CAUTION_EN, CAUTION_ZH

    found = answer.found
    return {
        "query": answer.specimen,
        "relation": answer.relation,
        "table": answer.table,
        "table_sha256": answer.table_sha256,
        "examined": found.examined,
        "leads_over_lr_min": found.over,
        "overflow": found.overflow,
        "mismatches": found.mismatches,
        "complete": found.complete,
        "caution": CAUTION_EN,
        "caution_zh": CAUTION_ZH,
        "leads": [
            {
                "specimen": answer.names[each.lead.row_id],
                "log10_lr": each.lead.log10_lr,
                "posterior": each.posterior,
                "strangers_expected": each.strangers_expected,
                "inconsistent": each.lead.inconsistent,
                "loci_compared": each.lead.compared,
            }
            for each in answer.ranked
        ],
    }


def _lines(answer: Answer) -> list[str]:
    from dna_intake.search.ranking import CAUTION_EN, CAUTION_ZH

    found = answer.found
    lines = [
        f"{answer.specimen}: {found.over} leads as {answer.relation} among {found.examined:,} (table {answer.table})"
    ]
    if answer.ranked:
        lines.append(
            f"  {'specimen':<24}{'log10 LR':>9}{'posterior':>11}{'strangers':>11}{'loci':>6}  inconsistent"
        )
    for each in answer.ranked:
        lead = each.lead
        lines.append(
            f"  {answer.names[lead.row_id]:<24}{lead.log10_lr:>9.2f}{each.posterior:>11.4f}"
            f"{each.strangers_expected:>11.2g}{lead.compared:>6}  {', '.join(lead.inconsistent) or 'none'}"
        )
    if found.overflow:
        lines.append(f"  and {found.overflow} more; raise --leads-max or --lr-min.")
    if not found.complete:
        lines.append(f"  Somebody with log10 LR up to {found.beyond_log10:.1f} may have been left out.")
    return [*lines, f"  {CAUTION_EN} {CAUTION_ZH}", ""] if answer.ranked else [*lines, ""]
