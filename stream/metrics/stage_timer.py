"""What a partition spends its time on, stage by stage: seconds in all, and how long single ones took."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

#: In the order in which an event meets them. A chunk waits in the first two; send and commit wait for
#: Kafka, and belong to checkpoints, too; the others work.
STAGES = (
    "fetch", "wait", "decode", "ingest", "judge", "render", "tell", "send", "commit", "checkpoint",
)  # fmt: skip
#: Upper bounds of the buckets, seconds; the last one has none.
STAGE_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_LABELS = (*map(str, STAGE_BUCKETS_S), "+Inf")


class StageTimes:
    """The times of one partition.

    Parameters
    ----------
    seconds, counts
        The partition's own, so that they outlive it like any other count: the sum by stage, and
        ``("stage_" + stage, le)`` for every bucket by itself.
    """

    def __init__(self, seconds: Counter[str], counts: Counter[tuple[str, str]]) -> None:
        self._seconds = seconds
        self._counts = counts

    def add(self, stage: str, seconds: float) -> None:
        """Note that a stage took so long; below nothing, as between two clocks, is nothing."""
        seconds = max(0.0, seconds)
        self._seconds[stage] += seconds  # type: ignore[assignment]
        self._counts[f"stage_{stage}", _LABELS[bisect_left(STAGE_BUCKETS_S, seconds)]] += 1

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Note the time within, whether it ends well or not."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, time.perf_counter() - started)
