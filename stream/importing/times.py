"""Times as tables write them, to epoch seconds."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from schemas.import_map import Times
from schemas.instants import END_S, FIRST_S
from stream.importing.cells import is_blank

_OFFSET = re.compile(r"\s*(Z|[+-]\d\d:?\d\d)$")
_TIME_OF_DAY = re.compile(r"\d:\d\d|T\d\d")
_UNIT = {"epoch_s": 1, "epoch_ms": 1000}
#: A time without a year that lies so long before the row's first is one of the next year.
_HALF_A_YEAR_S = 183 * 86_400


class BadTime(ValueError):
    """A cell that is no time; the message says why, and what would mend it."""


class TimeReader:
    """Reads the times of one import.

    Attributes
    ----------
    folds
        Local times that came twice, by which was taken.
    gaps
        Local times that no clock there has shown.
    """

    def __init__(self, times: Times) -> None:
        self._times = times
        self._zone = ZoneInfo(times.zone)
        self._unit = _UNIT.get(times.format)
        self._has_year = times.year is None
        self.folds = {"first": 0, "second": 0}
        self.gaps = 0

    def read(self, cell: object, after_s: int | None = None) -> int | None:
        """Epoch seconds, a fraction cut off; None where the cell says nothing.

        Parameters
        ----------
        after_s
            The row's first time: of two possible readings the one that does not lie before it is taken.

        Raises
        ------
        BadTime
            The cell is no time.
        """
        if is_blank(cell):
            return None
        if self._times.zero_is_missing and str(cell).strip() in ("0", "0.0"):
            return None
        if isinstance(cell, datetime):
            return self._checked(self._placed(cell, after_s), cell)
        if self._unit is not None:
            return self._checked(_number(cell) // self._unit, cell)
        text = str(cell).strip()
        local = self._iso(text) if self._times.format == "iso" else self._formed(text)
        at_s = self._placed(local, after_s)
        if not self._has_year and after_s is not None and at_s < after_s - _HALF_A_YEAR_S:
            at_s = self._placed(local.replace(year=local.year + 1), after_s)
        return self._checked(at_s, cell)

    def _iso(self, text: str) -> datetime:
        bare = text.removesuffix(" UTC")
        if offset := _OFFSET.search(bare):
            bare = bare[: offset.start()] + offset[1]
        no_time = BadTime(
            f'"{text[:60]}" is no time like 2026-11-23 12:00:00; a form of its own goes to --time-format, '
            'like "%d.%m.%Y %H:%M"'
        )
        # A date alone would be read as midnight.
        if not _TIME_OF_DAY.search(bare):
            raise no_time
        try:
            return datetime.fromisoformat(bare)
        except ValueError as error:
            raise no_time from error

    def _formed(self, text: str) -> datetime:
        form, year = self._times.format, self._times.year
        try:
            if self._has_year:
                return datetime.strptime(text, form)  # noqa: DTZ007 - the zone follows
            # With the year in it, a 29th of February is one.
            return datetime.strptime(f"{year} {text}", f"%Y {form}")  # noqa: DTZ007 - the same
        except ValueError as error:
            raise BadTime(f'"{text[:60]}" is no time of the form {form}') from error

    def _placed(self, local: datetime, after_s: int | None) -> int:
        """Epoch seconds of a time, which is local where it has no offset."""
        if local.tzinfo is not None and not self._times.ignore_offset:
            return math.floor(local.timestamp())
        first = local.replace(tzinfo=self._zone, fold=0)
        second = first.replace(fold=1)
        before, after = first.utcoffset() or timedelta(0), second.utcoffset() or timedelta(0)
        at_s = math.floor(first.timestamp())
        if before == after:
            return at_s
        if before < after:
            self.gaps += 1
            return at_s
        if after_s is None or at_s >= after_s:
            self.folds["first"] += 1
            return at_s
        self.folds["second"] += 1
        return math.floor(second.timestamp())

    def _checked(self, at_s: int, cell: object) -> int:
        if FIRST_S <= at_s < END_S:
            return at_s
        hint = ""
        if self._times.format == "epoch_s" and at_s >= END_S:
            hint = ": milliseconds? --time-format epoch_ms"
        elif self._times.format == "epoch_ms" and at_s < FIRST_S:
            hint = ": seconds? --time-format epoch_s"
        raise BadTime(f'"{str(cell)[:60]}" lies outside 2000-01-01 to 2100-01-01{hint}')


def _number(cell: object) -> int:
    try:
        if isinstance(cell, str) and re.fullmatch(r"[+-]?\d+", cell.strip()):
            return int(cell)
        return math.floor(float(cell))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError) as error:
        raise BadTime(f'"{str(cell)[:60]}" is no number of seconds: see times.format of the map') from error
