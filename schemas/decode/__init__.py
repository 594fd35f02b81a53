"""The decoder of the source topic: whole record batches to columns.

A kernel reads the canonical message; what it does not recognise goes to the slow path, which is the
pydantic model and decides. Both together accept and refuse what the model does, with its reasons.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from schemas.decode.batches import (
    Base,
    CorruptBatch,
    mark_control,
    read_headers,
    split_batches,
    walk_records,
)
from schemas.decode.columns import (
    EVENT,
    FLAG_CONFIRMED,
    FLAG_VOID,
    NOT_AN_EVENT,
    REJECTED,
    SLOW,
    U8,
    Columns,
    Decoded,
    Reject,
    blank_columns,
)
from schemas.decode.hashing import hash_of, murmur2_of, order_hash_of
from schemas.decode.message import parse_values
from schemas.work_state import DUTIES, EVENT_TYPES, TYPES_OF_ORDERS, Refused, WorkStateEvent, read_event

__all__ = [
    "EVENT",
    "NOT_AN_EVENT",
    "REJECTED",
    "Columns",
    "CorruptBatch",
    "Decoded",
    "Reject",
    "decode_chunk",
    "decode_lines",
    "murmur2",
    "read_headers",
    "rider_hash",
]

HOP_HEADER = "respite-hop"
ARRIVAL_HEADER = "respite-arrival"
_NO_HEADERS = 1


def murmur2(key: bytes) -> int:
    """Where Kafka's standard partitioner starts from: ``murmur2(key) % partitions`` is the partition."""
    return int(murmur2_of(np.frombuffer(key, dtype=np.uint8)))


def rider_hash(rider: bytes) -> int:
    """The hash that a rider is looked up by; the decoder's column of that name."""
    return int(hash_of(np.frombuffer(rider, dtype=np.uint8)))


def decode_chunk(chunk: bytes | memoryview, first_offset: int = 0) -> Decoded:
    """Decode fetched record batches.

    Parameters
    ----------
    chunk
        Record batches of format 2 as a fetch response holds them, compressed or not.
    first_offset
        Records before it are left out: a fetch begins with the batch that contains the position.

    Raises
    ------
    CorruptBatch
        When the bytes are no record batches.
    """
    batches = split_batches(chunk)
    buf = _one_buffer([batch.records for batch in batches])
    columns = blank_columns(sum(batch.records_count for batch in batches))
    at = first = 0
    for batch in batches:
        end = at + len(batch.records)
        base = Base(batch.base_offset, batch.base_ms, batch.append_ms)
        read = walk_records(buf, at, end, columns, first, batch.records_count, base)
        if read != batch.records_count:
            message = f"record {read} of the batch at offset {batch.base_offset} is cut off"
            raise CorruptBatch(message)
        if batch.control:
            mark_control(columns, first, batch.records_count)
        first, at = first + batch.records_count, end
    columns.status[columns.offset < first_offset] = NOT_AN_EVENT
    _take_hops(buf, columns)
    return _decode(buf, columns)


def decode_lines(values: Sequence[bytes]) -> Decoded:
    """Decode plain values, as files and tests have them: the offset is the index, the arrival 0."""
    columns = blank_columns(len(values))
    lengths = np.fromiter((len(value) for value in values), dtype=np.int64, count=len(values))
    columns.value_len[:] = lengths
    columns.value_off[:] = np.cumsum(lengths) - lengths
    columns.offset[:] = np.arange(len(values))
    return _decode(_one_buffer(list(values)), columns)


def _one_buffer(parts: Sequence[bytes | memoryview]) -> U8:
    return np.frombuffer(b"".join(parts), dtype=np.uint8)


def _take_hops(buf: U8, columns: Columns) -> None:
    """A forwarded record says in its headers when it had arrived first."""
    with_headers = np.flatnonzero((columns.headers_len > _NO_HEADERS) & (columns.status == EVENT))
    for i in with_headers:
        headers = dict(read_headers(buf, int(columns.headers_off[i]), int(columns.headers_len[i])))
        arrival = headers.get(ARRIVAL_HEADER)
        if HOP_HEADER in headers and arrival is not None and arrival.isdigit() and len(arrival) <= 15:
            columns.hop[i] = 1
            columns.arrival_ms[i] = int(arrival)


def _decode(buf: U8, columns: Columns) -> Decoded:
    decoded = Decoded(buf, columns, [])
    if parse_values(buf, columns, len(columns.status)) == 0:
        return decoded
    extra = bytearray()
    for i in np.flatnonzero(columns.status == SLOW):
        index = int(i)
        try:
            _fill(columns, index, read_event(decoded.value(index)), extra, len(buf))
        except Refused as refused:
            columns.status[index] = REJECTED
            decoded.rejects.append(Reject(index, refused.reason, refused.detail))
    if extra:
        decoded.buf = np.concatenate([buf, np.frombuffer(bytes(extra), dtype=np.uint8)])
    return decoded


def _fill(columns: Columns, i: int, event: WorkStateEvent, extra: bytearray, base: int) -> None:
    """Write the columns of an event that the slow path accepted; its ids go behind the buffer."""
    columns.status[i] = EVENT
    columns.event_s[i] = event.event_s
    columns.type[i] = EVENT_TYPES.index(event.type)
    if event.type == "duty_status" and not event.void:
        # A void takes back every duty status of its second.
        columns.type[i] += DUTIES.index(event.duty)
    columns.flags[i] = (FLAG_CONFIRMED if event.confirmed else 0) | (FLAG_VOID if event.void else 0)
    columns.rider_off[i], columns.rider_len[i] = _append(extra, base, event.rider_id)
    columns.platform_off[i], columns.platform_len[i] = _append(extra, base, event.platform)
    columns.zone_off[i], columns.zone_len[i] = _append(extra, base, event.zone or "")
    columns.rider_hash[i] = _hash(event.rider_id)
    columns.rider_murmur[i] = murmur2(event.rider_id.encode())
    columns.event_hash[i] = _hash(event.event_id)
    columns.order_hash[i] = 0
    if event.type in TYPES_OF_ORDERS:
        columns.order_hash[i] = order_hash_of(_hash(event.order_id), _hash(event.platform))


def _append(extra: bytearray, base: int, text: str) -> tuple[int, int]:
    at = base + len(extra)
    extra += text.encode("ascii")
    return at, len(text)


def _hash(text: str) -> np.uint64:
    return np.uint64(hash_of(np.frombuffer(text.encode("ascii"), dtype=np.uint8)))
