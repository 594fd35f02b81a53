"""Durations as policy files write them: ``4h``, ``1h30min``; whole numbers, largest unit first."""

from __future__ import annotations

import re

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
_FORM = re.compile(r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})min)?(?:(\d{1,9})s)?", re.ASCII)
#: Other spellings of the units.
_SPELT = {
    **dict.fromkeys(("d", "day", "days"), 86_400),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3_600),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    "w": 604_800, "week": 604_800, "weeks": 604_800,
}  # fmt: skip
_BEYOND = 'nearest to a longer window is kind "month", or "week" with `weeks`'
LONGEST_S = 14 * 86_400
#: What may be counted in a window of the calendar.
LONGEST_AMOUNT_S = 2_000 * 3_600


class OutOfBounds(ValueError):
    """A duration that is well written, and too long or none at all."""


def parse_duration(text: object) -> int:
    """Seconds of a duration.

    Raises
    ------
    ValueError
        When it is no string of that form, zero, or above 14 days.

    Examples
    --------
    >>> parse_duration("1h30min")
    5400
    """
    return _parsed(text, LONGEST_S)


def parse_limit_duration(text: object) -> int:
    """As `parse_duration`, for a policy's limit: what is too long is told what comes nearest."""
    return _parsed(text, LONGEST_S, beyond=_BEYOND)


def parse_amount(text: object) -> int:
    """Seconds of an amount, which may be as much as 2,000 h.

    Raises
    ------
    ValueError
        When it is no duration, zero, or above that.
    """
    return _parsed(text, LONGEST_AMOUNT_S)


def _parsed(text: object, longest_s: int, *, beyond: str = "") -> int:
    example = 'write it like "4h", "20min" or "1h30min"'
    if isinstance(text, int) and not isinstance(text, bool):
        units = f'"{text}h", "{text}min" or "{text}s"'
        raise ValueError(  # noqa: TRY004 - pydantic wants a ValueError
            f"{text} is a number, must be a text with its unit in quotation marks: write {units}"
        )
    if not isinstance(text, str):
        raise ValueError(f"is no duration: {example}")  # noqa: TRY004 - pydantic wants a ValueError
    if text.isascii() and text.isdigit():
        raise ValueError(f'"{text}" is no duration without a unit: write "{text}h", "{text}min" or "{text}s"')
    match = _FORM.fullmatch(text)
    if match is None or not text:
        raise ValueError(f'"{text[:60]}" is no duration: {_meant(text) or example}')
    seconds = sum(int(part or 0) * unit_s for part, (_, unit_s) in zip(match.groups(), _UNITS, strict=True))
    if not 0 < seconds <= longest_s:
        longest = "14d" if longest_s == LONGEST_S else "2000h"
        more = f"; {beyond}" if beyond and seconds > longest_s else ""
        raise OutOfBounds(f'"{text}" must be above zero and at most {longest}{more}')
    return seconds


def _meant(text: str) -> str | None:
    """What a duration in another spelling may mean; None where that is not known."""
    if re.fullmatch(
        r"\s*[\d.,]+\s*(k?m|mi|miles?|km/?h|mph|orders?|%|points?)\s*", text
    ) and not re.fullmatch(r"\d+m", text):
        return "limits count time, not distance, speed or orders"
    pieces = re.findall(r"([\d.,]+)\s*([a-z]*)", text.lower())
    if not pieces or re.sub(r"[\d.,]+\s*[a-z]*|\s", "", text.lower()):
        return None
    seconds = 0.0
    for place, (number, unit) in enumerate(pieces):
        # "4h30": what has no unit after hours are minutes.
        unit_s = _SPELT.get(unit or ("min" if place else ""))
        if unit_s is None or not re.fullmatch(r"\d{1,6}([.,]\d{1,6})?", number):
            return None
        seconds += float(number.replace(",", ".")) * unit_s
    if seconds != int(seconds) or seconds < 1:
        return None
    return f'write it like "{write_duration(int(seconds))}"'


def write_duration(seconds: int) -> str:
    """The shortest form of a duration in seconds.

    Examples
    --------
    >>> write_duration(5400)
    '1h30min'
    """
    return _written(seconds, _UNITS)


def write_hours(seconds: int) -> str:
    """The same without days, as hours of work are told.

    Examples
    --------
    >>> write_hours(56 * 3_600)
    '56h'
    """
    return _written(seconds, _UNITS[1:])


def _written(seconds: int, units: tuple[tuple[str, int], ...]) -> str:
    parts = []
    for unit, unit_s in units:
        count, seconds = divmod(seconds, unit_s)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
