"""Sealed rows as arrays: what PostgreSQL sends in binary, opened row by row and unpacked all at once.

Two AES-GCM openings a profile, the wrapped key and the genotype, are most of what a rebuild costs; so everything
around them is done on whole arrays. Plaintext lies in this process's memory only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from numpy.typing import NDArray

from dna_intake.domain.packed import LENGTH, VERSION, unpack_many
from dna_intake.models_search import SealedProfile

NONCE = 12
TAG = 16
WRAPPED = NONCE + 32 + TAG
SEALED = NONCE + LENGTH + TAG
_COPY_HEADER = 19
_END = b"\xff\xff"
_WIDTHS = (36, 2, 4, 32, WRAPPED, SEALED)
ROW = np.dtype(
    [
        ("fields", ">i2"),
        ("l0", ">i4"), ("text", "S36"),
        ("l1", ">i4"), ("kind", ">i2"),
        ("l2", ">i4"), ("key_hash", ">i4"),
        ("l3", ">i4"), ("link", "V32"),
        ("l4", ">i4"), ("wrapped", f"V{WRAPPED}"),
        ("l5", ">i4"), ("sealed", f"V{SEALED}"),
    ]
)  # fmt: skip


class StrangeRow(ValueError):
    """What PostgreSQL sent is not the rows that were asked for; a programming error or a changed table."""


@dataclass(frozen=True)
class OpenedRows:
    """Profiles in the clear: ids as 16 bytes each, alleles in tenths; `unreadable` were left out."""

    ids: NDArray[np.void]
    kinds: NDArray[np.uint8]
    key_hashes: NDArray[np.int32]
    links: NDArray[np.void] = field(repr=False)
    alleles: NDArray[np.uint16] = field(repr=False)
    unreadable: int = 0


def rows_of(answer: bytes | bytearray) -> NDArray[np.void]:
    """The rows of a binary COPY as a structured array. Raises: StrangeRow."""
    if len(answer) < _COPY_HEADER + 2 or answer[-2:] != _END:
        raise StrangeRow("The answer of COPY is cut short.")
    body = memoryview(answer)[_COPY_HEADER:-2]
    if len(body) % ROW.itemsize:
        raise StrangeRow(f"Rows are not {ROW.itemsize} bytes each; has a sealed profile another length?")
    rows: NDArray[np.void] = np.frombuffer(body, dtype=ROW)
    for place, width in enumerate(_WIDTHS):
        if not (rows[f"l{place}"] == width).all():
            raise StrangeRow(
                f"Field {place} of a row is not {width} bytes; has a sealed profile another length?"
            )
    return rows


def opened(rows: NDArray[np.void], master: bytes) -> OpenedRows:
    """Unwrap, open and unpack. A row that can't be opened is left out and counted: it must not stop all others."""
    packed, good = open_all(rows["text"], rows["wrapped"], rows["sealed"], master)
    if not good.all():
        rows = rows[good]
    text = b"".join(rows["text"].tolist()).replace(b"-", b"")
    ids = np.frombuffer(bytes.fromhex(text.decode()), dtype="V16")
    return OpenedRows(
        ids=ids,
        kinds=rows["kind"].astype(np.uint8),
        key_hashes=rows["key_hash"].astype(np.int32),
        links=rows["link"].copy(),
        alleles=unpack_many(packed),
        unreadable=int((~good).sum()),
    )


def opened_profiles(profiles: Sequence[SealedProfile], master: bytes) -> OpenedRows:
    """The same for a few profiles that came one by one."""
    rows = np.zeros(len(profiles), dtype=ROW)
    for place, each in enumerate(profiles):
        right = len(each.wrapped_key) == WRAPPED and len(each.genotype_sealed) == SEALED
        rows[place]["text"] = str(each.specimen_id).encode()
        rows[place]["kind"] = int(each.kind)
        rows[place]["key_hash"] = each.key_hash
        rows[place]["link"] = np.void(each.case_link or bytes(32))
        rows[place]["wrapped"] = np.void(each.wrapped_key if right else bytes(WRAPPED))
        rows[place]["sealed"] = np.void(each.genotype_sealed if right else bytes(SEALED))
    return opened(rows, master)


def open_all(
    texts: NDArray[np.bytes_], wrapped: NDArray[np.void], sealed: NDArray[np.void], master: bytes
) -> tuple[list[bytes], NDArray[np.bool_]]:
    """The packed genotypes of those that open, and which do.

    The place names are `guitu.vault`'s and `genotypes`', written here as bytes; a test holds them together.
    """
    unwrap = AESGCM(master).decrypt
    packed: list[bytes] = []
    good = np.ones(len(texts), dtype=bool)
    known = bytes([VERSION])
    columns = zip(texts.tolist(), wrapped.tolist(), sealed.tolist(), strict=True)
    for place, (text, box, secret) in enumerate(columns):
        name = b"profile|genotype|" + text
        try:
            key = unwrap(box[:NONCE], box[NONCE:], b"key|" + name)
            plain = AESGCM(key).decrypt(secret[:NONCE], secret[NONCE:], name)
        except (InvalidTag, ValueError):
            good[place] = False
            continue
        if plain[:1] != known:
            good[place] = False
            continue
        packed.append(plain)
    return packed, good
