"""Event times as they stand on the wire."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime
from decimal import Decimal

FIRST_S = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
#: The first second that is too late.
END_S = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())
LARGEST_OFFSET_MIN = 14 * 60
_MONTHS = 12
_FORM = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(?:Z|([+-])(\d\d):(\d\d))", re.ASCII
)
#: What is near enough to the form to tell how it would be written.
_NEAR = re.compile(
    r"\s*(\d{4})[-/.](\d\d?)[-/.](\d\d?)[T\s]+(\d\d?):(\d\d)(?::(\d\d))?([.,]\d+)?\s*"
    r"(Z|UTC|GMT|([+-])(\d\d?):?(\d\d)?)?\s*",
    re.ASCII | re.IGNORECASE,
)
_NUMBER = re.compile(r"\d{9,22}(?:\.\d{1,12})?", re.ASCII)


def parse_instant(text: str) -> int:
    """Epoch seconds of an event time; a fraction is cut off.

    Raises
    ------
    ValueError
        Saying what is wrong with it.

    Examples
    --------
    >>> parse_instant("2026-11-23T12:00:00.9+08:00")
    1795406400
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(_no_form(text))
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    try:
        local = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise ValueError(f'"{text}" does not exist: {_why_not(year, month, day)}') from error
    offset_min = 0
    if match[7]:
        offset_min = int(match[8]) * 60 + int(match[9])
        if int(match[9]) > 59 or offset_min > LARGEST_OFFSET_MIN:
            raise ValueError(
                f'"{text}" has an offset beyond 14:00: it goes from -14:00 to +14:00, its minutes to 59'
            )
        offset_min = -offset_min if match[7] == "-" else offset_min
    instant_s = int(local.timestamp()) - offset_min * 60
    if not FIRST_S <= instant_s < END_S:
        raise ValueError(f'"{text}" lies outside 2000-01-01 to 2100-01-01 in UTC')
    return instant_s


def _no_form(text: str) -> str:
    """What is wrong with a text that has not the form of an event time, and how it would have it."""
    if _FORM.fullmatch(f"{text}Z"):
        return (
            f'"{text}" has no offset: add the one of the local time it is in, like "{text}+08:00" in China, '
            f'or Z if it is UTC: "{text}Z"'
        )
    begin = f'"{text[:80]}" is no time of the form 2026-11-23T12:00:00+08:00'
    if found := _NEAR.fullmatch(text):
        date = f"{found[1]}-{found[2]:>02}-{found[3]:>02}"
        time = f"{found[4]:>02}:{found[5]}:{found[6] or '00'}{(found[7] or '')[:10].replace(',', '.')}"
        offset = "" if found[8] is None else "Z"
        if found[9]:
            offset = f"{found[9]}{found[10]:>02}:{found[11] or '00'}"
        if _FORM.fullmatch(f"{date}T{time}{offset or 'Z'}"):
            more = "" if offset else ", with the offset of the local time it is in, or Z if it is UTC"
            return f'{begin}: write it like "{date}T{time}{offset or "+08:00"}"{more}'
    if unix := written_epoch(text):
        return f"{begin}; {unix}"
    return begin


def written_epoch(text: str) -> str | None:
    """What a number means if it counts from 1970, and how that is written; None where it cannot.

    Examples
    --------
    >>> written_epoch("1795406400123")
    'as milliseconds since 1970 it would be "2026-11-23T04:00:00.123Z"'
    """
    if not _NUMBER.fullmatch(text):
        return None
    count = Decimal(text)
    for digits, name in ((0, "seconds"), (3, "milliseconds"), (6, "microseconds"), (9, "nanoseconds")):
        seconds = count.scaleb(-digits)
        if FIRST_S <= seconds < END_S:
            whole, _, fraction = f"{seconds:f}".partition(".")
            when = datetime.fromtimestamp(int(whole), UTC).strftime("%Y-%m-%dT%H:%M:%S")
            # All of the fraction that an event time can have.
            fraction = fraction[:9].rstrip("0")
            return f'as {name} since 1970 it would be "{when}{"." + fraction if fraction else ""}Z"'
    return None


def _why_not(year: int, month: int, day: int) -> str:
    """What is wrong with the date, or else the time, of an instant that does not exist."""
    if not year:
        return "years begin with 0001"
    if not 1 <= month <= _MONTHS:
        return f"there is no month {month}"
    days = calendar.monthrange(year, month)[1]
    if not 1 <= day <= days:
        return f"month {month} of {year} has {days} days"
    return "hours go to 23, minutes and seconds to 59"
