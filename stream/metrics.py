"""Prometheus metrics, read from the partitions' arrays and counters at scrape time: no cost per event."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from detectors.kernels.layout import R_STATUS
from detectors.store import RiderStore
from detectors.verdicts import STATUSES
from stream.settings import Settings

#: Broker and worker must agree to a second; from here on the worker is not ready.
MOST_CLOCK_DIFFERENCE_S = 5.0


class Source(Protocol):
    """What is read of a partition."""

    number: int
    store: RiderStore
    counts: Any
    seconds: Any
    lag_records: int
    clock_difference_s: float

    @property
    def now_s(self) -> int | None:
        """*now*, None while the state is being rebuilt."""


class Counted(Protocol):
    """What is read of a partition, now or in the past."""

    counts: Any
    seconds: Any


class Past:
    """What was counted in partitions that this worker has given up: counters must never go back."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.seconds: Counter[str] = Counter()

    def add(self, one: Counted) -> None:
        """Keep the counts of a partition that is given up."""
        self.counts.update(one.counts)
        self.seconds.update(one.seconds)


class PartitionCollector(Collector):
    """Turns the partitions of a worker into metric families when asked."""

    def __init__(
        self, partitions: Callable[[], Sequence[Source]], policies: Sequence[str], past: Counted | None = None
    ) -> None:
        self._partitions = partitions
        self._policies = policies
        self._past: Sequence[Counted] = [past] if past is not None else []

    def collect(self) -> Iterator[Metric]:
        """All families, read now."""
        found = self._partitions()
        yield from _counters([*found, *self._past])
        yield from _states(found)
        info = GaugeMetricFamily("respite_policy_info", "Policies that judge, 1 each.", labels=["policy"])
        for policy in self._policies:
            info.add_metric([policy], 1)
        yield info
        yield GaugeMetricFamily(
            "respite_process_resident_bytes", "Memory held by this worker.", _resident_bytes()
        )


def _sum(found: Sequence[Counted], family: str) -> dict[str, float]:
    sums: dict[str, float] = {}
    for one in found:
        for (kind, label), count in list(one.counts.items()):
            if kind == family:
                sums[label] = sums.get(label, 0) + count
    return sums


def _counters(found: Sequence[Counted]) -> Iterator[Metric]:
    families = (
        ("events", "respite_events", "Events of the source, by what became of them.", "outcome"),
        ("dead_letters", "respite_dead_letters", "Refused messages by reason.", "reason"),
        ("alerts", "respite_alerts", "Alerts published by kind.", "kind"),
        ("statuses", "respite_statuses", "Dispatch statuses published.", "status"),
    )
    for kind, name, text, label in families:
        family = CounterMetricFamily(name, text, labels=[label])
        for value, count in sorted(_sum(found, kind).items()):
            family.add_metric([value], count)
        yield family
    stages = CounterMetricFamily(
        "respite_stage_seconds", "Seconds spent by stage of judging.", labels=["stage"]
    )
    totals: dict[str, float] = {}
    for one in found:
        for stage, seconds in list(one.seconds.items()):
            totals[stage] = totals.get(stage, 0) + seconds
    for stage, seconds in sorted(totals.items()):
        stages.add_metric([stage], seconds)
    yield stages


def _states(found: Sequence[Source]) -> Iterator[Metric]:
    riders = GaugeMetricFamily("respite_riders", "Riders by their dispatch status.", labels=["status"])
    counts = np.zeros(len(STATUSES), dtype=np.int64)
    for one in found:
        codes = one.store.memory.rows[: one.store.riders, R_STATUS]
        counts += np.bincount(codes[codes >= 0], minlength=len(STATUSES))[: len(STATUSES)]
    for status, count in zip(STATUSES, counts, strict=True):
        riders.add_metric([status], int(count))
    yield riders
    lag = GaugeMetricFamily(
        "respite_lag_records", "Records of the source not judged yet.", labels=["partition"]
    )
    behind = GaugeMetricFamily(
        "respite_lag_seconds", "Seconds that now trails the clock.", labels=["partition"]
    )
    memory = GaugeMetricFamily("respite_store_bytes", "Memory of the rider store.", labels=["partition"])
    live = GaugeMetricFamily("respite_live", "1 when the partition's state is built.", labels=["partition"])
    clock = GaugeMetricFamily(
        "respite_clock_difference_seconds",
        "Newest arrival minus the worker's clock when it was fetched; above zero the broker is ahead.",
        labels=["partition"],
    )
    ready = bool(found) and all(
        one.now_s is not None and abs(one.clock_difference_s) <= MOST_CLOCK_DIFFERENCE_S for one in found
    )
    yield GaugeMetricFamily(
        "respite_ready",
        "1 when every partition is live and the clocks of broker and worker agree.",
        int(ready),
    )
    for one in found:
        label = [str(one.number)]
        clock.add_metric(label, one.clock_difference_s)
        lag.add_metric(label, one.lag_records)
        memory.add_metric(label, one.store.size_bytes)
        live.add_metric(label, int(one.now_s is not None))
        if one.now_s is not None:
            behind.add_metric(label, max(0.0, time.time() - one.now_s))
    yield from (lag, behind, memory, live, clock)


def _resident_bytes() -> int:
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - not a file one has a path for
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


class Metrics:
    """The endpoint of a worker, with a registry of its own."""

    def __init__(
        self, settings: Settings, partitions: Callable[[], Sequence[Source]], past: Counted | None = None
    ) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(PartitionCollector(partitions, settings.policies, past))
        self._settings = settings
        self._server: Any = None

    def start(self) -> str:
        """Serve /metrics; its address."""
        host = self._settings.metrics_host
        self._server, _ = start_http_server(self._settings.metrics_port, addr=host, registry=self.registry)
        return f"http://{host}:{self._server.server_port}/metrics"

    def stop(self) -> None:
        """Stop serving."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
