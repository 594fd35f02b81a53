"""Fetch responses made batch by batch, read by the original and by the raw fetch."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import crc32c
from aiokafka import TopicPartition
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from stream.kafka import raw_batches

READ_UNCOMMITTED, READ_COMMITTED = 0, 1


NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)


TP = TopicPartition("source", 0)
PAYLOAD = b'{"some": "value", "long enough": "to be worth compressing, compressing, compressing"}'
CONTROL_BIT = 0x20
CHECK_CRCS = True


class Batch(NamedTuple):
    """One record batch to be built: ``producer`` -1 is outside of transactions; ``marker`` ends one."""

    records: int
    codec: int = NONE
    producer: int = -1
    marker: int | None = None
    compacted_away: int = 0


class Seen(NamedTuple):
    """A record as a consumer is given it."""

    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[Any, ...]


def built(base: int, batch: Batch) -> tuple[bytes, int]:
    """The bytes of a batch that begins at ``base``, and the offset after it."""
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=batch.codec, is_transactional=int(batch.producer >= 0),
        producer_id=batch.producer, producer_epoch=0, base_sequence=0, batch_size=1 << 20,
    )  # fmt: skip
    if batch.marker is not None:
        builder.append(0, 1_000, struct.pack(">hh", 0, batch.marker), struct.pack(">hi", 0, 0), [])
    else:
        for number in range(batch.records):
            builder.append(number, 1_000 + base + number, b"k%d" % number, PAYLOAD, [("h", b"%d" % number)])
    data = bytearray(builder.build())
    (attributes, last_delta) = struct.unpack_from(">hi", data, 21)
    if batch.marker is not None:
        attributes |= CONTROL_BIT
    struct.pack_into(">hi", data, 21, attributes, last_delta + batch.compacted_away)
    struct.pack_into(">q", data, 0, base)
    struct.pack_into(">I", data, 17, crc32c.crc32c(bytes(data[21:])))
    return bytes(data), base + last_delta + batch.compacted_away + 1


def response(batches: Sequence[Batch], base: int = 100) -> tuple[bytes, list[int]]:
    """The bytes of a fetch response, and where each batch begins."""
    data, bases = b"", []
    for batch in batches:
        bases.append(base)
        more, base = built(base, batch)
        data += more
    return data, bases


def lane_records(data: bytes, first: int, aborted: Any = (), level: int = READ_COMMITTED) -> Any:
    """The lane's records right after an assignment that begins at ``first``."""
    raw_batches.started_at[TP] = first
    raw_batches.handed_on.pop(TP, None)
    raw_batches._moved_to.pop(TP, None)
    kept = raw_batches._KeptRecords(data)
    return raw_batches.RawPartitionRecords(TP, kept, list(aborted), first, None, None, CHECK_CRCS, level)


def by_original(data: bytes, aborted: Any, first: int, level: int) -> tuple[list[Seen], int]:
    plain = MemoryRecords(data)
    records = raw_batches._OriginalPartitionRecords(
        TP, plain, list(aborted), first, None, None, CHECK_CRCS, level
    )
    seen = [Seen(r.offset, r.timestamp, r.key, r.value, r.headers) for r in records]
    return seen, records.next_fetch_offset


def by_lane(data: bytes, aborted: Any, first: int, level: int) -> tuple[list[Seen], int]:
    records = lane_records(data, first, aborted, level)
    seen: list[Seen] = []
    for number, chunk in enumerate(records):
        assert number == 0, "one record per response"
        headers = dict(chunk.headers)
        assert headers[raw_batches.FIRST_OFFSET] == first
        assert headers[raw_batches.NEXT_OFFSET] == records.next_fetch_offset == chunk.offset + 1
        reader = MemoryRecords(chunk.value)
        while reader.has_next():
            seen += [
                Seen(r.offset, r.timestamp, r.key, r.value, tuple(r.headers))
                for r in reader.next_batch()
                if r.offset >= first
            ]
    return seen, records.next_fetch_offset
