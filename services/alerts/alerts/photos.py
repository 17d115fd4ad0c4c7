"""A child's photo: brought when it is there, made small by a process of its own, released by a publication alone.

The alert never waits for it: what comes with a report is kept at once and looked at afterwards.
"""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

import asyncpg

from alerts import store, store_photos, vault
from alerts.domain.case import Case
from alerts.pictures import PIXELS_MAX, Renditions, renditions, trouble_with
from guitu.problem import Problem
from guitu.service import Runtime
from guitu.settings import Settings
from guitu.tx import Tx
from guitu.vault import open_sealed, seal
from guitu.worker import Worker, WorkerTrouble

DEADLINE_S = 15.0
LEASE = timedelta(seconds=60)
BATCH = 4
ATTEMPTS_MAX = 3
"""A picture that ends its process three times will end it again."""
NICE = 5
Kind = Literal["notice", "poster"]


def worker_of(runtime: Runtime) -> Worker:
    """The process that opens pictures and draws posters; started at the first need."""
    worker: Worker = runtime.state.setdefault("pictures", Worker(NICE, "alerts.poster"))
    return worker


async def check(runtime: Runtime, photo: bytes) -> None:
    """Refuse what is no usable picture, before anything is stored. Raises: Problem 422."""
    try:
        trouble = await worker_of(runtime).run(trouble_with, photo, deadline_s=DEADLINE_S)
    except WorkerTrouble as failed:
        trouble = failed.reason
    if trouble:
        raise photo_refused(trouble)


async def make_due(runtime: Runtime) -> int:
    """Make the renditions of photos that are due; returns how many were looked at."""
    async with runtime.tx(actor=f"guitu.{runtime.service}") as tx:
        claimed = await store_photos.claim(tx.conn, tx.now, LEASE, BATCH)
    for case_id, attempts in claimed:
        await _make(runtime, case_id, attempts)
    return len(claimed)


async def _make(runtime: Runtime, case_id: UUID, attempts: int) -> None:
    async with runtime.tx(actor=f"guitu.{runtime.service}") as tx:
        opened = await _open_photo(tx, runtime.settings, case_id)
    if opened is None:
        return
    wrapped, key, photo = opened
    try:
        made: Renditions | str = await worker_of(runtime).run(renditions, photo, deadline_s=DEADLINE_S)
    except WorkerTrouble as trouble:
        if attempts < ATTEMPTS_MAX:
            return  # The lease runs out, and then it is due again.
        made = trouble.reason
    async with runtime.tx(actor=f"guitu.{runtime.service}") as tx:
        await _settle(tx, case_id, wrapped, key, made)


async def _open_photo(tx: Tx, settings: Settings, case_id: UUID) -> tuple[bytes, bytes, bytes] | None:
    """The wrapped key, the key and the photo; None if the photo was forgotten meanwhile. The reading is audited."""
    case, row = await store.case(tx.conn, case_id), await store.identity(tx.conn, case_id)
    if case is None or row is None or row["forgotten_at"] is not None:
        return None
    identity = await vault.read(tx, settings, case, "photo_renditions")
    if not identity.get("photo_base64"):
        return None
    key = vault.key_of(settings, case_id, row["wrapped_key"])
    return row["wrapped_key"], key, base64.b64decode(identity["photo_base64"])


async def _settle(tx: Tx, case_id: UUID, wrapped: bytes, key: bytes, made: Renditions | str) -> None:
    if isinstance(made, str):
        if await store_photos.refused(tx.conn, case_id, wrapped, made):
            tx.audit("photo.refused", subject=case_id, reason=made)
        return
    sealed = {kind: seal(key, getattr(made, kind), _place(case_id, kind)) for kind in Renditions._fields}
    if await store_photos.made(tx.conn, case_id, wrapped, sealed["notice"], sealed["poster"], tx.now):
        tx.audit("photo.made", subject=case_id, notice_bytes=len(made.notice))


async def state(conn: asyncpg.Connection, case_id: UUID) -> dict[str, Any]:
    """`none`, `due`, `made` or `refused` with its reason."""
    row = await store_photos.photo(conn, case_id)
    return {"state": row["state"], "reason": row["reason"]} if row else {"state": "none", "reason": ""}


async def rendition(conn: asyncpg.Connection, settings: Settings, case_id: UUID, kind: Kind) -> bytes | None:
    """An opened rendition; None while there is none. Whether it may be seen is for the caller. Raises: Tampered."""
    row = await store_photos.photo(conn, case_id)
    if row is None or row["state"] != "made":
        return None
    key = vault.key_of(settings, case_id, row["wrapped_key"])
    return open_sealed(key, row[kind], _place(case_id, kind))


async def add(tx: Tx, settings: Settings, case: Case, photo: bytes) -> None:
    """Put a checked photo into the sealed identity, beside what is there. Raises: Problem 410 after `forget`."""
    await vault.change(tx, settings, case, {"photo_base64": base64.b64encode(photo).decode()})


def _place(case_id: UUID, kind: str) -> str:
    return f"case_photo|{kind}|{case_id}"


_WHY = {
    "unreadable": (
        "It is not a whole JPEG, PNG or WebP picture",
        "无法识别,请使用完整的 JPEG、PNG 或 WebP 图片",
    ),
    "too_many_pixels": (
        f"It has more than {PIXELS_MAX // 1_000_000} million pixels",
        f"像素超过{PIXELS_MAX // 10_000}万",
    ),
}
_ELSE = ("Opening it took too long or ended the process", "打开图片超时或失败")


def photo_refused(trouble: str) -> Problem:
    """Nothing was stored."""
    en, zh = _WHY.get(trouble, _ELSE)
    return Problem(
        422,
        f"photo_{trouble}",
        f"The photo can't be used. {en}.",
        f"照片不可用:{zh}。",
        "Take another picture, or save it again as JPEG with a phone or an image viewer.",
    )
