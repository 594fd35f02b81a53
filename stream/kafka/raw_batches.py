"""The record batches of a fetch response, as one record: aiokafka's fetcher without its unpacking.

What the original does about control batches, aborted transactions, checksums and the fetch position is kept.
Other topics keep the original. Beside it, per partition, how far the handing on is.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import crc32c
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.structs import ConsumerRecord

_HEADER = struct.Struct(">qiibIhiqqq")
_HEADER_BYTES = 61
_LENGTH_AFTER, _CRC_FROM = 12, 21
_TRANSACTIONAL, _CONTROL = 0x10, 0x20
_ABORT_MARKER = 0
_READ_COMMITTED = 1
NEXT_OFFSET, FIRST_OFFSET, FETCHED = "respite-next", "respite-first", "respite-fetched"

_OriginalPartitionRecords = fetcher.PartitionRecords
_OriginalMemoryRecords = fetcher.MemoryRecords
raw_topics: set[str] = set()
#: Per partition, the offset after the last chunk handed on. Written by aiokafka's thread before it moves
#: its position, so "position at the end and all handed on is processed" can be asked from another one.
handed_on: dict[TopicPartition, int] = {}
#: Per partition, the position after the newest response, handed on or not.
_moved_to: dict[TopicPartition, int] = {}
#: Per partition, where reading began after the newest assignment.
started_at: dict[TopicPartition, int] = {}


class _KeptRecords:
    """aiokafka's reader of record batches, keeping the bytes it was made from."""

    def __init__(self, data: bytes) -> None:
        self.raw = data
        self._inner = _OriginalMemoryRecords(data)

    def has_next(self) -> bool:
        return bool(self._inner.has_next())

    def next_batch(self) -> Any:
        return self._inner.next_batch()

    def size_in_bytes(self) -> int:
        return int(self._inner.size_in_bytes())


class RawPartitionRecords(_OriginalPartitionRecords):  # type: ignore[misc,valid-type]
    """The record batches of one fetch response of one partition, as one record."""

    next_fetch_offset: int

    def _unpack_records(self) -> Iterator[ConsumerRecord[None, bytes]]:
        raw = memoryview(self._records.raw)
        first_offset = self._contiguous_from()
        following = self.next_fetch_offset
        kept: list[memoryview] = []
        newest_ms = 0
        for batch in self._batches(raw):
            if batch.next_offset > following and self._is_kept(batch):
                kept.append(raw[batch.start : batch.end])
                newest_ms = max(newest_ms, batch.max_ms)
            following = max(following, batch.next_offset)
        # Only now: after a damaged batch aiokafka goes on at this offset, and nothing was handed on yet.
        self.next_fetch_offset = following
        _moved_to[self._tp] = following
        if not kept:
            return
        value = b"".join(kept)
        handed_on[self._tp] = self.next_fetch_offset
        yield ConsumerRecord(
            self._tp.topic,
            self._tp.partition,
            self.next_fetch_offset - 1,
            newest_ms,
            1,
            None,
            value,
            None,
            -1,
            len(value),
            ((NEXT_OFFSET, self.next_fetch_offset), (FIRST_OFFSET, first_offset), (FETCHED, time.time())),
        )

    def _contiguous_from(self) -> int:
        """The offset after the last chunk, when what lay between was read and held nothing to hand on."""
        start = started_at.get(self._tp, self.next_fetch_offset)
        if self.next_fetch_offset == _moved_to.get(self._tp, start):
            return handed_on.get(self._tp, start)
        return self.next_fetch_offset

    def _batches(self, raw: memoryview) -> Iterator[_Header]:
        at = 0
        while len(raw) - at >= _HEADER_BYTES:
            base, length, _, magic, crc, attributes, last_delta, _, max_ms, producer = _HEADER.unpack_from(
                raw, at
            )
            end = at + _LENGTH_AFTER + length
            if end > len(raw):
                return
            if magic != 2:
                raise CorruptRecordException(f"record batch of format {magic} in {self._tp}, known is 2")
            if self._check_crcs and crc32c.crc32c(raw[at + _CRC_FROM : end]) != crc:
                raise CorruptRecordException(f"Invalid CRC - {self._tp}")
            yield _Header(at, end, base, base + last_delta + 1, attributes, max_ms, producer)
            at = end

    def _is_kept(self, batch: _Header) -> bool:
        """Whether the batch is data that was not taken back by an aborted transaction."""
        if self._isolation_level == _READ_COMMITTED and batch.producer >= 0:
            self._consume_aborted_up_to(batch.base)
            if batch.attributes & _CONTROL and self._marks_abort(batch):
                self._aborted_producers.discard(batch.producer)
            if batch.attributes & _TRANSACTIONAL and batch.producer in self._aborted_producers:
                return False
        return not batch.attributes & _CONTROL

    def _marks_abort(self, batch: _Header) -> bool:
        # A control batch holds one record: length, attributes and two deltas of a byte each, the key's
        # length, then the key: version and type, both int16 (Kafka protocol, "Control Batches").
        at = batch.start + _HEADER_BYTES
        _, kind = struct.unpack_from(">hh", self._records.raw, at + 5)
        return bool(kind == _ABORT_MARKER)


@dataclass(frozen=True, slots=True)
class _Header:
    start: int
    end: int
    base: int
    next_offset: int
    attributes: int
    max_ms: int
    producer: int


def _partition_records(tp: TopicPartition, records: Any, *rest: Any) -> Any:
    if tp.topic in raw_topics:
        return RawPartitionRecords(tp, records, *rest)
    return _OriginalPartitionRecords(tp, records, *rest)


def read_raw(topic: str) -> None:
    """From now on hand the batches of a topic on as they are; for every consumer of this process."""
    raw_topics.add(topic)
    fetcher.PartitionRecords = _partition_records
    fetcher.MemoryRecords = _KeptRecords


def seek(consumer: Any, tp: TopicPartition, offset: int) -> None:
    """Move the position and what is known beside it; in the consumer's own thread."""
    consumer.seek(tp, offset)
    started_at[tp] = offset
    handed_on.pop(tp, None)
    _moved_to.pop(tp, None)
