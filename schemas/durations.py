"""Durations as policy files write them: ``4h``, ``1h30min``; whole numbers, largest unit first."""

from __future__ import annotations

import re

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
_FORM = re.compile(r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})min)?(?:(\d{1,9})s)?", re.ASCII)
LONGEST_S = 14 * 86_400


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
    example = 'write it like "4h", "20min" or "1h30min"'
    if isinstance(text, int) and not isinstance(text, bool):
        raise ValueError(f'{text} is no duration without a unit: write "{text}h", "{text}min" or "{text}s"')  # noqa: TRY004
    if not isinstance(text, str):
        raise ValueError(f"is no duration: {example}")  # noqa: TRY004 - pydantic wants a ValueError
    if text.isascii() and text.isdigit():
        raise ValueError(f'"{text}" is no duration without a unit: write "{text}h", "{text}min" or "{text}s"')
    match = _FORM.fullmatch(text)
    if match is None or not text:
        raise ValueError(f'"{text[:60]}" is no duration: {example}')
    seconds = sum(int(part or 0) * unit_s for part, (_, unit_s) in zip(match.groups(), _UNITS, strict=True))
    if not 0 < seconds <= LONGEST_S:
        raise ValueError(f'"{text}" must be above zero and at most 14d')
    return seconds


def write_duration(seconds: int) -> str:
    """The shortest form of a duration in seconds.

    Examples
    --------
    >>> write_duration(5400)
    '1h30min'
    """
    parts = []
    for unit, unit_s in _UNITS:
        count, seconds = divmod(seconds, unit_s)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
