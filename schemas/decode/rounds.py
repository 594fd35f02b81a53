"""A dispatch round's bytes: candidates read into columns, answers written from columns.

`schemas.eligibility` says what they are; here a hundred thousand of them go in and out in milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from schemas.decode.columns import I64, U8, U64
from schemas.decode.hashing import hash_bytes, murmur2
from schemas.decode.jit import inlined, kernel
from schemas.decode.text import CLOSE, COLON, COMMA, NO, OPEN, QUOTE, digits, id_end, same, skip_space

OPEN_LIST, CLOSE_LIST = 91, 93
NULL = -1
#: The shortest candidate in JSON, in bytes.
_SHORTEST = len('{"rider_id":"a","minutes":1}')
_NULL = np.frombuffer(b"null", dtype=np.uint8)
#: Text between the fields that differ: rider, minutes, seconds left, earliest resume, as of.
PIECES = 6
_NUMBER_MOST, _INSTANT_MOST, _ID_MOST = 20, 22, 64


class Candidates(NamedTuple):
    """Riders asked about together, as columns over the body; ``minutes`` is an order's length."""

    buf: U8
    off: I64
    length: I64
    minutes: I64
    hashes: U64
    murmurs: I64


def read_candidates(body: bytes, most: int, longest_minutes: int) -> Candidates | None:
    """The candidates of a body in the plain form that machines write; None for all else.

    None refuses nothing: keys that are escaped or repeated, numbers like ``25.0``, more than ``most``
    candidates and everything that is wrong are for a parser that knows how to say so.
    """
    room = min(len(body) // _SHORTEST + 1, most)
    off, length, minutes, murmurs = np.empty((4, room), dtype=np.int64)
    hashes = np.empty(room, dtype=np.uint64)
    buf = np.frombuffer(body or b" ", dtype=np.uint8)
    count = scan_candidates(Candidates(buf, off, length, minutes, hashes, murmurs), longest_minutes)
    if count < 0:
        return None
    return Candidates(buf, off[:count], length[:count], minutes[:count], hashes[:count], murmurs[:count])


@inlined
def after(buf: U8, at: int, end: int, word: bytes) -> int:
    """Where the word that begins at ``at`` ends; -1 when another stands there."""
    stop = at + len(word)
    return stop if at >= 0 and stop <= end and same(buf, at, stop, word) else NO


@inlined
def after_mark(buf: U8, at: int, end: int, mark: int) -> int:
    """Where the text after a mark, perhaps with space around it, goes on; -1 when it is not there."""
    if at < 0:
        return NO
    at = skip_space(buf, at, end)
    if at >= end or buf[at] != mark:
        return NO
    return skip_space(buf, at + 1, end)


@inlined
def minutes_end(buf: U8, at: int, end: int) -> int:
    """Where an integer of one to four digits without a leading zero ends; -1 when there is none."""
    start = at
    while at < end and buf[at] >= 48 and buf[at] <= 57:
        at += 1
    if at == start or at - start > 4 or buf[start] == 48:
        return NO
    return at


@inlined
def scan_candidate(columns: Candidates, index: int, at: int, end: int, longest: int) -> int:
    """Read the candidate whose brace has been read; where the text goes on, -1 for "not plain"."""
    buf = columns.buf
    columns.length[index] = NO
    columns.minutes[index] = NO
    for field in range(2):
        if field == 1:
            at = after_mark(buf, at, end, COMMA)
        rider = after(buf, at, end, b'"rider_id"')
        if rider != NO:
            at = after_mark(buf, rider, end, COLON)
            if at == NO or at >= end or buf[at] != QUOTE or columns.length[index] != NO:
                return NO
            quote = id_end(buf, at + 1, end)
            if quote == NO:
                return NO
            columns.off[index] = at + 1
            columns.length[index] = quote - at - 1
            at = quote + 1
            continue
        at = after_mark(buf, after(buf, at, end, b'"minutes"'), end, COLON)
        if at == NO or columns.minutes[index] != NO:
            return NO
        stop = minutes_end(buf, at, end)
        if stop == NO:
            return NO
        columns.minutes[index] = digits(buf, at, stop - at)
        if columns.minutes[index] > longest:
            return NO
        at = stop
    return after_mark(buf, at, end, CLOSE)


@kernel
def scan_candidates(columns: Candidates, longest: int) -> int:
    """Read a whole body; how many candidates, -1 when it is not plain or there is no room for them."""
    buf = columns.buf
    end = buf.shape[0]
    at = after_mark(buf, 0, end, OPEN)
    at = after_mark(buf, after(buf, at, end, b'"candidates"'), end, COLON)
    at = after_mark(buf, at, end, OPEN_LIST)
    count = 0
    while at != NO and at < end and buf[at] != CLOSE_LIST:
        if count > 0:
            at = after_mark(buf, at, end, COMMA)
        at = after_mark(buf, at, end, OPEN)
        if at == NO or count == columns.off.shape[0]:
            return NO
        at = scan_candidate(columns, count, at, end, longest)
        if at == NO:
            return NO
        columns.hashes[count] = hash_bytes(buf, columns.off[count], columns.length[count])
        columns.murmurs[count] = murmur2(buf, columns.off[count], columns.length[count])
        count += 1
    at = after_mark(buf, after_mark(buf, at, end, CLOSE_LIST), end, CLOSE)
    return count if at == end else NO


class Written(NamedTuple):
    """Answers as columns: ids over a buffer, numbers, instants (epoch seconds); `NULL` where there is none.

    ``key`` names the row of ``pieces`` with the text around the fields that differ.
    """

    key: I64
    buf: U8
    off: I64
    length: I64
    minutes: I64
    left_s: I64
    resume_s: I64
    as_of_s: I64


def write_rows(answers: Written, pieces: Sequence[Sequence[bytes]]) -> memoryview:
    """The answers, separated by commas.

    Parameters
    ----------
    pieces
        `PIECES` texts for each key.

    Notes
    -----
    Precondition: ids need no escaping.
    """
    texts = [text for row in pieces for text in row]
    assert len(texts) == PIECES * len(pieces)
    ends = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    text = np.frombuffer(b"".join(texts) or b" ", dtype=np.uint8)
    longest = max((sum(map(len, row)) for row in pieces), default=0)
    most = longest + _ID_MOST + 2 * _NUMBER_MOST + 2 * _INSTANT_MOST + 1
    out = np.empty(max(1, len(answers.key) * most), dtype=np.uint8)
    return out[: write_all(answers, text, ends, out)].data


@inlined
def put(out: U8, at: int, source: U8, first: int, last: int) -> int:
    for index in range(first, last):
        out[at + index - first] = source[index]
    return at + last - first


@inlined
def put_digits(out: U8, at: int, number: int, width: int) -> int:
    for index in range(width):
        out[at + width - 1 - index] = 48 + number % 10
        number //= 10
    return at + width


@inlined
def put_number(out: U8, at: int, number: int) -> int:
    """Write a number that is not negative, or null; where it ends."""
    if number < 0:
        return put(out, at, _NULL, 0, 4)
    width = 1
    rest = number // 10
    while rest > 0:
        width += 1
        rest //= 10
    return put_digits(out, at, number, width)


@inlined
def put_part(out: U8, at: int, number: int, width: int, mark: int) -> int:
    at = put_digits(out, at, number, width)
    out[at] = mark
    return at + 1


@inlined
def put_instant(out: U8, at: int, instant_s: int) -> int:
    """Write an instant of the years 1970 to 9999 in UTC, quoted, or null; where it ends.

    The date of a day's number: H. Hinnant, 2013, "chrono-compatible low-level date algorithms".
    """
    if instant_s < 0:
        return put(out, at, _NULL, 0, 4)
    day, second = instant_s // 86_400 + 719_468, instant_s % 86_400
    era = day // 146_097
    of_era = day - era * 146_097
    year_of_era = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    year = year_of_era + era * 400 + (1 if month <= 2 else 0)
    out[at] = QUOTE
    at = put_part(out, at + 1, year, 4, 45)
    at = put_part(out, at, month, 2, 45)
    at = put_part(out, at, of_year - (153 * shifted + 2) // 5 + 1, 2, 84)
    at = put_part(out, at, second // 3600, 2, 58)
    at = put_part(out, at, second // 60 % 60, 2, 58)
    at = put_part(out, at, second % 60, 2, 90)
    out[at] = QUOTE
    return at + 1


@kernel
def write_all(answers: Written, text: U8, ends: I64, out: U8) -> int:
    """Write every answer; how many bytes."""
    at = 0
    for index in range(answers.key.shape[0]):
        if index > 0:
            out[at] = COMMA
            at += 1
        piece = answers.key[index] * PIECES
        at = put(out, at, text, ends[piece], ends[piece + 1])
        at = put(out, at, answers.buf, answers.off[index], answers.off[index] + answers.length[index])
        at = put(out, at, text, ends[piece + 1], ends[piece + 2])
        at = put_number(out, at, answers.minutes[index])
        at = put(out, at, text, ends[piece + 2], ends[piece + 3])
        at = put_number(out, at, answers.left_s[index])
        at = put(out, at, text, ends[piece + 3], ends[piece + 4])
        at = put_instant(out, at, answers.resume_s[index])
        at = put(out, at, text, ends[piece + 4], ends[piece + 5])
        at = put_instant(out, at, answers.as_of_s[index])
        at = put(out, at, text, ends[piece + 5], ends[piece + 6])
    return at
