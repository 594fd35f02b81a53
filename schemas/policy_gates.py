"""Limits that are on and off: bans, and those that are told only while a condition is on."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schemas.policy_limit import PolicyLimit

_DATE = re.compile(r"[0-9]{2}-[0-9]{2}", re.ASCII)
#: A year that has every day there is.
_LEAP_YEAR = 2024


def checked_dates(value: object) -> object:
    """The texts of two days of the year, as they are.

    Raises
    ------
    ValueError
        When they are none.
    """
    days = value if isinstance(value, list | tuple) else []
    if len(days) != 2 or not all(isinstance(one, str) and _DATE.fullmatch(one) for one in days):
        raise ValueError('is no pair of days of the year: write it like ["06-01", "09-15"]')
    for one in days:
        try:
            dt.date.fromisoformat(f"{_LEAP_YEAR}-{one}")
        except ValueError as error:
            raise ValueError(f'is no pair of days of the year: there is no "{one}"') from error
    return value


def gate_faults(one: PolicyLimit) -> list[str]:
    """What says that a limit is on and off what its kind does not look at, and what a ban lacks."""
    if one.kind != "ban":
        return [
            f"`{key}` goes with kind ban only" + more
            for key, value, more in (
                ("condition", one.condition, ": for other kinds write `when`"),
                ("dates", one.dates, ": leave it out"),
                ("zones", one.zones, ": leave it out"),
            )
            if value is not None
        ]
    faults = []
    if one.when is not None:
        faults.append("`when` goes with the other kinds: of a ban write `condition`")
    if one.effect == "confirm":
        faults.append("`effect` confirm has no meaning for kind ban: it must be remind or hold")
    if one.condition is not None and one.between is not None:
        faults.append("`condition` and `between` are two ways to say when a ban is on: name one of them")
    elif one.condition is None and one.between is None:
        faults.append("`condition` or `between` is missing: kind ban needs one of them")
    if one.condition is not None:
        faults += [
            f"`{key}` goes with `between`: a condition says itself {what}"
            for key, value, what in (("dates", one.dates, "when it is on"), ("zones", one.zones, "where"))
            if value is not None
        ]
    return faults
