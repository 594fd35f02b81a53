"""Pieces of JSON written into bytes: fragments, names, whole numbers, instants. Each says where it ends."""

from __future__ import annotations

import numpy as np

from schemas.encode.columns import I64, NONE, U8, U64, Offsets, Texts
from schemas.encode.jit import inlined, kernel

DAY_S = 86_400
QUOTE, MINUS, PLUS, COLON, DASH, LETTER_T, LETTER_Z, ZERO = 34, 45, 43, 58, 45, 84, 90, 48
#: Bytes of an instant at most, an offset with seconds included.
INSTANT_BYTES = 28
_HEX_LETTER = 87
_DATE_BYTES = 11
# Words of the memo: the stretch of the last instant, the local day last written, and where it stands.
MEMO_STRETCH, MEMO_DAY, MEMO_PLACE, MEMO_WORDS = 0, 1, 2, 3


@inlined
def copy(out: U8, at: int, source: U8, begin: int, length: int) -> int:
    for index in range(length):
        out[at + index] = source[begin + index]
    return at + length


@inlined
def put(out: U8, at: int, texts: Texts, number: int) -> int:
    """A constant fragment."""
    return copy(out, at, texts.text, texts.places[number, 0], texts.places[number, 1])


@inlined
def put_name(out: U8, at: int, names: U8, lengths: U8, number: int) -> int:
    """A name of a byte table; names need no escapes."""
    length = np.int64(lengths[number])
    for index in range(length):
        out[at + index] = names[number, index]
    return at + length


@kernel
def put_int(out: U8, at: int, value: int) -> int:
    """A whole number in decimal digits."""
    if value < 0:
        out[at] = MINUS
        at += 1
        value = -value
    size, rest = 1, value // 10
    while rest > 0:
        size += 1
        rest //= 10
    for place in range(size - 1, -1, -1):
        out[at + place] = ZERO + value % 10
        value //= 10
    return at + size


@inlined
def put_two(out: U8, at: int, value: int) -> int:
    out[at] = ZERO + value // 10
    out[at + 1] = ZERO + value % 10
    return at + 2


@kernel
def put_date(out: U8, at: int, day: int) -> int:
    """``YYYY-MM-DDT`` of a number of days since 1970-01-01 (Hinnant, chrono-compatible date algorithms)."""
    z = day + 719_468
    era = z // 146_097
    doe = z - era * 146_097
    yoe = (doe - doe // 1460 + doe // 36_524 - doe // 146_096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    month = mp + 3 if mp < 10 else mp - 9
    year = yoe + era * 400 + (1 if month <= 2 else 0)
    at = put_two(out, at, year // 100)
    at = put_two(out, at, year % 100)
    out[at] = DASH
    at = put_two(out, at + 1, month)
    out[at] = DASH
    at = put_two(out, at + 1, doy - (153 * mp + 2) // 5 + 1)
    out[at] = LETTER_T
    return at + 1


@inlined
def put_time(out: U8, at: int, rest: int) -> int:
    at = put_two(out, at, rest // 3600)
    out[at] = COLON
    at = put_two(out, at + 1, rest // 60 % 60)
    out[at] = COLON
    return put_two(out, at + 1, rest % 60)


@kernel
def put_utc(out: U8, at: int, instant: int) -> int:
    """An instant in UTC with ``Z``."""
    day = instant // DAY_S
    at = put_date(out, at, day)
    at = put_time(out, at, instant - day * DAY_S)
    out[at] = LETTER_Z
    return at + 1


@kernel
def stretch_of(offsets: Offsets, zone: int, instant: int) -> int:
    """The stretch of a zone that holds an instant; `NONE` where the table does not reach."""
    low, high = offsets.first[zone], offsets.first[zone + 1]
    while low < high:
        middle = (low + high) // 2
        if instant < offsets.start[middle]:
            high = middle
        elif instant >= offsets.end[middle]:
            low = middle + 1
        else:
            return middle
    return NONE


@kernel
def put_local(out: U8, at: int, instant: int, offsets: Offsets, zone: int, memo: I64) -> int:
    """An instant in a zone's local time with its offset; ``memo`` is kept for one zone and one text.

    Precondition: the table of the zone reaches as far.
    """
    stretch = memo[MEMO_STRETCH]
    if stretch == NONE or instant < offsets.start[stretch] or instant >= offsets.end[stretch]:
        stretch = stretch_of(offsets, zone, instant)
        memo[MEMO_STRETCH] = stretch
    offset = offsets.offset[stretch]
    local = instant + offset
    day = local // DAY_S
    if memo[MEMO_PLACE] != NONE and memo[MEMO_DAY] == day:
        at = copy(out, at, out, memo[MEMO_PLACE], _DATE_BYTES)
    else:
        memo[MEMO_DAY] = day
        memo[MEMO_PLACE] = at
        at = put_date(out, at, day)
    at = put_time(out, at, local - day * DAY_S)
    out[at] = MINUS if offset < 0 else PLUS
    away = abs(offset)
    at = put_two(out, at + 1, away // 3600)
    out[at] = COLON
    at = put_two(out, at + 1, away // 60 % 60)
    if away % 60 != 0:
        out[at] = COLON
        at = put_two(out, at + 1, away % 60)
    return at


@kernel
def put_hex(out: U8, at: int, h: U64) -> int:
    """The 16 bytes of two little-endian words in hexadecimal digits."""
    for byte in range(16):
        value = np.int64((h[byte // 8] >> np.uint64(8 * (byte % 8))) & np.uint64(255))
        high, low = value // 16, value % 16
        out[at + 2 * byte] = high + (ZERO if high < 10 else _HEX_LETTER)
        out[at + 2 * byte + 1] = low + (ZERO if low < 10 else _HEX_LETTER)
    return at + 32
