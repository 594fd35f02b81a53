"""How late the event loop wakes who is due: for so long something else has held it."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from stream.metrics.families import histogram

#: Upper bounds of the buckets, seconds; the last one has none.
LOOP_LAG_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_EVERY_S = 0.02
_LABELS = (*map(str, LOOP_LAG_BUCKETS_S), "+Inf")


class LoopLagCollector(Collector):
    """Wakes fifty times a second and counts by how much too late."""

    def __init__(self) -> None:
        self._counts = [0] * len(_LABELS)
        self._total_s = 0.0

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin; ends with the loop."""
        loop.call_later(_EVERY_S, self._woken, loop, loop.time() + _EVERY_S)

    def _woken(self, loop: asyncio.AbstractEventLoop, due_s: float) -> None:
        late_s = max(0.0, loop.time() - due_s)
        self._counts[bisect_left(LOOP_LAG_BUCKETS_S, late_s)] += 1
        self._total_s += late_s
        self.watch(loop)

    def collect(self) -> Iterator[Metric]:
        """Read now."""
        family = histogram("respite_loop_lag_seconds", "How late the event loop wakes: something held it.")
        buckets = [
            (label, float(below)) for label, below in zip(_LABELS, accumulate(self._counts), strict=True)
        ]
        family.add_metric([], buckets, self._total_s)
        yield family
