"""Sealed data: AES-256-GCM, a key of its own for each case or profile, wrapped by the node's vault key.

Deleting the wrapped key erases what it sealed, in every backup too. The additional data binds a ciphertext to
its row, so that it can't be moved to another one. Nonces are 96 random bits (NIST SP 800-38D).
"""

from __future__ import annotations

import base64
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

KEY_BYTES = 32
_NONCE_BYTES = 12


class Tampered(Exception):
    """The ciphertext, its row or its key is not what was sealed."""


def master_key(setting: SecretStr) -> bytes:
    """The node's vault key. Raises: ValueError, with the mend, if it is not 32 bytes in base64."""
    key = base64.b64decode(setting.get_secret_value() or "", validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError("GUITU_VAULT_KEY must be the base64 of 32 random bytes.")
    return key


def new_key() -> bytes:
    """A fresh key for one case or one profile."""
    return secrets.token_bytes(KEY_BYTES)


def derived(master: bytes, purpose: bytes) -> bytes:
    """A key for one purpose alone, by HKDF-SHA256 (RFC 5869); no salt, since the vault key is uniformly random."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose).derive(master)


def seal(key: bytes, plaintext: bytes, aad: str) -> bytes:
    """Encrypt for exactly the place that `aad` names (table|column|row)."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, aad.encode())


def open_sealed(key: bytes, sealed: bytes, aad: str) -> bytes:
    """Decrypt. Raises: Tampered, if anything differs from what was sealed."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], aad.encode())
    except (InvalidTag, ValueError):
        raise Tampered(f"What is stored for {aad.partition('|')[0]} can't be opened with its key.") from None


def wrap(master: bytes, key: bytes, aad: str) -> bytes:
    """Seal a key under the node's vault key."""
    return seal(master, key, f"key|{aad}")


def unwrap(master: bytes, wrapped: bytes, aad: str) -> bytes:
    """Open a wrapped key. Raises: Tampered."""
    return open_sealed(master, wrapped, f"key|{aad}")
