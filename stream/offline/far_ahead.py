"""Events far after all others: *now* is the latest event time, so one wrong year makes all wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

#: A gap of more than this before the latest events is said.
GAP_S = 86_400
#: So many of the latest events are looked at.
_KEPT = 50
#: More than one event after the gap is still doubtful while it is fewer than one in so many.
_RARE = 100


class Seen(NamedTuple):
    """An event's time (epoch seconds) and its place."""

    at_s: int
    file: str
    line: int


class Doubt(NamedTuple):
    """Events far after all others.

    Parameters
    ----------
    first
        The earliest of them.
    before_s
        The latest event time before the gap, epoch seconds.
    """

    first: Seen
    events: int
    before_s: int

    @property
    def gap(self) -> str:
        """How far they lie after the others, for a person."""
        gap_s = self.first.at_s - self.before_s
        return f"{gap_s // 86_400} days" if gap_s >= 2 * 86_400 else str(timedelta(seconds=gap_s))


class LatestEvents:
    """Remembers where the latest events of a run stand."""

    def __init__(self) -> None:
        self._latest: list[Seen] = []
        self._count = 0

    def take(self, file: str, lines: Sequence[int], event_s: npt.NDArray[np.int64]) -> None:
        """Take the events of a batch in; ``lines`` are their places."""
        self._count += len(event_s)
        floor_s = self._latest[0].at_s if len(self._latest) > _KEPT else None
        chosen = np.arange(len(event_s)) if floor_s is None else np.flatnonzero(event_s > floor_s)
        if len(chosen) > _KEPT + 1:
            chosen = chosen[np.argpartition(event_s[chosen], -(_KEPT + 1))[-(_KEPT + 1) :]]
        found = [Seen(int(event_s[i]), file, lines[i]) for i in chosen.tolist()]
        self._latest = sorted(self._latest + found)[-(_KEPT + 1) :]

    def doubt(self) -> Doubt | None:
        """The events after the last gap of more than a day, when they are one, or few among many."""
        for index in range(len(self._latest) - 1, 0, -1):
            before, after = self._latest[index - 1], self._latest[index]
            count = len(self._latest) - index
            if count > 1 and count * _RARE > self._count:
                return None
            if after.at_s - before.at_s > GAP_S:
                return Doubt(after, count, before.at_s)
        return None
