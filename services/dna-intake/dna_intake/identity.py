"""The identity wall: how a specimen finds its case, and why nobody without the key can follow it.

A specimen holds a keyed hash of its case's id (to find the specimens of a case that one knows) and the id itself
sealed (for the few who must know which case something goes to). Both keys are derived from the vault key, one a
purpose, so that neither opens a profile or the other. A plain hash would hide nothing: the case ids stand in
this database, and a thief would hash each. Decision and limits: ADR 0013.
"""

from __future__ import annotations

import hmac
from uuid import UUID

from dna_intake import store
from dna_intake.models import SpecimenRow
from guitu import vault
from guitu.service import Runtime

_LINK, _SEAL, _BLIND = b"guitu.dna.case_link.v1", b"guitu.dna.case_sealed.v1", b"guitu.dna.request.v1"
MOVED_MAX = 500
"""Plain links sealed in one transaction (our own choice: short locks)."""


def link_of(master: bytes, case_id: UUID) -> bytes:
    """The link of every specimen of a case: 32 bytes that only the vault key can work out."""
    return hmac.digest(vault.derived(master, _LINK), case_id.bytes, "sha256")


def seal_case(master: bytes, specimen_id: UUID, case_id: UUID) -> bytes:
    """The case id for exactly this specimen's row; all have the same length."""
    return vault.seal(vault.derived(master, _SEAL), case_id.bytes, _place(specimen_id))


def open_case(master: bytes, row: SpecimenRow) -> UUID | None:
    """Whose case a specimen belongs to; None if to none, or if it was expunged.

    For three uses only: a case gets a fact, a lost specimen is taken again for the same case, and two reviewers
    agreed to look (the reveal, which is audited).
    Raises: guitu.vault.Tampered, if the row is not what was sealed.
    """
    if row.case_sealed is None:
        return None
    return UUID(bytes=vault.open_sealed(vault.derived(master, _SEAL), row.case_sealed, _place(row.id)))


def blinded(master: bytes, body: bytes) -> bytes:
    """A request body as the idempotency table may remember it.

    Its plain hash beside the stored answer would join the two: who knows the case ids could try each.
    """
    return hmac.digest(vault.derived(master, _BLIND), body, "sha256")


async def move_plain_links(runtime: Runtime) -> int:
    """Seal what an older version wrote in the clear, a bounded batch; returns how many specimens."""
    master = vault.master_key(runtime.settings.vault_key)
    async with runtime.tx(actor=f"guitu.{runtime.service}") as tx:
        plain = await store.lock_plain_links(tx.conn, MOVED_MAX)
        for specimen_id, case_id in plain:
            link, sealed = link_of(master, case_id), seal_case(master, specimen_id, case_id)
            await store.seal_link(tx.conn, specimen_id, link, sealed)
        if plain:
            tx.audit("dna.plain_links_sealed", specimens=len(plain))
    return len(plain)


def _place(specimen_id: UUID) -> str:
    return f"specimen|case_sealed|{specimen_id}"
