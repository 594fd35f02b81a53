"""What a console shows of all riders: counts, holds, rates and how far each partition is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from detectors.limits import Limit
from stream.api.documents.views import Survey
from stream.api.queries.recent_alerts import RecentAlerts
from stream.api.queries.riders import Riders
from stream.api.queries.shadow import ShadowQuery
from stream.output.alert_json import utc
from stream.state.shm_reader import Health
from stream.state.shm_writer import STALE_S

Document = dict[str, Any]
_KEPT_S = 0.5


class OverviewQuery:
    """Counts the riders of this machine, at most twice a second however many ask.

    Parameters
    ----------
    riders, recent
        Where riders and what was told are found.
    limits
        Of the table by which riders are judged.
    shadow
        Of what is in the shadow; None where nothing is.
    wall
        The wall clock, epoch seconds.
    """

    def __init__(
        self,
        riders: Riders,
        recent: RecentAlerts,
        limits: Sequence[Limit],
        wall: Callable[[], float],
        shadow: ShadowQuery | None = None,
    ) -> None:
        self._shadow = shadow
        self.riders = riders
        self.recent = recent
        self.limits = limits
        self._wall = wall
        self._kept: tuple[float, Document] | None = None
        self._counted: tuple[float, int] | None = None
        self._surveying = asyncio.Lock()

    async def overview(self) -> Document:
        """The whole of it; half a second old at most."""
        async with self._surveying:
            if self._kept is None or self._wall() - self._kept[0] > _KEPT_S:
                self._kept = self._wall(), await asyncio.to_thread(self._survey)
        return self._kept[1]

    def _survey(self) -> Document:
        found, healths = self.riders.survey()
        survey = Survey(self.limits)
        for partition, batch, running in found:
            survey.add(batch, self.riders.names_of_zones(partition), running)
            for platform, asked in self.riders.by_platform(partition, batch):
                survey.add_platform(platform, asked)
        partitions = self._partitions(healths)
        return {
            "as_of": utc(int(self._wall())),
            "k": None,
            "complete": bool(partitions) and all(one["fresh"] for one in partitions),
            "riders": sum(survey.statuses.values()),
            "statuses": dict(survey.statuses),
            "holds_by_limit": dict(survey.holds),
            "riders_by_zone": {name: dict(cells) for name, cells in survey.zones.items()},
            "riders_by_platform": {name: dict(cells) for name, cells in survey.platforms.items()},
            "breaches_by_platform": dict(self.recent.breaches),
            "persons_shown": True,
            "on_hold": survey.held,
            "nearest": [one for _, one in survey.nearest],
            "alerts_per_minute": self.recent.per_minute,
            "alerts_by_kind": dict(self.recent.by_kind),
            "events_per_second": self._rate(healths),
            "dead_letters": dict(self.recent.dead_letters),
            "partitions": partitions,
            "shadow": [] if self._shadow is None else self._shadow.rows(),
        }

    def _rate(self, healths: Sequence[Health]) -> float | None:
        """Events read per second since the last survey; None at the first, and when a worker began anew."""
        now_s, count = self._wall(), sum(one.read for one in healths)
        before, self._counted = self._counted, (now_s, count)
        if before is None or count < before[1] or now_s <= before[0]:
            return None
        return (count - before[1]) / (now_s - before[0])

    def _partitions(self, healths: Sequence[Health]) -> list[Document]:
        here = {one.partition: one for one in healths if one.why_not != "elsewhere"}
        numbers = range(self.riders.partitions() or self.recent.partitions or 0)
        return [
            self._of_worker(here[number]) if number in here else self._of_topic(number) for number in numbers
        ]

    def _of_worker(self, one: Health) -> Document:
        return {
            "partition": one.partition,
            "worker": one.worker,
            "now": utc(one.now_s) if one.now_s else None,
            "clock": one.clock,
            "said_s": max(0, int(self._wall() - one.said_ms / 1000)),
            # Where events are the clock, *now* is not of this world.
            "lag_s": max(0, one.said_ms // 1000 - one.now_s) if one.now_s and one.clock == "wall" else None,
            "lag_records": one.lag_records,
            "fresh": one.why_not is None,
            "reason": one.why_not,
        }

    def _of_topic(self, number: int) -> Document:
        told = self.recent.watermarks.get(number)
        fresh = told is not None and self._wall() - told["told_s"] <= STALE_S
        return {
            "partition": number,
            "worker": told["worker"] if told else None,
            "now": told["now"] if told else None,
            "clock": None,
            "said_s": max(0, int(self._wall() - told["told_s"])) if told else None,
            "lag_s": told["lag_s"] if told else None,
            "lag_records": None,
            "fresh": fresh,
            "reason": None if fresh else "stale" if told else "unreachable",
        }
