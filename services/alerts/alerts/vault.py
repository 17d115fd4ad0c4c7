"""The identity vault: names, phones and photo of a case, sealed under a key of the case's own.

Deleting the wrapped key erases the data in every backup of the contents too. Each write makes a new key, so that
a key never outlives what it sealed.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import asyncpg

from alerts import store, store_file, store_photos, store_publication
from alerts.domain.case import Case
from alerts.models import nameless_text
from alerts.refusals import forgotten, not_found
from guitu import vault
from guitu.settings import Settings
from guitu.tx import Tx


async def keep(tx: Tx, settings: Settings, case: Case, identity: dict[str, Any]) -> None:
    """Seal and keep an identity in place of an older one. Raises: Problem 410 after `forget`."""
    key, place = vault.new_key(), _place(case)
    sealed = vault.seal(key, json.dumps(identity, ensure_ascii=False).encode(), place)
    wrapped = vault.wrap(vault.master_key(settings.vault_key), key, place)
    if not await store.keep_identity(tx.conn, case.id, case.region_code, wrapped, sealed, tx.now):
        raise forgotten(case.id)
    # What was made of an older photo is sealed with a key that is gone now.
    if identity.get("photo_base64"):
        await store_photos.due(tx.conn, case.id, case.region_code, tx.now)
    else:
        await store_photos.gone(tx.conn, case.id)
    tx.audit(
        "identity.kept", subject=case.id, fields=sorted(name for name, value in identity.items() if value)
    )


async def read(tx: Tx, settings: Settings, case: Case, purpose: str) -> dict[str, Any]:
    """Open the identity for a stated purpose; the reading is audited.

    Raises: Problem 404 if none was given, 410 after `forget`; Tampered if it was changed in the database.
    """
    row = await store.identity(tx.conn, case.id)
    if row is None:
        raise not_found("identity", "身份信息")
    if row["forgotten_at"] is not None:
        raise forgotten(case.id)
    tx.audit("identity.read", subject=case.id, purpose=purpose)
    return opened_identity(settings, case, row)


def opened_identity(settings: Settings, case: Case, row: asyncpg.Record) -> dict[str, Any]:
    """What a row of the vault seals; auditing the reading is for the caller. Raises: Tampered."""
    key = key_of(settings, case.id, row["wrapped_key"])
    opened: dict[str, Any] = json.loads(vault.open_sealed(key, row["sealed"], _place(case)))
    return opened


def key_of(settings: Settings, case_id: UUID, wrapped: bytes) -> bytes:
    """The case's key. Raises: Tampered."""
    return vault.unwrap(vault.master_key(settings.vault_key), wrapped, f"case_identity|sealed|{case_id}")


async def change(tx: Tx, settings: Settings, case: Case, fields: dict[str, Any]) -> None:
    """Put these fields into the identity and leave the others as they are. Raises: Problem 410 after `forget`."""
    row = await store.identity(tx.conn, case.id)
    known = await read(tx, settings, case, "change_identity") if row else {}
    await keep(tx, settings, case, known | fields)


async def kept_names(tx: Tx, settings: Settings, case: Case) -> tuple[list[str], list[str]]:
    """The child's and the parents' names, to keep them out of words that go out; the reading is audited.

    Empty if no identity was given, or it was forgotten. Raises: Tampered.
    """
    row = await store.identity(tx.conn, case.id)
    if row is None or row["forgotten_at"] is not None:
        return [], []
    identity = await read(tx, settings, case, "leave_names_out")
    return [identity.get("child_name", "")], list(identity.get("parent_names", ()))


async def told(tx: Tx, settings: Settings, case: Case, *words: str) -> list[str]:
    """Words without the kept names; empty if those can't be read, since that must hold no stand-down up."""
    try:
        child, parents = await kept_names(tx, settings, case)
    except vault.Tampered:
        return ["" for _ in words]
    return [nameless_text(each, child, parents) for each in words]


async def forget(tx: Tx, settings: Settings, case: Case, reason: str) -> None:
    """Destroy the key and what it sealed, photo, publication and notes too; the second time changes nothing."""
    # The audit log outlives the identity.
    [reason] = await told(tx, settings, case, reason)
    if await store.forget(tx.conn, case.id, case.region_code, tx.now):
        await store_photos.gone(tx.conn, case.id)
        await store_publication.withdraw(tx.conn, case.id, tx.actor, tx.now)
        await store_file.blank_words(tx.conn, case.id)
        tx.audit("identity.forgotten", subject=case.id, reason=reason)


def _place(case: Case) -> str:
    """Binds the ciphertext to its row: it can't be moved to another case."""
    return f"case_identity|sealed|{case.id}"
