"""Decoded records as columns: one entry per record, in order of arrival, over one buffer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

I8 = npt.NDArray[np.int8]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]

#: Values of the column ``status``.
EVENT, SLOW, REJECTED, NOT_AN_EVENT = 0, 1, 2, 3
FLAG_CONFIRMED, FLAG_VOID = 1, 2


class Columns(NamedTuple):
    """Struct of arrays; places are offsets in the buffer, lengths in bytes, -1 for null.

    ``arrival_ms`` is when the record reached Kafka, or, for a forwarded record (``hop`` 1), what its header
    says. ``event_s`` is epoch seconds; the hashes are of the ids, the order's with the platform mixed in
    (0 where the type has no order). ``type`` is the place in `EVENT_TYPES`; of a `duty_status`, the last of
    them, it goes on with the place in `DUTIES`.
    """

    status: I8
    offset: I64
    arrival_ms: I64
    value_off: I64
    value_len: I32
    key_off: I64
    key_len: I32
    headers_off: I64
    headers_len: I32
    hop: I8
    event_s: I64
    type: I8
    flags: U8
    rider_off: I64
    rider_len: U8
    rider_murmur: I64
    rider_hash: U64
    platform_off: I64
    platform_len: U8
    order_hash: U64
    event_hash: U64
    zone_off: I64
    zone_len: U8


def blank_columns(count: int) -> Columns:
    """Columns of so many records, all zero."""
    return Columns(
        status=np.zeros(count, np.int8),
        offset=np.zeros(count, np.int64),
        arrival_ms=np.zeros(count, np.int64),
        value_off=np.zeros(count, np.int64),
        value_len=np.zeros(count, np.int32),
        key_off=np.zeros(count, np.int64),
        key_len=np.full(count, -1, np.int32),
        headers_off=np.zeros(count, np.int64),
        headers_len=np.zeros(count, np.int32),
        hop=np.zeros(count, np.int8),
        event_s=np.zeros(count, np.int64),
        type=np.zeros(count, np.int8),
        flags=np.zeros(count, np.uint8),
        rider_off=np.zeros(count, np.int64),
        rider_len=np.zeros(count, np.uint8),
        rider_murmur=np.zeros(count, np.int64),
        rider_hash=np.zeros(count, np.uint64),
        platform_off=np.zeros(count, np.int64),
        platform_len=np.zeros(count, np.uint8),
        order_hash=np.zeros(count, np.uint64),
        event_hash=np.zeros(count, np.uint64),
        zone_off=np.zeros(count, np.int64),
        zone_len=np.zeros(count, np.uint8),
    )


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that is no event: its index, the reason that goes into the header, and what a person reads."""

    index: int
    reason: str
    detail: str


@dataclass(slots=True)
class Decoded:
    """Decoded records and the buffer that their places point into."""

    buf: U8
    columns: Columns
    rejects: list[Reject]

    @property
    def count(self) -> int:
        """Number of records."""
        return len(self.columns.status)

    def value(self, index: int) -> bytes | None:
        """The value of a record, untouched."""
        return self._bytes(self.columns.value_off[index], self.columns.value_len[index])

    def key(self, index: int) -> bytes | None:
        """The key of a record, untouched."""
        return self._bytes(self.columns.key_off[index], self.columns.key_len[index])

    def rider(self, index: int) -> bytes:
        """The rider's id."""
        found = self._bytes(self.columns.rider_off[index], int(self.columns.rider_len[index]))
        assert found is not None
        return found

    def _bytes(self, offset: int, length: int) -> bytes | None:
        if length < 0:
            return None
        return self.buf[offset : offset + length].tobytes()
