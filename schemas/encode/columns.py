"""What is to be written, as columns: one entry per alert or status, names as numbers of byte tables."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]

#: In a column: there is none.
NONE = -1


class Alerts(NamedTuple):
    """Alerts without their words; epoch seconds, `NONE` where there is none.

    ``kind`` is an index of the kinds, ``limit`` of the limits, ``row``, ``platform`` and ``zone`` of the
    byte tables. ``spans_off`` is a word of the span words, ``spans_n`` counts pairs of start and end;
    ``members_off`` and ``members_n`` are the rider's platforms among the members.
    """

    row: I64
    kind: I64
    retracted: I64
    limit: I64
    platform: I64
    instant: I64
    counted: I64
    amount: I64
    start: I64
    end: I64
    hold_from: I64
    hold_until: I64
    told_at: I64
    zone: I64
    estimated: I64
    spans_off: I64
    spans_n: I64
    members_off: I64
    members_n: I64


class Statuses(NamedTuple):
    """Dispatch statuses; ``code`` is an index of them, ``only_joined`` 1 where only members learn it."""

    row: I64
    code: I64
    until: I64
    limit: I64
    remaining: I64
    as_of: I64
    only_joined: I64
    members_off: I64
    members_n: I64


class Names(NamedTuple):
    """Byte tables, a name per row: ids of riders, platforms and zones."""

    ids: U8
    id_lengths: U8
    platforms: U8
    platform_lengths: U8
    zones: U8
    zone_lengths: U8


class Messages(NamedTuple):
    """Messages written: the topic's number, the rider's row (his id is the key), the value's place."""

    topic: I64
    row: I64
    off: I64
    length: I64


class Offsets(NamedTuple):
    """UTC offsets: stretches ``[start, end)`` in epoch seconds, those of zone *n* from ``first[n]`` on."""

    first: I64
    start: I64
    end: I64
    offset: I64


class Texts(NamedTuple):
    """Constant fragments: bytes, and where each begins and how long it is, shape (n, 2)."""

    text: U8
    places: I64


def blank_messages(count: int) -> Messages:
    """Room for so many messages."""
    return Messages(*(np.empty(count, np.int64) for _ in Messages._fields))
