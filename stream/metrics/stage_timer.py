"""What a partition spends its time on."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

#: In the order in which an event meets them. The first five work, the last two mostly wait for Kafka.
STAGES = ("decode", "ingest", "judge", "encode", "tell", "write", "checkpoint")


@contextmanager
def timed(seconds: Counter[str], stage: str) -> Iterator[None]:
    """Add the time within to a stage's seconds, whether it ends well or not."""
    started = time.perf_counter()
    try:
        yield
    finally:
        seconds[stage] += time.perf_counter() - started  # type: ignore[assignment]
