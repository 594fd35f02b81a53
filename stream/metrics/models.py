"""What models say of the riders at work, as distributions by platform and zone. No person's value leaves.

A cell (a platform, and part of a zone) is shown from ten riders on, and of its distribution only such steps
that ten riders lie between any two; totals over cells are not shown, so nothing hidden follows from what is.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from detectors.kernels.layout import codes, row as Row, state as State
from detectors.kernels.layout.values import I64
from detectors.models.fleet import Words, at_work, new_scratch
from detectors.models.instants import F64, Zone, zone_of
from detectors.store import RiderStore
from schemas.overview import K
from stream.metrics.families import gauge
from stream.metrics.regulator import MOST_ZONES, Judging, Platforms
from stream.metrics.rider_counts import SHARE_OF_A_CORE, head_at, members

#: Upper bounds of steps; the last one has none.
STEPS = {
    "alertness": (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0),
    "risk": (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0),
}
Cell = tuple[str, str, str]


def words_of(store: RiderStore) -> Words:
    """Where the clock that models go by lies: duty where some limit has it kept, else online."""
    kept = store.limits.packed.kept[codes.DUTY_CLOCK]
    clock = codes.DUTY_CLOCK if kept else codes.ONLINE_CLOCK
    base = head_at(store) + State.clock_at(clock)
    return Words(
        run=base + State.CLOCK_RUN,
        edge=base + State.CLOCK_EDGE,
        spans=base + State.CLOCK_SPANS,
        block=Row.SPANS + clock,
        span_words=State.SPAN_WORDS,
    )


def values_of(store: RiderStore, zone: Zone) -> dict[str, F64]:
    """By model, the value of each row; NaN of who is not at work. Reads only, beside the worker."""
    rows = store.memory.rows[: min(store.riders, len(store.memory.rows))]
    kss, relative = np.empty(len(rows)), np.empty(len(rows))
    at_work(rows, store.memory.heap, words_of(store), zone, store.now_s, new_scratch(), kss, relative)
    return {"alertness": kss, "risk": relative}


def counted(store: RiderStore, model: str, values: F64, zone_digits: int) -> Counter[tuple[Cell, int]]:
    """Riders by cell and step; one counts for each of his platforms."""
    rows = store.memory.rows[: len(values)]
    told = ~np.isnan(values[: len(rows)])
    steps = len(STEPS[model]) + 1
    step = np.searchsorted(np.array(STEPS[model]), np.where(told, values[: len(rows)], 0.0), side="left")
    numbers = rows[:, head_at(store) + State.ZONE] if zone_digits else np.zeros(len(rows), dtype=np.int64)
    known: I64 = np.unique(numbers[told])
    group = np.searchsorted(known, numbers) * steps + step
    group[~told] = -1
    found: Counter[tuple[Cell, int]] = Counter()
    for (platform, place), count in members(store, rows, group, len(known) * steps).items():
        zone = (store.zone(int(known[place // steps])) or "")[:zone_digits] if zone_digits else ""
        found[(model, platform, zone), place % steps] += count
    return found


def steps_shown(counts: Sequence[int]) -> list[tuple[int, int]]:
    """Of riders by step, the steps to show and how many riders lie up to them; none of fewer than ten.

    Between any two that are shown lie nobody or ten riders; the last one has all.

    Examples
    --------
    >>> steps_shown([4, 8, 0, 3])
    [(3, 15)]
    >>> steps_shown([12, 0, 9, 5])
    [(0, 12), (1, 12), (3, 26)]
    >>> steps_shown([5, 4, 0, 0])
    []
    """
    total, last = sum(counts), len(counts) - 1
    if total < K:
        return []
    shown: list[tuple[int, int]] = []
    so_far = 0
    for step, count in enumerate(counts):
        so_far += count
        before = shown[-1][1] if shown else 0
        if step < last and (so_far == before or so_far - before >= K):
            shown.append((step, so_far))
    while shown and 0 < total - shown[-1][1] < K:
        shown.pop()
    return [*shown, (last, total)]


class ModelCollector(Collector):
    """Turns what models say of the stores of a worker's partitions into metric families when asked.

    Reckoned in a thread of its own, as often as a small share of a core allows; a scrape shows the last.

    Parameters
    ----------
    partitions
        The partitions that the worker works on.
    names
        Of the models.
    time_zone
        Whose hours of the day count.
    zone_digits
        How many characters of a zone's code become a label; 0: zones are not shown.
    """

    def __init__(
        self,
        partitions: Callable[[], Sequence[Judging]],
        names: Sequence[str],
        time_zone: ZoneInfo,
        zone_digits: int,
    ) -> None:
        self._partitions = partitions
        self._names = [name for name in STEPS if name in names]
        self._zone = zone_of(time_zone)
        self._digits = zone_digits
        self._platforms = Platforms()
        self._found: Counter[tuple[Cell, int]] = Counter()
        self._due_s = 0.0
        self._reckoning: threading.Thread | None = None

    def collect(self) -> Iterator[Metric]:
        """All families, as they were reckoned last."""
        idle = self._reckoning is None or not self._reckoning.is_alive()
        if idle and time.monotonic() >= self._due_s:
            self._reckoning = threading.Thread(target=self.reckon, name="models", daemon=True)
            self._reckoning.start()
            # A small fleet is done at once, and its first scrape need not be empty.
            self._reckoning.join(timeout=1.0)
        yield from self._families(self._found)

    def reckon(self) -> None:
        """Ask the models of every rider at work."""
        started = time.monotonic()
        found: Counter[tuple[Cell, int]] = Counter()
        for one in self._partitions():
            if one.now_s is not None:
                values = values_of(one.store, self._zone)
                for name in self._names:
                    found.update(counted(one.store, name, values[name], self._digits))
        self._found = found
        ended = time.monotonic()
        self._due_s = ended + (ended - started) / SHARE_OF_A_CORE

    def _families(self, found: Counter[tuple[Cell, int]]) -> Iterator[Metric]:
        text = (
            "Riders at work by what a model predicts of them from work times, cumulative; cells and steps of "
            "fewer than ten riders are left out."
        )
        family = gauge("respite_model_riders", text, ["model", "platform", "zone", "le"])
        labelled = self._labelled(found)
        for (model, platform, zone), counts in sorted(labelled.items()):
            bounds = [*map(str, STEPS[model]), "+Inf"]
            for step, riders in steps_shown(counts):
                family.add_metric([model, platform, zone, bounds[step]], riders)
        yield family

    def _labelled(self, found: Counter[tuple[Cell, int]]) -> dict[Cell, list[int]]:
        """Cells by label: zones with most riders, platforms that have found room; the others are left out."""
        riders: Counter[str] = Counter()
        platforms: Counter[str] = Counter()
        for (cell, _), count in found.items():
            platforms[cell[1]] += count
            riders[cell[2]] += count
        zones = {zone for zone, _ in riders.most_common(MOST_ZONES)}
        shown = self._platforms.summed(platforms)
        labelled: dict[Cell, list[int]] = {}
        for (cell, step), count in found.items():
            if cell[1] in shown and cell[2] in zones:
                labelled.setdefault(cell, [0] * (len(STEPS[cell[0]]) + 1))[step] += count
        return labelled


assert all(low < high for steps in STEPS.values() for low, high in pairwise(steps))
