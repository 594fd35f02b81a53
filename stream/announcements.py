"""From messages of conditions of zones to those that the detectors take."""

from __future__ import annotations

from detectors.conditions import Announcement
from schemas.zone_condition import read_condition


def announcement_of(value: bytes | None, arrival_s: int | None) -> Announcement:
    """The announcement of a message's value.

    Parameters
    ----------
    value
        The message's bytes.
    arrival_s
        When it arrived, epoch seconds: with the wall clock it was announced then, whatever it says itself.
        None: it says so itself.

    Raises
    ------
    Refused
        With the first reason that applies.
    """
    one = read_condition(value, needs_announcement=arrival_s is None)
    said_s = one.announced_s if arrival_s is None else arrival_s
    assert said_s is not None
    assert value is not None
    return Announcement(
        condition_id=one.condition_id,
        condition=one.condition,
        zones=one.zones,
        from_s=one.from_s,
        until_s=one.until_s,
        announced_s=said_s,
        void=bool(one.void),
        value=value,
    )
