"""What it means that a platform honours holds: the one definition, of the report and of the console.

A breach counts when the order was accepted ``breach_grace`` or more after the hold was told; what was
accepted sooner is excused, for nobody could know. A hold is honoured by a platform while no breach of its
that counts names it. The rate is the share of the holds begun that are honoured: one breach or twenty of a
hold are the same to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def seconds_between(first: str, last: str) -> int:
    """From one instant to another, as alerts write them; below zero the other way round.

    >>> seconds_between("2026-11-23T16:00:01+08:00", "2026-11-23T08:01:01Z")
    60
    """
    return int((datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds())


def after_told_s(breach: Mapping[str, Any]) -> int | None:
    """How long after its hold was told an order was accepted; None where that is not known."""
    told_at = breach["hold"]["told_at"] if breach["hold"] else None
    return None if told_at is None else seconds_between(told_at, breach["event_time"])


def counts(breach: Mapping[str, Any], grace_s: int | None) -> bool:
    """Whether a breach is held against its platform.

    Parameters
    ----------
    grace_s
        None where *now* is the events' own: what is told is told by the wall clock, which is another time.

    A replay tells nobody; what was published was told, and a breach without a time of telling counts.
    """
    after_s = after_told_s(breach)
    return grace_s is None or after_s is None or after_s >= grace_s


def honour_rate(holds: int, breached: int) -> float | None:
    """The share of holds without a breach that counts; None where there are no holds.

    >>> honour_rate(40, 2), honour_rate(0, 0)
    (0.95, None)
    """
    return 1 - min(breached, holds) / holds if holds else None
