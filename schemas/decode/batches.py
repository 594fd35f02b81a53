"""Kafka's record batches, format 2: from fetched bytes to places of keys, values and headers.

Kafka protocol, "Record Batch": 61 bytes of header, then records of zigzag varints, compressed as a whole.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import cramjam
import crc32c
import numpy as np

from schemas.decode.columns import EVENT, NOT_AN_EVENT, U8, Columns
from schemas.decode.jit import inlined, kernel

HEADER_BYTES = 61
_HEADER = struct.Struct(">qiibIhiqqqhii")
_CODEC_MASK, _LOG_APPEND_TIME, _CONTROL = 0x07, 0x08, 0x20
_XERIAL = b"\x82SNAPPY\x00"
_CORRUPT = -1


class CorruptBatch(ValueError):
    """Fetched bytes that are no record batches of format 2."""


class Base(NamedTuple):
    """What the numbers of a batch's records are relative to."""

    offset: int
    ms: int
    append_ms: int  # -1 unless the log's own time counts


class Batch(NamedTuple):
    """One record batch: its records' bytes, decompressed, and what its header says."""

    records: bytes | memoryview
    base_offset: int
    last_offset: int
    records_count: int
    base_ms: int
    append_ms: int  # -1 unless the log's own time counts
    control: bool


def split_batches(chunk: bytes | memoryview, *, check_crc: bool = False) -> list[Batch]:
    """The batches of a chunk; a last one that was cut off by the fetch is left out.

    Raises
    ------
    CorruptBatch
        Saying where and what.
    """
    view = memoryview(chunk)
    found: list[Batch] = []
    at = 0
    while len(view) - at >= HEADER_BYTES:
        header = _HEADER.unpack_from(view, at)
        base_offset, length, _, magic, crc, attributes, last_delta, base_ms, max_ms = header[:9]
        end = at + 12 + length
        if end > len(view):
            break
        if magic != 2:
            raise CorruptBatch(f"record batch of format {magic} at offset {base_offset}, known is 2")
        if check_crc and crc32c.crc32c(view[at + 21 : end]) != crc:
            raise CorruptBatch(f"checksum of the record batch at offset {base_offset} does not match")
        found.append(
            Batch(
                records=_decompress(view[at + HEADER_BYTES : end], attributes & _CODEC_MASK, base_offset),
                base_offset=base_offset,
                last_offset=base_offset + last_delta,
                records_count=header[12],
                base_ms=base_ms,
                append_ms=max_ms if attributes & _LOG_APPEND_TIME else -1,
                control=bool(attributes & _CONTROL),
            )
        )
        at = end
    return found


def _decompress(body: memoryview, codec: int, offset: int) -> bytes | memoryview:
    try:
        if codec == 0:
            return body
        if codec == 1:
            return bytes(cramjam.gzip.decompress(body))
        if codec == 2:
            return _unsnappy(body)
        if codec == 3:
            return bytes(cramjam.lz4.decompress(body))
        if codec == 4:
            return bytes(cramjam.zstd.decompress(body))
    except cramjam.DecompressionError as error:
        raise CorruptBatch(f"record batch at offset {offset} does not decompress: {error}") from error
    raise CorruptBatch(f"record batch at offset {offset} has unknown compression {codec}")


def _unsnappy(body: memoryview) -> bytes:
    """Snappy as Java producers write it (blocks behind a "xerial" header) or as one raw block."""
    if bytes(body[:8]) != _XERIAL:
        return bytes(cramjam.snappy.decompress_raw(body))
    parts, at = [], 16
    while at < len(body):
        (size,) = struct.unpack_from(">i", body, at)
        parts.append(bytes(cramjam.snappy.decompress_raw(body[at + 4 : at + 4 + size])))
        at += 4 + size
    return b"".join(parts)


@inlined
def varint(buf: U8, at: int, end: int) -> tuple[int, int]:
    """A zigzag varint and the position after it; position -1 when it runs over the end."""
    value = 0
    shift = 0
    while at < end and shift < 70:
        byte = np.int64(buf[at])
        at += 1
        value |= (byte & 0x7F) << shift
        if byte & 0x80 == 0:
            return (value >> 1) ^ -(value & 1), at
        shift += 7
    return 0, _CORRUPT


@kernel
def walk_records(buf: U8, at: int, end: int, columns: Columns, first: int, count: int, base: Base) -> int:
    """Fill the places of ``count`` records from index ``first``; the records read, fewer when corrupt."""
    for n in range(count):
        i = first + n
        length, here = varint(buf, at, end)
        if here == _CORRUPT or length < 0 or here + length > end:
            return n
        stop = here + length
        delta_ms, here = varint(buf, here + 1, stop)
        if here == _CORRUPT:
            return n
        delta, here = varint(buf, here, stop)
        if here == _CORRUPT:
            return n
        columns.offset[i] = base.offset + delta
        columns.arrival_ms[i] = base.ms + delta_ms if base.append_ms < 0 else base.append_ms
        size, here = varint(buf, here, stop)
        if here == _CORRUPT or here + max(size, 0) > stop:
            return n
        columns.key_off[i], columns.key_len[i] = here, size
        size, here = varint(buf, here + max(size, 0), stop)
        if here == _CORRUPT or here + max(size, 0) > stop:
            return n
        columns.value_off[i], columns.value_len[i] = here, size
        columns.headers_off[i] = here + max(size, 0)
        columns.headers_len[i] = stop - columns.headers_off[i]
        columns.status[i] = EVENT
        at = stop
    return count


def read_headers(buf: U8, at: int, length: int) -> list[tuple[str, bytes | None]]:
    """The headers of one record, as Kafka holds them."""
    end = at + length
    count, at = varint(buf, at, end)
    headers: list[tuple[str, bytes | None]] = []
    for _ in range(count):
        size, at = varint(buf, at, end)
        name = buf[at : at + size].tobytes().decode("utf-8", "replace")
        size, at = varint(buf, at + size, end)
        headers.append((name, None if size < 0 else buf[at : at + size].tobytes()))
        at += max(size, 0)
    return headers


def mark_control(columns: Columns, first: int, count: int) -> None:
    """Records of a control batch are no events."""
    columns.status[first : first + count] = NOT_AN_EVENT
