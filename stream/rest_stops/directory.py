"""Rest stops and estates by zone; which of them are open, at an instant or all through a hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

# Its stubs leave its errors out.
from opening_hours import OpeningHours, State, UnknownCountryError  # type: ignore[attr-defined]

from schemas.rest_stops import ENTRIES, Entry, Estate, RestStop
from schemas.rest_stops_file import RestStopsContents

#: Open for longer than this is open.
_HORIZON_DAYS = 366
#: Of one stop, from one closing to the next: comments may change while it is open.
_MOST_CHANGES = 64


@cache
def country_of(time_zone: str) -> str | None:
    """The country whose public holidays hours may name as ``PH``; None where there is none or several.

    Examples
    --------
    >>> country_of("Asia/Shanghai"), country_of("UTC")
    ('CN', None)
    """
    table = (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    for line in table.splitlines():
        if not line.startswith("#"):
            country, _, zone, *_ = line.split("\t")
            if zone == time_zone:
                return country
    return None


class RestStopsDirectory:
    """What a file says, to be asked.

    Parameters
    ----------
    contents
        The file's.
    time_zone
        Opening hours are read in it, with the public holidays of its country.
    """

    def __init__(self, contents: RestStopsContents, time_zone: str) -> None:
        self.time_zone = time_zone
        self.stops = contents.stops
        self.estates = contents.estates
        self._zone = ZoneInfo(time_zone)
        self._by_zone: dict[str, list[RestStop]] = {}
        for stop in contents.stops:
            self._by_zone.setdefault(stop.zone, []).append(stop)
        country = country_of(time_zone)
        self._hours = {stop.stop_id: _hours(stop.hours, self._zone, country) for stop in contents.stops}

    def stops_of(self, zone: str | None) -> Sequence[RestStop]:
        """The rest stops of a zone in the file's order; None: all."""
        return self.stops if zone is None else self._by_zone.get(zone, ())

    def estates_of(self, zone: str | None) -> list[Estate]:
        """The estates of a zone in the file's order; None: all."""
        return [one for one in self.estates if zone in (None, one.zone)]

    def estates_by_access(self, zone: str | None = None) -> dict[Entry, int]:
        """How many estates of a zone let riders in; None: of all."""
        counts = Counter(one.access for one in self.estates_of(zone))
        return {entry: counts[entry] for entry in ENTRIES}

    def local(self, instant_s: int) -> datetime:
        """An instant in the time zone of the hours."""
        return datetime.fromtimestamp(instant_s, tz=UTC).astimezone(self._zone)

    def is_open(self, stop: RestStop, at_s: int) -> bool:
        """Whether it is open; hours that are not known are not."""
        return self._hours[stop.stop_id].is_open(self.local(at_s))

    def open_until(self, stop: RestStop, at_s: int) -> datetime | None:
        """When it closes next; None when it is not open, or stays open for a year and more."""
        hours, at = self._hours[stop.stop_id], self.local(at_s)
        for _ in range(_MOST_CHANGES):
            if not hours.is_open(at):
                return at if int(at.timestamp()) > at_s else None
            changed = hours.next_change(at)
            if changed is None:
                return None
            at = changed
        return at

    def is_open_through(self, stop: RestStop, from_s: int, until_s: int) -> bool:
        """Whether it is open all through ``[from_s, until_s)``; of an empty span, at its beginning."""
        if until_s <= from_s:
            return self.is_open(stop, from_s)
        between = self._hours[stop.stop_id].intervals(self.local(from_s), self.local(until_s))
        return all(state == State.OPEN for start, _, state, _ in between if int(start.timestamp()) < until_s)

    def open_in(self, zone: str, from_s: int, until_s: int | None = None) -> list[RestStop]:
        """The rest stops of a zone that are open from one instant until the other; None: at the first."""
        return [
            stop
            for stop in self.stops_of(zone)
            if self.is_open_through(stop, from_s, from_s if until_s is None else until_s)
        ]


def _hours(text: str, zone: ZoneInfo, country: str | None) -> OpeningHours:
    try:
        return OpeningHours(text, timezone=zone, country=country, max_interval_days=_HORIZON_DAYS)
    except UnknownCountryError:
        return OpeningHours(text, timezone=zone, max_interval_days=_HORIZON_DAYS)
