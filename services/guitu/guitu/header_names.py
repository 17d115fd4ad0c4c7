"""Header names that are no UTF-8: Kafka's protocol asks for it, no broker looks, and aiokafka's reader dies of one.

It would die again of the same message after each start, and with it every topic of the service. Its fast reader is
used as it is; a fetch in which it fails is read again by its slow one, with what can't be decoded replaced. The message
then goes the way of all rubbish. Seen with aiokafka 0.14.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords, _MemoryRecordsPy

MAGIC_WITH_HEADERS = 2


class _Bytes(bytearray):
    """Bytes whose text is always readable."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return _Bytes(found) if isinstance(at, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, "replace")


class _SlowBatch:
    """A batch of aiokafka's slow reader whose names are replaced where they can't be read."""

    def __init__(self, raw: memoryview) -> None:
        self._batch = _DefaultRecordBatchPy(raw)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        self._batch._maybe_uncompress()
        self._batch._buffer = _Bytes(self._batch._buffer)
        return iter(self._batch)


class _SlowRecords:
    """What was fetched of a partition, for the second reading."""

    def __init__(self, fetched: bytes) -> None:
        self._records = _MemoryRecordsPy(fetched)

    def has_next(self) -> bool:
        return bool(self._records.has_next())

    def next_batch(self) -> Any:
        raw = self._records._next_slice
        batch = self._records.next_batch()
        return _SlowBatch(raw) if batch.magic >= MAGIC_WITH_HEADERS else batch


class _Records:
    """What was fetched of a partition, for the fast reading, and kept for a second one."""

    def __init__(self, fetched: bytes) -> None:
        self.fetched, self._records = fetched, MemoryRecords(fetched)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._records, name)


class _PartitionRecords(fetcher.PartitionRecords):  # type: ignore[misc]
    _records: Any
    _records_iterator: Any

    def __next__(self) -> Any:
        try:
            return super().__next__()
        except UnicodeDecodeError:
            if not isinstance(self._records, _Records):
                raise
            # What was given already is skipped by its offset.
            self._records = _SlowRecords(self._records.fetched)
            self._records_iterator = self._unpack_records()
            return super().__next__()


def read_any() -> None:
    """Let every consumer of this process read such messages."""
    fetcher.MemoryRecords, fetcher.PartitionRecords = _Records, _PartitionRecords
