"""Parsing the canonical message: known names, plain strings, no escapes. All else is for the slow path.

A parser returns the position after what it read, or -1 for "not canonical", which refuses nothing.
"""

from __future__ import annotations

import numpy as np

from schemas.decode.columns import U8
from schemas.decode.jit import inlined

NO = -1
QUOTE, COLON, COMMA, OPEN, CLOSE = 34, 58, 44, 123, 125
LONGEST_ID = 64


def _ids() -> U8:
    table = np.zeros(256, dtype=np.uint8)
    for char in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-":
        table[char] = 1
    return table


def _plain() -> U8:
    """Characters of a string that stand for themselves and are ASCII."""
    table = np.zeros(256, dtype=np.uint8)
    table[0x20:0x7F] = 1
    table[QUOTE] = 0
    table[ord("\\")] = 0
    return table


ID_CHARS = _ids()
PLAIN_CHARS = _plain()


@inlined
def same(buf: U8, at: int, stop: int, text: bytes) -> bool:
    """Whether ``buf[at:stop]`` is a text."""
    if stop - at != len(text):
        return False
    for i in range(len(text)):
        if buf[at + i] != text[i]:
            return False
    return True


@inlined
def skip_space(buf: U8, at: int, end: int) -> int:
    while at < end and (buf[at] == 32 or buf[at] == 10 or buf[at] == 13 or buf[at] == 9):
        at += 1
    return at


@inlined
def string_end(buf: U8, at: int, end: int) -> int:
    """Position of the closing quote of a plain string whose first character is at ``at``; -1 otherwise."""
    while at < end:
        if PLAIN_CHARS[buf[at]] == 0:
            return at if buf[at] == QUOTE else NO
        at += 1
    return NO


@inlined
def id_end(buf: U8, at: int, end: int) -> int:
    """Position of the closing quote of an id whose first character is at ``at``; -1 otherwise."""
    start = at
    while at < end and ID_CHARS[buf[at]] == 1:
        at += 1
    if at >= end or buf[at] != QUOTE or at == start or at - start > LONGEST_ID:
        return NO
    return at


@inlined
def digits(buf: U8, at: int, count: int) -> int:
    """A number of so many digits; -1 when one is none."""
    number = 0
    for i in range(count):
        digit = np.int64(buf[at + i]) - 48
        if digit < 0 or digit > 9:
            return NO
        number = number * 10 + digit
    return number


@inlined
def days_from_civil(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 of a date of the Gregorian calendar (H. Hinnant, 2013)."""
    if month <= 2:
        year -= 1
    era = year // 400
    of_era = year - era * 400
    shifted = month - 3 if month > 2 else month + 9
    of_year = (153 * shifted + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


@inlined
def days_in_month(year: int, month: int) -> int:
    if month == 2:
        return 29 if (year % 4 == 0 and year % 100 != 0) or year % 400 == 0 else 28
    return 30 if month == 4 or month == 6 or month == 9 or month == 11 else 31


@inlined
def instant(buf: U8, at: int, stop: int) -> int:
    """Epoch seconds of the event time in ``buf[at:stop]``; -1 when it is not one that is believed."""
    if stop - at < 20:
        return NO
    year, month, day = digits(buf, at, 4), digits(buf, at + 5, 2), digits(buf, at + 8, 2)
    hour, minute, second = digits(buf, at + 11, 2), digits(buf, at + 14, 2), digits(buf, at + 17, 2)
    if year < 1999 or month < 1 or day < 1 or hour < 0 or minute < 0 or second < 0:
        return NO
    if (
        buf[at + 4] != 45
        or buf[at + 7] != 45
        or buf[at + 10] != 84
        or buf[at + 13] != 58
        or buf[at + 16] != 58
    ):
        return NO
    if month > 12 or day > days_in_month(year, month) or hour > 23 or minute > 59 or second > 59:
        return NO
    here = at + 19
    if buf[here] == 46:
        here += 1
        first = here
        while here < stop and buf[here] >= 48 and buf[here] <= 57:
            here += 1
        if here == first or here - first > 9:
            return NO
    offset_s = zone_offset(buf, here, stop)
    if offset_s > 1_000_000:
        return NO
    found = days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset_s
    if found < 946684800 or found >= 4102444800:
        return NO
    return found


@inlined
def zone_offset(buf: U8, at: int, stop: int) -> int:
    """Seconds east of UTC of ``Z`` or ``±hh:mm``; above a million when it is neither."""
    if stop - at == 1 and buf[at] == 90:
        return 0
    if stop - at != 6 or (buf[at] != 43 and buf[at] != 45) or buf[at + 3] != 58:
        return 2_000_000
    hours, minutes = digits(buf, at + 1, 2), digits(buf, at + 4, 2)
    if hours < 0 or minutes < 0 or minutes > 59 or hours * 60 + minutes > 840:
        return 2_000_000
    offset_s = hours * 3600 + minutes * 60
    return -offset_s if buf[at] == 45 else offset_s


@inlined
def skip_scalar(buf: U8, at: int, end: int) -> int:
    """Position after a value of an unknown name: plain string, short integer or literal; -1 otherwise."""
    first = buf[at]
    if first == QUOTE:
        stop = string_end(buf, at + 1, end)
        return NO if stop == NO else stop + 1
    if first == 116 or first == 110 or first == 102:
        return literal_end(buf, at, end)
    here = at
    while here < end and buf[here] >= 48 and buf[here] <= 57:
        here += 1
    if here == at or here - at > 15 or (first == 48 and here - at > 1) or here >= end:
        return NO
    # What follows decides whether it was an integer: a fraction or an exponent is for the slow path.
    after = buf[here]
    return here if after == COMMA or after == CLOSE or after == 32 else NO


@inlined
def literal_end(buf: U8, at: int, end: int) -> int:
    """Position after ``true``, ``false`` or ``null``; -1 otherwise."""
    if at + 4 < end and buf[at] == 116 and buf[at + 1] == 114 and buf[at + 2] == 117 and buf[at + 3] == 101:
        return at + 4
    if at + 4 < end and buf[at] == 110 and buf[at + 1] == 117 and buf[at + 2] == 108 and buf[at + 3] == 108:
        return at + 4
    if (
        at + 5 < end
        and buf[at] == 102
        and buf[at + 1] == 97
        and buf[at + 2] == 108
        and buf[at + 3] == 115
        and buf[at + 4] == 101
    ):
        return at + 5
    return NO
