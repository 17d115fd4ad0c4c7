"""What alerts refuses, said so that the caller can mend it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from alerts.domain.area import Box
from alerts.domain.case import Case
from guitu.problem import Problem
from guitu.stream import FactRefused


class ReportRefused(FactRefused):
    """A report from a topic that can't become a case; its text is the reason of the dead letter."""


def not_found(noun_en: str, noun_zh: str) -> Problem:
    """Neither whether it exists elsewhere nor in whose region is said."""
    return Problem(
        404,
        "not_found",
        f"There is no such {noun_en} in your region.",
        f"本辖区没有该{noun_zh}。",
        "Check the id with GET /cases.",
    )


def in_future(field: str, moment: datetime, now: datetime) -> Problem:
    """A time that has not come."""
    return Problem(
        422,
        "time_in_future",
        f"{field} is {moment.isoformat()}, but it is {now.isoformat(timespec='seconds')} now.",
        f"{field} 晚于当前时间。",
        "Send the time with its offset, e.g. 2026-03-01T14:05:00+08:00.",
    )


def too_long_ago(field: str, moment: datetime) -> Problem:
    """A time in which nobody who is a child now was born."""
    return Problem(
        422,
        "time_too_long_ago",
        f"{field} is {moment.isoformat()}: that is more than a hundred years ago.",
        f"{field} 早于一百年前。",
        "Send the time with its offset, e.g. 2026-03-01T14:05:00+08:00.",
    )


def outside_area(region_code: str, box: Box) -> Problem:
    """The place is not in the region; the position itself stays out of the text."""
    return Problem(
        422,
        "position_outside_region",
        f"last_seen_place lies outside region {region_code}: longitude {box.west:.2f} to {box.east:.2f}, "
        f"latitude {box.south:.2f} to {box.north:.2f}.",
        f"最后出现地点不在辖区{region_code}范围内。",
        "Check that lon and lat are not swapped and are WGS-84; a child of another region is reported there.",
    )


def region_unknown(region_code: str) -> Problem:
    """No outline, so no check, so no report."""
    return Problem(
        422,
        "region_unknown",
        f"Region {region_code} has no outline on this node.",
        f"本系统未配置辖区{region_code}。",
        "Report to that region's own command centre, or add its outline to GUITU_AREA_OUTLINES.",
    )


def case_closed(case: Case) -> Problem:
    """The case ended another way, and that is final."""
    into = f" It was merged into {case.merged_into}; act there." if case.merged_into else ""
    return Problem(
        409,
        "case_closed",
        f"Case {case.case_code} was stood down as {case.outcome}; that is final.{into}",
        f"案件{case.case_code}已解除,不能再更改。",
        f"Use case {case.merged_into}."
        if case.merged_into
        else "File a new report if the child is missing again.",
    )


def outcome_refused(says: str) -> Problem:
    """The outcome does not fit the case."""
    return Problem(409, "outcome_refused", says, "该结论不适用于本案件。", "Choose another outcome.")


def merge_refused(says_en: str, says_zh: str) -> Problem:
    """These two cases can't become one."""
    return Problem(
        409, "merge_refused", says_en, says_zh, "Choose an open case of the same kind with GET /cases."
    )


def body_too_large(size: int, most: int) -> Problem:
    """Everything but the photo is small."""
    return Problem(
        413,
        "body_too_large",
        f"The report without its photo has {size} bytes; {most} is the most.",
        "报警内容过长(照片除外)。",
        "Shorten the texts.",
    )


def forgotten(case_id: UUID) -> Problem:
    """The key is destroyed; nobody can bring the data back."""
    return Problem(
        410,
        "identity_forgotten",
        f"The identity of case {case_id} was erased for good.",
        "该案件的身份信息已永久删除。",
        "Nothing can be read or added; open a new case if the child is missing again.",
    )
