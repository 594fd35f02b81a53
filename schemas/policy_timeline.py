"""Times and spans as a policy's examples write them, in local seconds since the beginning of day 1."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

DAY_S = 86_400
WORDS = ("order", "loaded", "online", "driving", "on_duty")
_DAY = r"(?:D([1-9][0-9]{0,2}) )?"
_TIME = r"((?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?)"
SPAN = re.compile(rf"{_DAY}{_TIME}-{_TIME} ([A-Za-z_]+)(?: ?@([^\s#]+))?(?: ?#(\S+))?", re.ASCII)
CONDITION = re.compile(rf"(\S+) (\S+) {_DAY}{_TIME}-{_TIME} announced {_DAY}{_TIME}", re.ASCII)
INSTANT = re.compile(rf"{_DAY}{_TIME}", re.ASCII)
REACHED = re.compile(rf"(\S+) {_DAY}{_TIME}", re.ASCII)


class Span(NamedTuple):
    """A span of an example in local seconds since the beginning of its first day; ``place`` is from 1."""

    place: int
    begin_s: int
    end_s: int
    word: str
    platform: str | None
    zone: str | None = None


class Announced(NamedTuple):
    """A condition of an example: where, and in local seconds when it is on and was announced."""

    condition: str
    zones: tuple[str, ...]
    begin_s: int
    end_s: int
    announced_s: int


class Reached(NamedTuple):
    """A limit, and the local second since the beginning of the first day at which it is reached."""

    limit: str
    at_s: int


class LocalDay:
    """Instants of an example, whose first day is a date of the policy's zone."""

    def __init__(self, first: dt.date, zone: ZoneInfo) -> None:
        self._first = first
        self._zone = zone

    def instant_s(self, local_s: int) -> int:
        """The epoch second of a local one; the earlier one where a local time exists twice."""
        return int(self._naive(local_s).replace(tzinfo=self._zone).timestamp())

    def exists(self, local_s: int) -> bool:
        """Whether the local time is not one that clocks leave out."""
        naive = self._naive(local_s)
        back = naive.replace(tzinfo=self._zone).astimezone(UTC).astimezone(self._zone)
        return back.replace(tzinfo=None) == naive

    def local_s(self, instant_s: int) -> int:
        """The local second of an epoch second."""
        naive = datetime.fromtimestamp(instant_s, self._zone).replace(tzinfo=None)
        return int((naive - datetime.combine(self._first, datetime.min.time())).total_seconds())

    def _naive(self, local_s: int) -> datetime:
        return datetime.combine(self._first, datetime.min.time()) + timedelta(seconds=local_s)


def write_local(local_s: int) -> str:
    """A local second as examples write it.

    Examples
    --------
    >>> write_local(86_400 + 3_661)
    'D2 01:01:01'
    """
    day, second = divmod(local_s, DAY_S)
    text = f"{second // 3600:02}:{second // 60 % 60:02}" + (f":{second % 60:02}" if second % 60 else "")
    return text if day == 0 else f"D{day + 1} {text}"


def _second(text: str) -> int:
    hours, minutes, seconds = (*(int(part) for part in text.split(":")), 0)[:3]
    return hours * 3_600 + minutes * 60 + seconds


def instant_of(text: str) -> int:
    """The local second of an instant that is well written."""
    match = INSTANT.fullmatch(text)
    assert match, text
    return (int(match[1] or 1) - 1) * DAY_S + _second(match[2])


def reached_of(text: str) -> Reached:
    """A limit and its instant, well written."""
    limit, _, instant = text.partition(" ")
    return Reached(limit, instant_of(instant))


def announced_of(text: str) -> Announced:
    """A condition, well written; it is announced on the day on which it begins, unless another is named."""
    match = CONDITION.fullmatch(text)
    assert match, text
    begin_s, end_s = _second(match[4]), _second(match[5])
    day_s = (int(match[3] or 1) - 1) * DAY_S
    announced_day_s = (int(match[6]) - 1) * DAY_S if match[6] else day_s
    return Announced(
        condition=match[1],
        zones=tuple(match[2].split(",")),
        begin_s=day_s + begin_s,
        end_s=day_s + end_s + (DAY_S if end_s <= begin_s else 0),
        announced_s=announced_day_s + _second(match[7]),
    )


def timeline_of(spans: Sequence[str]) -> Iterator[Span]:
    """Spans that are well written; a time before the former one's is on the next day."""
    day, former_s = 0, None
    for place, text in enumerate(spans, start=1):
        match = SPAN.fullmatch(text)
        assert match, text
        begin_s, end_s = _second(match[2]), _second(match[3])
        if match[1]:
            day = int(match[1]) - 1
        elif former_s is not None and begin_s < former_s:
            day += 1
        former_s = begin_s
        over_midnight = end_s < begin_s
        begin_s, end_s = day * DAY_S + begin_s, (day + over_midnight) * DAY_S + end_s
        yield Span(place, begin_s, end_s, match[4], match[5], match[6])
