"""What a worker's metrics are read from: each partition, and those that it had."""

from __future__ import annotations

from collections import Counter
from typing import Any, Protocol

from detectors.store import RiderStore


class Counted(Protocol):
    """What is read of a partition, now or in the past."""

    counts: Any
    seconds: Any


class Source(Counted, Protocol):
    """What is read of a partition that is ours."""

    number: int
    store: RiderStore
    lag_records: int
    clock_difference_s: float
    #: When something last moved, epoch seconds.
    progress_s: float

    @property
    def now_s(self) -> int | None:
        """*now*, None while the state is being rebuilt."""

    @property
    def restore_ratio(self) -> float:
        """How much of the rebuild is done, 0 to 1."""

    @property
    def checkpoint_age_s(self) -> float | None:
        """Seconds since the last checkpoint; None without one."""

    @property
    def checkpoint_bytes(self) -> int:
        """Bytes of checkpoints written since the partition was taken over."""

    @property
    def committed_s(self) -> float | None:
        """When the last transaction was committed, epoch seconds; None before the first."""


class Past:
    """What was counted in partitions that this worker has given up: counters must never go back."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.seconds: Counter[str] = Counter()

    def add(self, one: Counted) -> None:
        """Keep the counts of a partition that is given up."""
        self.counts.update(one.counts)
        self.seconds.update(one.seconds)
