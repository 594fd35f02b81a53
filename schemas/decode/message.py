"""The kernel that turns canonical messages into columns."""

from __future__ import annotations

import numpy as np

from schemas.decode.columns import EVENT, FLAG_CONFIRMED, FLAG_VOID, SLOW, U8, Columns
from schemas.decode.hashing import hash_bytes, murmur2, order_hash
from schemas.decode.jit import inlined, kernel
from schemas.decode.text import (
    CLOSE,
    COLON,
    COMMA,
    NO,
    OPEN,
    QUOTE,
    id_end,
    instant,
    literal_end,
    same,
    skip_scalar,
    skip_space,
    string_end,
)
from schemas.work_state import EVENT_TYPES, LARGEST_BYTES, TYPES_OF_ORDERS

SCHEMA, EVENT_ID, RIDER_ID, PLATFORM, EVENT_TIME = 0, 1, 2, 3, 4
TYPE, ORDER_ID, ZONE, CONFIRMED, VOID, UNKNOWN = 5, 6, 7, 8, 9, 10
REQUIRED = 0b111111
# The event types as the model has them: a code is the place in its table. The last one, `duty_status`, is
# left to the slow path, which adds the place of its duty.
QUICK_TYPES = EVENT_TYPES[:-1]
TYPE_LENGTHS = np.array([len(name) for name in QUICK_TYPES], dtype=np.uint8)
TYPE_CHARS = np.array([list(name.encode().ljust(max(TYPE_LENGTHS))) for name in QUICK_TYPES], dtype=np.uint8)
#: A bit for each type that has an order.
ORDER_TYPES = sum(1 << code for code, name in enumerate(EVENT_TYPES) if name in TYPES_OF_ORDERS)


@inlined
def name_of(buf: U8, at: int, stop: int) -> int:
    """Which known name ``buf[at:stop]`` is."""
    length = stop - at
    if length == 8:
        if same(buf, at, stop, b"event_id"):
            return EVENT_ID
        if same(buf, at, stop, b"rider_id"):
            return RIDER_ID
        if same(buf, at, stop, b"platform"):
            return PLATFORM
        return ORDER_ID if same(buf, at, stop, b"order_id") else UNKNOWN
    if length == 4:
        if same(buf, at, stop, b"type"):
            return TYPE
        if same(buf, at, stop, b"zone"):
            return ZONE
        return VOID if same(buf, at, stop, b"void") else UNKNOWN
    if length == 10:
        return EVENT_TIME if same(buf, at, stop, b"event_time") else UNKNOWN
    if length == 6:
        return SCHEMA if same(buf, at, stop, b"schema") else UNKNOWN
    if length == 9:
        return CONFIRMED if same(buf, at, stop, b"confirmed") else UNKNOWN
    return UNKNOWN


@inlined
def begins_with(buf: U8, at: int, chars: U8, length: int) -> bool:
    """Whether ``length`` bytes from ``at`` are the first of ``chars``."""
    for i in range(length):
        if buf[at + i] != chars[i]:
            return False
    return True


@inlined
def type_of(buf: U8, at: int, stop: int) -> int:
    """Code of an event type; -1 when it is none."""
    for code in range(TYPE_LENGTHS.shape[0]):
        if TYPE_LENGTHS[code] == stop - at and begins_with(buf, at, TYPE_CHARS[code], stop - at):
            return code
    return NO


@inlined
def take_flag(buf: U8, at: int, end: int, columns: Columns, i: int, bit: int) -> int:
    """Read a boolean or null into the flags; position after it."""
    stop = literal_end(buf, at, end)
    if stop != NO and buf[at] == 116:
        columns.flags[i] |= bit
    return stop


@inlined
def take_text(buf: U8, at: int, end: int, name: int, columns: Columns, i: int) -> int:
    """Read the string value of a known name; position after it, -1 when it is not canonical."""
    if buf[at] != QUOTE:
        return NO
    at += 1
    if name == EVENT_TIME or name == TYPE or name == SCHEMA:
        stop = string_end(buf, at, end)
        if stop == NO:
            return NO
        if name == EVENT_TIME:
            columns.event_s[i] = instant(buf, at, stop)
            return NO if columns.event_s[i] == NO else stop + 1
        if name == TYPE:
            columns.type[i] = type_of(buf, at, stop)
            return NO if columns.type[i] == NO else stop + 1
        return stop + 1 if same(buf, at, stop, b"work-state/1") else NO
    stop = id_end(buf, at, end)
    if stop == NO:
        return NO
    length = stop - at
    if name == RIDER_ID:
        columns.rider_off[i] = at
        columns.rider_len[i] = length
        columns.rider_hash[i] = hash_bytes(buf, at, length)
        columns.rider_murmur[i] = murmur2(buf, at, length)
    elif name == PLATFORM:
        columns.platform_off[i] = at
        columns.platform_len[i] = length
    elif name == EVENT_ID:
        columns.event_hash[i] = hash_bytes(buf, at, length)
    elif name == ORDER_ID:
        columns.order_hash[i] = hash_bytes(buf, at, length)
    else:
        columns.zone_off[i] = at
        columns.zone_len[i] = length
    return stop + 1


@inlined
def take_value(buf: U8, at: int, end: int, name: int, columns: Columns, i: int) -> int:
    if name == UNKNOWN:
        return skip_scalar(buf, at, end)
    if name == CONFIRMED:
        return take_flag(buf, at, end, columns, i, FLAG_CONFIRMED)
    if name == VOID:
        return take_flag(buf, at, end, columns, i, FLAG_VOID)
    return take_text(buf, at, end, name, columns, i)


@inlined
def parse_fields(buf: U8, at: int, end: int, columns: Columns, i: int) -> int:
    """Read an object's fields; a bit set of the known names seen, -1 when anything is not canonical."""
    seen = 0
    at = skip_space(buf, at, end)
    if at >= end or buf[at] != OPEN:
        return NO
    at += 1
    while True:
        at = skip_space(buf, at, end)
        if at >= end or buf[at] != QUOTE:
            return NO
        stop = string_end(buf, at + 1, end)
        if stop == NO:
            return NO
        name = name_of(buf, at + 1, stop)
        if name != UNKNOWN and (seen >> name) & 1 == 1:
            return NO
        seen |= 1 << name
        at = skip_space(buf, stop + 1, end)
        if at >= end or buf[at] != COLON:
            return NO
        at = skip_space(buf, at + 1, end)
        if at >= end:
            return NO
        at = take_value(buf, at, end, name, columns, i)
        if at == NO:
            return NO
        at = skip_space(buf, at, end)
        if at >= end:
            return NO
        if buf[at] == CLOSE:
            break
        if buf[at] != COMMA:
            return NO
        at += 1
    return seen if skip_space(buf, at + 1, end) == end else NO


@inlined
def finish_event(buf: U8, columns: Columns, i: int, seen: int) -> bool:
    """Check what is needed, mix the platform into the order's hash; False when it is not canonical."""
    if seen & REQUIRED != REQUIRED:
        return False
    if (ORDER_TYPES >> columns.type[i]) & 1 == 1:
        if (seen >> ORDER_ID) & 1 == 0:
            return False
        platform = hash_bytes(buf, columns.platform_off[i], columns.platform_len[i])
        columns.order_hash[i] = order_hash(columns.order_hash[i], platform)
    else:
        columns.order_hash[i] = 0
    return True


@kernel
def parse_values(buf: U8, columns: Columns, count: int) -> int:
    """Decode the values of all records that are events; how many are left to the slow path."""
    slow = 0
    for i in range(count):
        if columns.status[i] != EVENT:
            continue
        at = columns.value_off[i]
        length = columns.value_len[i]
        good = False
        if length > 0 and length <= LARGEST_BYTES:
            seen = parse_fields(buf, at, at + length, columns, i)
            good = seen != NO and finish_event(buf, columns, i, seen)
        if not good:
            columns.status[i] = SLOW
            slow += 1
    return slow
