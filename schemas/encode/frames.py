"""Messages framed as Kafka's record batches, format 2 (Kafka protocol, "Record Batch"), uncompressed."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import crc32c
import numpy as np

from schemas.encode.columns import U8, Messages, Names
from schemas.encode.jit import inlined, kernel
from schemas.encode.text import copy, put_name

HEADER_BYTES = 61
_HEADER = struct.Struct(">qiibIhiqqqhii")
_LENGTH_AFTER, _CRC_AT, _CRC_FROM = 12, 17, 21
_TRANSACTIONAL = 0x10
_NO_EPOCH = -1
#: Bytes of a record besides key and value: five varints of at most 5 bytes, its attributes.
RECORD_EXTRAS = 26


@inlined
def varint_bytes(value: int) -> int:
    """Bytes of a value of at most 2^31 as a zigzag varint; it is not negative."""
    rest, size = value * 2, 1
    while rest > 127:
        rest >>= 7
        size += 1
    return size


@inlined
def put_varint(out: U8, at: int, value: int) -> int:
    rest = value * 2
    while rest > 127:
        out[at] = (rest & 127) | 128
        rest >>= 7
        at += 1
    out[at] = rest
    return at + 1


@kernel
def frame(
    messages: Messages, count: int, begin: int, topic: int, names: Names, arena: U8, most: int, out: U8
) -> tuple[int, int, int]:
    """Records of a topic's messages from ``begin`` on, behind a header's room, up to ``most`` bytes in all.

    A first record that alone is longer is written all the same. Bytes written, records, and the message to
    go on with.
    """
    at, records = HEADER_BYTES, 0
    for index in range(begin, count):
        if messages.topic[index] != topic:
            continue
        row, length = messages.row[index], messages.length[index]
        key = np.int64(names.id_lengths[row])
        # Attributes, a difference of times of 0, the record's number; at the end no headers.
        body = 2 + varint_bytes(records) + varint_bytes(key) + key + varint_bytes(length) + length + 1
        if records > 0 and at + varint_bytes(body) + body > most:
            return at, records, index
        at = put_varint(out, at, body)
        out[at], out[at + 1] = 0, 0
        at = put_varint(out, at + 2, records)
        at = put_varint(out, at, key)
        at = put_name(out, at, names.ids, names.id_lengths, row)
        at = put_varint(out, at, length)
        at = copy(out, at, arena, messages.off[index], length)
        out[at] = 0
        at += 1
        records += 1
    return at, records, count


@dataclass(frozen=True, slots=True)
class Frame:
    """Framed records behind room for their header."""

    data: U8
    records: int
    time_ms: int

    def finish(self, producer_id: int, epoch: int, sequence: int) -> memoryview:
        """Write the header and the checksum over it; the whole batch, which is the frame's own bytes."""
        view = self.data.data
        _HEADER.pack_into(
            view,
            0,
            0,
            len(view) - _LENGTH_AFTER,
            _NO_EPOCH,
            2,
            0,
            _TRANSACTIONAL if producer_id >= 0 else 0,
            self.records - 1,
            self.time_ms,
            self.time_ms,
            producer_id,
            epoch,
            sequence,
            self.records,
        )
        struct.pack_into(">I", view, _CRC_AT, crc32c.crc32c(view[_CRC_FROM:]))
        return view


def frames_of(
    messages: Messages, count: int, topic: int, names: Names, arena: U8, most: int, time_ms: int
) -> list[Frame]:
    """The batches of one topic, each of at most ``most`` bytes unless a single record is longer."""
    mine = np.flatnonzero(messages.topic[:count] == topic)
    if not len(mine):
        return []
    # Keys are at most as long as a row of the table of ids.
    sizes = messages.length[mine] + names.ids.shape[1] + RECORD_EXTRAS
    room, left = max(most, int(sizes.max()) + HEADER_BYTES), int(sizes.sum())
    found: list[Frame] = []
    begin = int(mine[0])
    while begin < count:
        out = np.empty(min(room, left + HEADER_BYTES), dtype=np.uint8)
        used, records, begin = frame(messages, count, begin, topic, names, arena, most, out)
        if records:
            found.append(Frame(out[:used], int(records), time_ms))
            left -= int(sizes[:records].sum())
            sizes = sizes[records:]
    return found
