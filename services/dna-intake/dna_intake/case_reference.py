"""The name under which a case hears of a candidate: a keyed permutation of the candidate's id.

A fact for a case carries the case's id. Did it carry the candidate's id too, anybody who reads the outbox or the
topic beside this database would join the case with the family's specimen, and the identity wall would have a door
without a lock. So the case is told the id enciphered: one AES block under a key derived from the vault key. The
reveal turns it back; nobody without the key can.
"""

from __future__ import annotations

from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from guitu import vault

_PURPOSE = b"guitu.dna.candidate_reference.v1"


def reference_of(master: bytes, candidate_id: UUID) -> UUID:
    """The candidate's name in facts of its case."""
    enciphering = _block(master).encryptor()
    return UUID(bytes=enciphering.update(candidate_id.bytes) + enciphering.finalize())


def candidate_of(master: bytes, reference: UUID) -> UUID:
    """The candidate's id from its name in facts of its case."""
    deciphering = _block(master).decryptor()
    return UUID(bytes=deciphering.update(reference.bytes) + deciphering.finalize())


def _block(master: bytes) -> Cipher[modes.CBC]:
    """A permutation of 16 bytes: one block of AES-256, no two ids the same."""
    return Cipher(algorithms.AES(vault.derived(master, _PURPOSE)), modes.CBC(bytes(16)))
