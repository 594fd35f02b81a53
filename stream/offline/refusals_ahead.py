"""What the workers will refuse of what is fed: by their watermarks and the allowed lateness."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from schemas.durations import write_duration
from stream.kafka.watermarks import newest_watermarks
from stream.output.alert_json import utc
from stream.settings import Settings

#: A watermark is written every 5 s; on the wall clock it is *now* but for what is still to be read.
_WALL_WITHIN_S = 60
FUTURE_S = 300


@dataclass(slots=True)
class WorkersClock:
    """What is known of the workers' *now*.

    Parameters
    ----------
    seen
        Whether a worker has written a watermark within the last minute.
    on_wall
        Whether *now* is the wall clock; as the setting says where no worker is seen.
    now_s
        By partition, the event clock's *now*, epoch seconds.
    """

    seen: bool
    on_wall: bool
    now_s: dict[int, int] = field(default_factory=dict)


async def workers_clock(settings: Settings) -> WorkersClock:
    """Read the newest watermark of each partition."""
    newest = await newest_watermarks(settings)
    wall_s = time.time()
    marks = {number: one.written_s for number, one in newest.items() if one.written_s is not None}
    if marks and all(abs(wall_s - mark) < _WALL_WITHIN_S for mark in marks.values()):
        return WorkersClock(seen=True, on_wall=True)
    return WorkersClock(seen=False, on_wall=settings.clock == "wall" and not marks, now_s=marks)


class RefusalsAhead:
    """Counts the events that will be refused as ``too_late`` or ``future``.

    Parameters
    ----------
    lateness_s
        The allowed lateness.
    """

    def __init__(self, clock: WorkersClock, lateness_s: int) -> None:
        self._clock = clock
        self._lateness_s = lateness_s
        self._now_s = dict(clock.now_s)
        self.too_late = 0
        self.future = 0
        self._oldest_s: int | None = None

    @property
    def certain(self) -> bool:
        """Whether a worker was seen that will refuse them."""
        return self._clock.seen and self.too_late + self.future > 0

    def take(self, event_s: npt.NDArray[np.int64], partition: npt.NDArray[np.int64]) -> None:
        """Look at events in the order in which they are sent."""
        if self._clock.on_wall:
            now_s = int(time.time())
            late = event_s < now_s - self._lateness_s
            self.future += int(np.count_nonzero(event_s > now_s + FUTURE_S))
        else:
            late = np.zeros(len(event_s), dtype=np.bool_)
            for number in np.unique(partition).tolist():
                chosen = partition == number
                latest = np.maximum.accumulate(np.append(self._now_s.get(number, 0), event_s[chosen]))
                late[chosen] = event_s[chosen] < latest[:-1] - self._lateness_s
                self._now_s[number] = int(latest[-1])
        count = int(np.count_nonzero(late))
        self.too_late += count
        if count:
            oldest_s = int(event_s[late].min())
            self._oldest_s = oldest_s if self._oldest_s is None else min(oldest_s, self._oldest_s)

    def sentences(self, events: int) -> list[str]:
        """What is said of them; empty when there are none."""
        who = "the workers" if self._clock.seen else "a worker on the wall clock"
        said = []
        if self.too_late:
            lateness = write_duration(self._lateness_s)
            if not self._clock.on_wall:
                who = "the workers, whose clock is the events' own,"
            said.append(
                f"{self.too_late} of {events} events lie more back than the lateness allowed ({lateness}), "
                f"the oldest at {utc(self._oldest_s or 0)}: {who} will refuse them as too_late. A recorded "
                "history is for `respite replay`, or for workers of a group and topics of their own "
                "(--prefix) with --clock event"
            )
        if self.future:
            said.append(
                f"{self.future} of {events} events lie more than 5 min after this machine's clock: {who} "
                "will refuse them as future. Is their offset right, and the clock of who wrote them?"
            )
        return said
