"""What is said of readings and held profiles, in both languages; never an allele."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from dna_intake.intake.rows import Reason, ReasonCode, ReasonShown
from dna_intake.intake.sheet import FileRefused
from guitu.problem import Problem


class _Said(NamedTuple):
    en: str
    zh: str
    mend: str


REASONS: dict[ReasonCode, _Said] = {
    "sex_differs": _Said(
        "Amelogenin contradicts the registered sex or the relation.",
        "性别基因座与登记性别或亲属关系不符。",
        "Compare the labels of the extraction plate. A man may lack the Y of amelogenin: type DYS391 or Y-indel; "
        "if it shows, release with that reason, else void and sample again.",
    ),
    "three_alleles": _Said(
        "A locus has three alleles that nobody typed a second time.",
        "基因座出现三个等位基因,尚未复检确认。",
        "Amplify again; if all three are there again, release: the locus is left out of searches. Else void.",
    ),
    "staff": _Said(
        "The profile is that of a member of staff, or shares nearly all alleles with one: contamination.",
        "分型与实验室人员一致或近乎一致,疑为污染。",
        "Void, find the contamination, extract again. Release only if the staff member gave this very sample.",
    ),
    "duplicate": _Said(
        "The same profile stands under another specimen: sampled twice, tubes swapped, or identical twins.",
        "另一检材已有相同分型:重复采样、样本混淆或同卵双胞胎。",
        "Compare both chains of custody. Sampled twice or twins: release and say so. Swapped: void this one and "
        "withdraw the other, then sample both again.",
    ),
    "family": _Said(
        "The profile can't be of the person that the relation names: a parent and a child of this family differ at "
        "three loci or more.",
        "分型与所填亲属关系矛盾(三个及以上基因座不符),疑似样本混淆或关系登记错误。",
        "Compare labels and the relation in the register. Wrong relation or an adopted sibling: release and say so. "
        "Swapped tubes: void, and sample again.",
    ),
}


def shown(reason: Reason) -> ReasonShown:
    """A reason with its words."""
    said = REASONS[reason.code]
    return ReasonShown(**reason.model_dump(), says_en=said.en, says_zh=said.zh, mend=said.mend)


WAITING_EN = "The first reading is kept under lock; a second person must read the profile independently."
WAITING_ZH = "第一次判读已加密保存,须由另一人独立判读。"
HELD_EN = "Both readings agree, but the profile is held; a second person must look at the reasons."
HELD_ZH = "两次判读一致,但分型暂缓录入,须由另一人核查原因。"


def readings_differ(loci: Sequence[str]) -> Problem:
    """409: two people read differently; a third decides."""
    problem = Problem(
        409,
        "readings_differ",
        f"The two readings differ at: {', '.join(loci)}. Both are kept; nothing is entered.",
        f"两次判读不一致:{', '.join(loci)}。均已保存,未录入。",
        "A third person reads the profile: with whom it agrees, that reading is entered; with neither, all are void.",
    )
    problem.extra = {"loci": list(loci)}
    return problem


def readings_void(loci: Sequence[str], specimen_id: UUID) -> Problem:
    """409: three people, three readings."""
    problem = Problem(
        409,
        "readings_void",
        f"Three readings agree nowhere; they differ at: {', '.join(loci)}. All are void.",
        f"三次判读均不一致({', '.join(loci)}),全部作废。",
        "Type the specimen again and read anew, or reject it so that a new sample is asked for.",
    )
    problem.extra = {"loci": list(loci), "offers": offers(specimen_id)}
    return problem


def same_reader() -> Problem:
    """409: one person can't be both readers."""
    return Problem(
        409,
        "same_reader",
        "You have read this profile already, and differently; one person can't give both readings.",
        "您已判读过该分型且结果不同;同一人不能完成两次判读。",
        "Another person must read it. If your reading was wrong, theirs will differ and a third decides.",
    )


def profile_exists() -> Problem:
    """409: the specimen has its profile."""
    return Problem(
        409,
        "profile_exists",
        "Another profile was entered for this specimen.",
        "该检材已录入另一分型。",
        "If the entered one is wrong, withdraw the specimen and register a new one.",
    )


def profile_held(hold_id: UUID) -> Problem:
    """409: nothing may be read while a second person looks at a held profile."""
    problem = Problem(
        409,
        "profile_held",
        "The profile of this specimen is held; it is not read again until that is settled.",
        "该检材分型暂缓录入,核查结束前不接受新的判读。",
        f"See GET /profile-holds, then POST /profile-holds/{hold_id}/release or /void.",
    )
    problem.extra = {"hold_id": str(hold_id)}
    return problem


def kit_unknown(says: str) -> Problem:
    """422: a ladder is needed to check against."""
    return Problem(
        422, "kit_unknown", says, "试剂盒未知。", "See GET /kits; join two names by ' + ' for two kits."
    )


def file_refused(error: FileRefused) -> Problem:
    """422 with every row to mend; nothing of the file was taken."""
    problem = Problem(
        422,
        "import_refused",
        f"Nothing of the file was taken: {len(error.rows)} to mend, the first at line {error.rows[0].line or '?'}.",
        f"文件未录入任何内容:{len(error.rows)}处需改正。",
        "Mend every row listed and send the whole file again.",
    )
    problem.extra = {
        "rows": [
            {
                "line": row.line,
                "specimen": row.specimen,
                "locus": row.locus,
                "says_en": row.says_en,
                "says_zh": row.says_zh,
                "mend": row.mend,
            }
            for row in error.rows
        ]
    }
    return problem


def offers(specimen_id: UUID) -> dict[str, object]:
    """The way out of a profile that failed: reject the specimen, and its case is asked for a new sample."""
    return {
        "reject": {
            "method": "POST",
            "path": f"/specimens/{specimen_id}/moves",
            "to_state": "rejected",
            "says_en": "Reject the specimen; its family is asked for a new sample (register it as resample_of).",
            "says_zh": "退回检材,系统将重新要求采样;新检材登记时注明 resample_of。",
        }
    }
