"""The registration gate (落户关): it holds every child, because nothing can be compared yet."""

from __future__ import annotations

from uuid import UUID

from contracts.base import SpecimenId
from contracts.dna import GateDecided
from dna_intake import store
from dna_intake.models import GateAnswer
from dna_intake.refusals import not_found
from guitu.problem import Problem
from guitu.tx import Tx

HOLD_EN = "The comparison is not available in this version; nothing was compared, so nothing can be cleared."
HOLD_ZH = "本版本尚未提供DNA比对功能,未进行任何比对,暂缓办理落户。"


async def ask(tx: Tx, specimen_id: UUID) -> GateAnswer:
    """Answer `hold` for the child of a specimen, and record that it was asked.

    Raises: Problem 404, 422 for the specimen of a parent.
    """
    row = await store.specimen(tx.conn, specimen_id)
    if row is None:
        raise not_found("specimen", "检材")
    if row.category == "parent_of_missing_child":
        raise Problem(
            422,
            "not_a_child",
            "The gate is for children; this specimen is of a parent.",
            "落户核查针对儿童,该检材属于父母。",
            "Send the specimen of the child who is to be registered.",
        )
    request_id = tx.ids.new()
    tx.publish(
        GateDecided(
            region_code=row.region_code,
            exercise=row.exercise,
            occurred_at=tx.now,
            specimen_id=SpecimenId(row.id),
            request_id=request_id,
            decision="hold",
            reason=HOLD_EN,
        )
    )
    tx.audit("dna.gate_asked", subject=row.id, request_id=str(request_id), decision="hold")
    return GateAnswer(
        request_id=request_id, specimen_id=row.id, decision="hold", reason_en=HOLD_EN, reason_zh=HOLD_ZH
    )
