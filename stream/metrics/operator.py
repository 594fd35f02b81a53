"""The operator's metrics, and the endpoint that serves all: read at scrape time from arrays and counters.

Names follow Prometheus's rules: base units, ``_total`` for counters, one unit per metric, no label per rider.
"""

from __future__ import annotations

import asyncio
import platform
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app
from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from detectors.store import RiderStore
from stream.metrics.alert_latency import CAUSES, LATENCY_BUCKETS_S
from stream.metrics.conditions import ConditionsCollector
from stream.metrics.families import counter, gauge, histogram
from stream.metrics.health import Health, serve
from stream.metrics.loop_lag import LoopLagCollector
from stream.metrics.models import ModelCollector
from stream.metrics.regulator import Judging, RegulatorCollector
from stream.metrics.shadow import ShadowCollector
from stream.metrics.stage_timer import STAGE_BUCKETS_S, STAGES
from stream.settings import Settings


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


class PartitionCollector(Collector):
    """Turns the partitions of a worker into the operator's metric families when asked.

    Parameters
    ----------
    wall
        Epoch seconds; None under the events' clock, which no wall clock can be compared with.
    """

    def __init__(
        self,
        partitions: Callable[[], Sequence[Source]],
        policies: Callable[[], Sequence[str]],
        past: Counted | None = None,
        wall: Callable[[], float] | None = time.time,
    ) -> None:
        self._partitions = partitions
        self._policies = policies
        self._past: Sequence[Counted] = [past] if past is not None else []
        self._wall = wall

    def collect(self) -> Iterator[Metric]:
        """All families, read now."""
        found = self._partitions()
        counted: Sequence[Counted] = [*found, *self._past]
        yield from _counters(counted)
        yield _stages(counted)
        yield _latency(counted)
        yield _checkpoints(found)
        yield from _partitions(found, self._wall and self._wall())
        yield _ones("respite_policy_info", "Policies that judge, 1 each.", "policy", self._policies())
        yield _build()


def summed(found: Sequence[Counted], family: str) -> dict[str, int]:
    """The counts of a family over partitions, by label."""
    sums: dict[str, int] = {}
    for one in found:
        for (kind, label), count in list(one.counts.items()):
            if kind == family:
                sums[label] = sums.get(label, 0) + count
    return dict(sorted(sums.items()))


#: Family of counts, metric, help, label, and the values that are there at once: a rate needs a 0 to begin.
_COUNTERS = (
    ("events", "respite_events", "Events of the source, by what became of them.", "outcome",
     ("accepted", "forgotten", "forwarded", "read")),
    ("dead_letters", "respite_dead_letters", "Refused messages by reason.", "reason",
     ("flood", "future", "invalid", "malformed", "misplaced", "too_large", "too_late", "unsupported_schema")),
    ("alerts", "respite_alerts", "Alerts published by kind, repeats included.", "kind",
     ("approaching", "hold_breached", "hold_released", "limit_reached", "reminder", "retracted")),
    ("statuses", "respite_statuses", "Dispatch statuses published.", "status",
     ("approaching", "clear", "forgotten", "hold")),
    ("foreign", "respite_foreign_records", "Records of our own topics that nobody of us wrote, left out.",
     "topic", ()),
    ("time_jumps", "respite_event_time_jumps", "Events more than a day after all before, by clock.",
     "clock", ("event",)),
    ("restores", "respite_restores", "Partitions restored, by how it ended.", "outcome", ("again", "done")),
)  # fmt: skip


def _counters(found: Sequence[Counted]) -> Iterator[Metric]:
    for kind, name, text, label, known in _COUNTERS:
        family = counter(name, text, [label])
        for value, count in {**dict.fromkeys(known, 0), **summed(found, kind)}.items():
            family.add_metric([value], count)
        yield family


def _stages(found: Sequence[Counted]) -> Metric:
    family = histogram(
        "respite_stage_seconds",
        "By stage. A chunk waits in fetch (at the broker) and wait (for its turn); decode, ingest, judge, "
        "tell and checkpoint work; send and commit wait for Kafka.",
        ["stage"],
    )
    for stage in STAGES:
        seconds = sum(one.seconds.get(stage, 0.0) for one in found)
        _add(family, stage, summed(found, f"stage_{stage}"), STAGE_BUCKETS_S, seconds)
    return family


def _add(
    family: HistogramMetricFamily, label: str, buckets: dict[str, int], bounds: Sequence[float], total: float
) -> None:
    """Add the samples of one label: buckets count by themselves here, and all below them there."""
    below, cumulative = 0, []
    for bound in (*map(str, bounds), "+Inf"):
        below += buckets.get(bound, 0)
        cumulative.append((bound, float(below)))
    family.add_metric([label], cumulative, total)


def _latency(found: Sequence[Counted]) -> Metric:
    family = histogram(
        "respite_alert_latency_seconds",
        "From the arrival of the record (cause event) or the instant reached in silence (cause time) "
        "to the alert's commit.",
        ["cause"],
    )
    sums = summed(found, "latency_ms")
    for cause in CAUSES:
        buckets = summed(found, f"latency_{cause}")
        _add(family, cause, buckets, LATENCY_BUCKETS_S, sums.get(cause, 0) / 1000)
    return family


#: Metric, help, and how it is read of a partition at a wall time; None leaves the partition out.
_GAUGES: tuple[tuple[str, str, Callable[[Source, float | None], float | None]], ...] = (
    ("respite_lag_records", "Records of the source not judged yet.", lambda one, _: one.lag_records),
    ("respite_lag_seconds", "Seconds that now trails the clock.",
     lambda one, wall_s: None if one.now_s is None or wall_s is None else max(0.0, wall_s - one.now_s)),
    ("respite_watermark_timestamp_seconds", "now of the partition, epoch seconds.",
     lambda one, wall_s: wall_s and one.now_s),
    ("respite_last_progress_timestamp_seconds", "When something last moved, epoch seconds.",
     lambda one, _: one.progress_s),
    ("respite_last_commit_timestamp_seconds", "When the last transaction was committed, epoch seconds.",
     lambda one, _: one.committed_s),
    ("respite_store_bytes", "Memory of the rider store.", lambda one, _: one.store.size_bytes),
    ("respite_store_riders", "Riders in the store.", lambda one, _: one.store.riders),
    ("respite_live", "1 when the partition's state is built.", lambda one, _: int(one.now_s is not None)),
    ("respite_restore_ratio", "How much of the rebuild is done, 0 to 1.", lambda one, _: one.restore_ratio),
    ("respite_checkpoint_age_seconds", "Since the last checkpoint; absent without one.",
     lambda one, _: one.checkpoint_age_s),
    ("respite_clock_difference_seconds",
     "Newest arrival minus the worker's clock when it was fetched; above zero the broker is ahead.",
     lambda one, wall_s: wall_s and one.clock_difference_s),
)  # fmt: skip


def _checkpoints(found: Sequence[Source]) -> Metric:
    text = "Written by checkpoints since the partition was taken over."
    family = counter("respite_checkpoint_bytes", text, ["partition"])
    for one in found:
        family.add_metric([str(one.number)], one.checkpoint_bytes)
    return family


def _partitions(found: Sequence[Source], wall_s: float | None) -> Iterator[Metric]:
    for name, text, read in _GAUGES:
        family = gauge(name, text, ["partition"])
        for one in found:
            value = read(one, wall_s)
            if value is not None:
                family.add_metric([str(one.number)], value)
        yield family


def _ones(name: str, text: str, label: str, values: Sequence[str]) -> Metric:
    family = gauge(name, text, [label])
    for value in values:
        family.add_metric([value], 1)
    return family


def _build() -> Metric:
    family = gauge("respite_build_info", "What runs here, 1.", ["version", "python"])
    family.add_metric([metadata.version("respite"), platform.python_version()], 1)
    return family


class ReadinessCollector(Collector):
    """The answer of /readyz as a metric, and how many partitions all workers together must have live."""

    def __init__(self, health: Health, total: int) -> None:
        self._health = health
        self._total = total

    def collect(self) -> Iterator[Metric]:
        """Read now."""
        text = "1 when /readyz says yes: joined, all live and current, the clocks agree, no policy refused."
        ready = gauge("respite_ready", text)
        ready.add_metric([], int(not self._health.unready()))
        yield ready
        text = "Files of --policy-dir that are refused now; what was in force before them stays."
        refused = gauge("respite_policy_refused", text)
        refused.add_metric([], len(self._health.refused()))
        yield refused
        text = "Partitions of the source topic, whoever works on them."
        total = gauge("respite_source_partitions", text)
        total.add_metric([], self._total)
        yield total


class Shadow(NamedTuple):
    """The shadows of a worker's partitions, and what was counted in those it has given up."""

    shadows: Callable[[], Sequence[Judging]]
    past: Counted


class JudgedBy(NamedTuple):
    """Names of the policies that judge, in words the files that are refused, and what is in the shadow."""

    names: Callable[[], Sequence[str]]
    refused: Callable[[], Sequence[str]] = tuple
    shadow: Shadow | None = None
    #: Whose hours of the day models go by: those of the first policy.
    zone: ZoneInfo | None = None


class Metrics:
    """The endpoint of a worker, with a registry of its own: /metrics, /healthz, /readyz.

    Parameters
    ----------
    partitions
        The partitions that the worker works on.
    past
        What was counted in those it has given up.
    assigned
        Numbers of the partitions assigned; None before the worker has joined the group.
    total
        Partitions of the source, whoever works on them.
    policies
        By what it judges; None: by the policies of the settings.
    """

    def __init__(
        self,
        settings: Settings,
        partitions: Callable[[], Sequence[Source]],
        past: Counted | None = None,
        assigned: Callable[[], frozenset[int] | None] = frozenset,
        total: int = 0,
        policies: JudgedBy | None = None,
    ) -> None:
        self.registry = CollectorRegistry()
        judged_by = policies or JudgedBy(lambda: settings.policies)
        self.health = Health(settings, partitions, assigned, refused=judged_by.refused)
        wall = time.time if settings.clock == "wall" else None
        self.registry.register(PartitionCollector(partitions, judged_by.names, past, wall))
        self.registry.register(RegulatorCollector(partitions, past, settings.zone_digits))
        if judged_by.shadow is not None:
            self.registry.register(ShadowCollector(*judged_by.shadow))
        if settings.models and judged_by.zone is not None:
            digits = settings.zone_digits
            self.registry.register(ModelCollector(partitions, settings.models, judged_by.zone, digits))
        self.registry.register(ReadinessCollector(self.health, total))
        self.registry.register(ConditionsCollector(partitions))
        self._loop_lag = LoopLagCollector()
        self.registry.register(self._loop_lag)
        ProcessCollector(registry=self.registry)
        self._settings = settings
        self._server: Any = None

    def start(self, loop: asyncio.AbstractEventLoop) -> str:
        """Serve, in a thread; the address of /metrics. /healthz is good as long as ``loop`` turns."""
        self.health.watch(loop)
        self._loop_lag.watch(loop)
        host = self._settings.metrics_host
        self._server = serve(host, self._settings.metrics_port, self.health, make_wsgi_app(self.registry))
        return f"http://{host}:{self._server.server_port}/metrics"

    def stop(self) -> None:
        """Stop serving."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
