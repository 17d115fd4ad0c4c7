"""Refusals that several routes share: what happened, and how to mend it, in both languages."""

from __future__ import annotations

from dataclasses import asdict

from dna_intake.domain.barcode import BarcodeMisread, read_barcode
from dna_intake.domain.custody import IllegalMove, MoveOutOfTime, SealRefused
from dna_intake.domain.profiles import ProfileRefused
from guitu.problem import Problem


def not_found(what_en: str, what_zh: str) -> Problem:
    """A 404 that does not tell whether the thing exists in another region."""
    return Problem(
        404,
        "not_found",
        f"No such {what_en} in your region.",
        f"本辖区无此{what_zh}。",
        "Check the id, or ask in the region that registered it.",
    )


def barcode_of_label(text: str) -> str:
    """The barcode that somebody scanned or typed, in its canonical form. Raises: Problem 422."""
    try:
        return read_barcode(text)
    except BarcodeMisread as error:
        raise Problem(
            422, "barcode_misread", str(error), "条码校验不符,请重新扫描。", "Scan again."
        ) from None


def illegal_move(error: IllegalMove) -> Problem:
    """A 409 that lists where the specimen may go."""
    legal = ", ".join(error.legal) or "none"
    by_profile = (
        " `entered` is reached by POST /specimens/{id}/profile only." if "entered" in error.legal else ""
    )
    problem = Problem(
        409,
        "illegal_move",
        f"A specimen that is {error.from_state} can't become {error.to_state}; legal: {legal}.",
        f"检材当前状态为{error.from_state},不能转为{error.to_state};允许:{legal}。",
        f"Make the next legal move, or look at GET /specimens/{{id}} for what was recorded.{by_profile}",
    )
    problem.extra = {"state": error.from_state, "legal": list(error.legal)}
    return problem


def moment_refused(error: MoveOutOfTime) -> Problem:
    """A 422 for a move in the future, or before the one it follows."""
    return Problem(
        422,
        "moment_refused",
        f"The moment of the move can't be: {error}",
        "流转时间不合理。",
        "Send when it happened, with its time zone, or leave `at` out for now.",
    )


def seal_refused(error: SealRefused) -> Problem:
    """A 409 or 422 about the seal; the recorded number is not told, since it must be read on the tube."""
    match error.kind:
        case "missing":
            return Problem(
                422,
                "seal_missing",
                "The move says no seal.",
                "未填写封签号。",
                "Send `seal`, the number that is read on the tube.",
            )
        case "reused":
            return Problem(
                422,
                "seal_reused",
                "The new seal has the number of the broken one.",
                "新封签号与旧封签号相同。",
                "Send the number of the new seal; if the seal was not broken, leave new_seal out.",
            )
        case "differs":
            return Problem(
                409,
                "seal_differs",
                "The seal on the tube is not the one recorded last.",
                "封签号与上次记录不符。",
                "Read the tube again. If it does bear this seal, it was opened or swapped: move it to rejected "
                "with reason seal_broken. A seal that you broke yourselves goes into `seal`, the new one into "
                "`new_seal`.",
            )


def profile_refused(error: ProfileRefused) -> Problem:
    """A 422 with a line a locus; no allele is repeated."""
    named = ", ".join(trouble.locus for trouble in error.troubles)
    problem = Problem(
        422,
        "profile_refused",
        f"The profile was not entered; please look at: {named}.",
        f"分型未录入,请核对:{named}。",
        "Mend every locus listed and send the whole profile again.",
    )
    problem.extra = {"loci": [asdict(trouble) for trouble in error.troubles]}
    return problem
