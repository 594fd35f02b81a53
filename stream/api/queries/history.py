"""Keeps the history while the API runs, and answers for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np

from detectors.kernels.layout.values import I64, NONE
from detectors.kernels.reading.columns import A_KNOWN, A_STATUS
from detectors.verdicts import STATUSES
from schemas.overview import K
from stream.api.documents.honour import counts
from stream.api.documents.rounding import Published
from stream.api.history import views
from stream.api.history.file import HistoryFile
from stream.api.history.tables import SAMPLE_S, History, Place, Told
from stream.api.queries.prometheus import PrometheusSamples
from stream.api.queries.read_alert import ReadAlert
from stream.api.queries.riders import Riders
from stream.output.alert_json import utc
from stream.settings import Settings

Document = dict[str, Any]
TICK_S = 1.0
SAVE_EVERY_S = 60.0
#: Wall seconds without a sample that are a gap, beside the five minutes of the city.
GAP_S = SAMPLE_S + 60.0
#: Of a partition's riders so many are looked at for how much of their limits they have used.
LOOKED_AT = 1_000
_USAGE_EVERY_S = 60.0
#: Counting rests so many times as long as it took, whatever else.
_REST = 20.0


class HistoryQuery:
    """The history of this machine's riders and of the topic of alerts.

    Parameters
    ----------
    file
        Where it is kept; read by `start`.
    riders
        Those of this machine, as they are judged now.
    wall
        The wall clock, epoch seconds.
    prometheus
        Where riders have been counted over time as well; None: only here.
    grace_s
        After a hold is told, orders accepted within it are not held against a platform; None: all are.
    """

    def __init__(
        self,
        file: HistoryFile,
        riders: Callable[[], Riders],
        wall: Callable[[], float],
        prometheus: PrometheusSamples | None = None,
        grace_s: int | None = None,
    ) -> None:
        self._file = file
        self._riders = riders
        self._wall = wall
        self._prometheus = prometheus
        self._grace_s = grace_s
        self.history = History("")
        self._published = Published()
        self._sampled_s = 0.0
        self._saved_s = wall()
        self._usage: tuple[float, Document] | None = None
        self._using = asyncio.Lock()

    @classmethod
    def of(
        cls,
        settings: Settings,
        riders: Callable[[], Riders],
        wall: Callable[[], float],
    ) -> Self:
        """The one that the settings name."""
        file = HistoryFile(settings.history, f"{settings.prefix}{settings.group}")
        grace_s = settings.breach_grace if settings.clock == "wall" else None
        return cls(file, riders, wall, PrometheusSamples.of(settings), grace_s)

    def start(self) -> None:
        """Take up what the file has, unless something has been counted already."""
        if not self.history.read:
            self.history = self._file.load()

    async def close(self) -> None:
        """Close the connections."""
        if self._prometheus is not None:
            await self._prometheus.close()

    # -- what is read --------------------------------------------------------------------------

    def read(self, one: ReadAlert) -> None:
        """Count a record of the topic of alerts, once however often it is read."""
        place = self.history.read.setdefault(one.partition, Place())
        if place.takes(one.offset, one.told_s) and not one.again:
            self.history.count(_told(one))

    def owned(self, one: ReadAlert) -> None:
        """Count it with its platforms."""
        place = self.history.owned.setdefault(one.partition, Place())
        if place.takes(one.offset, one.told_s) and not one.again:
            excused = one.kind == "hold_breached" and not counts(one.document(), self._grace_s)
            self.history.count_platforms(_told(one, is_excused=excused), one.shown)

    # -- while it runs -------------------------------------------------------------------------

    async def run(self, has_caught_up: Callable[[], bool]) -> None:
        """Sample, close and save until cancelled; then save once more."""
        try:
            while True:
                began_s = time.perf_counter()
                await self.tick(has_caught_up=has_caught_up())
                took_s = time.perf_counter() - began_s
                await asyncio.sleep(max(TICK_S, _REST * took_s))
        finally:
            self._file.save(self.history.packed())

    async def tick(self, *, has_caught_up: bool) -> None:
        """Look once. What counts riders and writes runs beside the loop, what changes the history on it."""
        fresh = [one.now_s for one in self._riders().healths() if one.why_not is None and one.now_s]
        if fresh:
            now_s = max(fresh)
            if self.history.is_due(now_s):
                self._sample(now_s, *await asyncio.to_thread(self._count))
            if has_caught_up:
                self.history.close(now_s)
        if self._wall() - self._saved_s >= SAVE_EVERY_S:
            self._saved_s = self._wall()
            await asyncio.to_thread(self._file.save, self.history.packed())

    def _count(self) -> tuple[list[int], bool]:
        """How many riders are clear, near and on hold, and whether those of every partition are."""
        found, healths = self._riders().survey()
        counts = np.zeros(len(STATUSES), dtype=np.int64)
        for _, batch, _ in found:
            answers = batch.asked.answers
            status = answers[answers[:, A_KNOWN] == 1, A_STATUS]
            counts += np.bincount(status, minlength=len(STATUSES))[: len(STATUSES)]
        return counts.tolist(), bool(healths) and len(found) == len(healths)

    def _sample(self, now_s: int, counts: Sequence[int], is_complete: bool) -> None:
        # A count without some partition's riders would look like a fall.
        if not is_complete:
            return
        wall_s = self._wall()
        statuses = [counts[STATUSES.index(name)] for name in ("clear", "approaching", "hold")]
        self.history.sample(now_s, statuses, is_gap=wall_s - self._sampled_s > GAP_S)
        self._sampled_s = wall_s

    # -- questions -----------------------------------------------------------------------------

    async def document(self, hours: int, *, for_regulator: bool) -> Document:
        """The last so many hours, and how much of their limits riders have used."""
        usage = await self._used()
        samples = None if self._prometheus is None else await self._prometheus.samples(int(self._wall()))
        found = self.history.samples if samples is None else samples
        if for_regulator:
            made = views.for_regulator(self.history, found, hours)
            usage = self._published.figures("usage", self._wall(), None, views.usage_for_regulator(usage))
        else:
            made = views.whole(self.history, found, hours)
        return {
            "as_of": utc(int(self._wall())),
            "k": K if for_regulator else None,
            "samples_from": "api" if samples is None else "prometheus",
            **made,
            "usage": {
                **usage,
                "limits": [
                    dict(zip(("policy", "limit", "tenths"), (*name.split("/", 1), cells), strict=True))
                    for name, cells in usage["limits"].items()
                ],
            },
        }

    async def _used(self) -> Document:
        """How much of their limits riders have used; not counted anew for every client."""
        async with self._using:
            now_s = self._wall()
            if self._usage is None or not 0 <= now_s - self._usage[0] < _USAGE_EVERY_S:
                self._usage = now_s, await asyncio.to_thread(self._count_usage)
        return self._usage[1]

    def _count_usage(self) -> Document:
        riders = self._riders()
        named = riders.limits.limits
        cells = np.zeros((len(named), 11), dtype=np.int64)
        known = looked_at = 0
        found, _ = riders.survey()
        for partition, batch, _ in found:
            rows = np.flatnonzero(batch.asked.answers[:, A_KNOWN] == 1)
            known += len(rows)
            some = _spread(rows, LOOKED_AT)
            used = riders.used(partition, batch, some)
            if used is None:
                continue
            looked_at += len(some)
            for index in range(len(named)):
                column = used[:, index]
                cells[index] += np.bincount(column[column != NONE], minlength=11)
        limits = {
            f"{one.policy}/{one.name}": cells[index].tolist()
            for index, one in enumerate(named)
            if cells[index].any()
        }
        return {"riders": known, "looked_at": looked_at, "limits": limits}


def _spread(rows: I64, most: int) -> I64:
    """At most so many of the rows, evenly spread."""
    return rows if len(rows) <= most else rows[np.arange(most) * len(rows) // most]


def _told(one: ReadAlert, *, is_excused: bool = False) -> Told:
    return Told(
        one.kind, one.event_s, one.rider, one.limit, one.zone, one.platform, one.hold_from_s, is_excused
    )  # fmt: skip
