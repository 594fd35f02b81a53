"""Local times and windows of the calendar, as policy files write them."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from schemas.policy_limit import PolicyLimit

DAY_S = 86_400
WEEK_S = 7 * DAY_S
MOST_WEEKS = 26
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
#: Monday is 0.
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
CALENDAR_KINDS = ("day", "week", "month")
#: Kinds that can count certain hours of the day only.
MASKED_KINDS = (*CALENDAR_KINDS, "rolling")
#: Kinds that may name hours of the day.
HOUR_KINDS = (*MASKED_KINDS, "ban")
#: A local day can have 25 hours, and in a few zones 24.5 or 26; a week or a month a day's extra hour.
LONGEST_CALENDAR_S = {"day": 26 * 3_600, "week": 7 * DAY_S + 2 * 3_600, "month": 31 * DAY_S + 2 * 3_600}
_LOCAL_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)


def checked_time(value: object) -> object:
    """The text of a local time, as it is.

    Raises
    ------
    ValueError
        When it is none.
    """
    if not isinstance(value, str) or not _LOCAL_TIME.fullmatch(value):
        raise ValueError('is no local time: write it like "04:00", from "00:00" to "23:59"')
    return value


def checked_date(value: object) -> object:
    """A date, as it is: a number is none, and neither is an instant.

    Raises
    ------
    PydanticCustomError
        When it is something else.
    """
    if isinstance(value, int | float | datetime):
        raise PydanticCustomError("date_type", "is no date")
    return value


OnlyDate = Annotated[date, BeforeValidator(checked_date)]


def seconds_of_day(text: str) -> int:
    """Seconds from midnight to a local time.

    Examples
    --------
    >>> seconds_of_day("04:30")
    16200
    """
    hours, minutes = text.split(":")
    return int(hours) * 3_600 + int(minutes) * 60


def calendar_faults(one: PolicyLimit) -> list[str]:
    """What says of a calendar what the kind does not look at."""
    per_week = ("rest_within",) if one.per is not None else ()
    given = (
        ("day_start", one.day_start, (*CALENDAR_KINDS, *per_week)),
        ("week_start", one.week_start, ("week", *per_week)),
        ("weeks", one.weeks, ("week",)),
        ("per", one.per, ("rest_within",)),
        ("between", one.between, HOUR_KINDS),
    )
    faults = [
        f"`{key}` has no meaning for kind {one.kind}: it goes with {_listed(kinds)}"
        for key, value, kinds in given
        if value is not None and one.kind not in kinds
    ]
    if one.between is not None and one.kind == "rolling" and one.reset_s is not None:
        faults.append("`between` goes with kind rolling only without a `reset`: leave one of them out")
    return faults


def _listed(kinds: tuple[str, ...]) -> str:
    return " and ".join(filter(None, (", ".join(kinds[:-1]), kinds[-1])))


def date_faults(begin: date | None, end: date | None) -> list[str]:
    """What contradicts itself in the dates between which a policy is in force, both of them included."""
    if begin is None or end is None or begin <= end:
        return []
    return [f"`valid_until` {end} is before `valid_from` {begin}: the policy is never in force"]


def checked_hours(value: object) -> object:
    """The texts of two local times, as they are.

    Raises
    ------
    ValueError
        When they are none.
    """
    times = value if isinstance(value, list | tuple) else []
    if len(times) != 2 or not all(isinstance(one, str) and _LOCAL_TIME.fullmatch(one) for one in times):
        more = ', midnight as "00:00"' if "24:00" in times else ""
        raise ValueError(f'is no pair of local times: write it like ["22:00", "06:00"]{more}')
    return value
