"""Prometheus metrics of a webhooks process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from stream.metrics.families import gauge
from stream.metrics.ports import on_free_port

_ATTEMPT_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_LATENCY_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200)


class Watched(Protocol):
    """What is read of an endpoint when it is asked for."""

    disabled: bool

    @property
    def name(self) -> str:
        """The endpoint's name."""

    @property
    def pending(self) -> int:
        """Messages in memory that are neither delivered nor dead letters."""

    @property
    def oldest_ms(self) -> int | None:
        """When Kafka got the oldest of them."""

    @property
    def lag_records(self) -> int:
        """Records in Kafka that have not been fetched."""


class Counts:
    """What one endpoint counts."""

    def __init__(self, metrics: Metrics, endpoint: str) -> None:
        self._metrics = metrics
        self._endpoint = endpoint
        self.outcomes = dict.fromkeys(("delivered", "dead_letter", "skipped"), 0)
        for outcome in self.outcomes:
            metrics.deliveries.labels(endpoint, outcome)

    def settled(self, outcome: str) -> None:
        """A message needs nothing any more: ``delivered``, ``dead_letter`` or ``skipped``."""
        self.outcomes[outcome] += 1
        self._metrics.deliveries.labels(self._endpoint, outcome).inc()

    def attempt(self, status: int | None, took_s: float) -> None:
        """A request has ended."""
        answer = "none" if status is None else f"{status // 100}xx"
        self._metrics.attempts.labels(self._endpoint, answer).inc()
        self._metrics.durations.labels(self._endpoint).observe(took_s)

    def delivered_after(self, latency_s: float) -> None:
        """A message has arrived, so long after Kafka got it."""
        self._metrics.latencies.labels(self._endpoint).observe(max(0.0, latency_s))

    def buried(self, reason: str) -> None:
        """A message has become a dead letter."""
        self._metrics.letters.labels(self._endpoint, reason).inc()


class Metrics:
    """The endpoint of a webhooks process, with a registry of its own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.deliveries = Counter(
            "respite_webhook_deliveries", "Messages that are settled, by how.",
            ["endpoint", "outcome"], registry=registry,
        )  # fmt: skip
        self.attempts = Counter(
            "respite_webhook_attempts", "Requests, by the class of the answer's status.",
            ["endpoint", "answer"], registry=registry,
        )  # fmt: skip
        self.letters = Counter(
            "respite_webhook_dead_letters", "Messages given up, by reason.",
            ["endpoint", "reason"], registry=registry,
        )  # fmt: skip
        self.durations = Histogram(
            "respite_webhook_attempt_duration_seconds", "From a request to its answer, or to giving it up.",
            ["endpoint"], registry=registry, buckets=_ATTEMPT_S, unit="seconds",
        )  # fmt: skip
        self.latencies = Histogram(
            "respite_webhook_delivery_latency_seconds", "From the record in Kafka to the receiver's 2xx.",
            ["endpoint"], registry=registry, buckets=_LATENCY_S, unit="seconds",
        )  # fmt: skip
        self._server: Any = None

    def counts(self, endpoint: str) -> Counts:
        """Counters of an endpoint."""
        return Counts(self, endpoint)

    def watch(self, endpoints: Callable[[], list[Watched]], wall: Callable[[], float] = time.time) -> None:
        """Read gauges from endpoints when somebody asks."""
        self.registry.register(_Gauges(endpoints, wall))

    def start(self, host: str, port: int) -> str:
        """Serve /metrics; its address.

        Raises
        ------
        NotServed
            There is no such place here.
        """
        self._server, _ = on_free_port(
            host, port, lambda free: start_http_server(free, addr=host, registry=self.registry)
        )
        return f"http://{host}:{self._server.server_port}/metrics"

    def stop(self) -> None:
        """Stop serving."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


class _Gauges(Collector):
    def __init__(self, endpoints: Callable[[], list[Watched]], wall: Callable[[], float]) -> None:
        self._endpoints = endpoints
        self._wall = wall

    def collect(self) -> Iterator[Metric]:
        def family(name: str, text: str) -> GaugeMetricFamily:
            return gauge(f"respite_webhook_{name}", text, ["endpoint"])

        pending = family("pending_messages", "Messages in memory that are not settled.")
        oldest = family("oldest_pending_age_seconds", "Since Kafka got the oldest of them; 0 without any.")
        lag = family("lag_records", "Records that wait in Kafka, in the partitions of this process.")
        disabled = family("endpoint_disabled", "1 after the endpoint has said 410 Gone, until a restart.")
        for one in self._endpoints():
            since_ms = one.oldest_ms
            pending.add_metric([one.name], one.pending)
            oldest.add_metric([one.name], max(0.0, self._wall() - since_ms / 1000) if since_ms else 0.0)
            lag.add_metric([one.name], one.lag_records)
            disabled.add_metric([one.name], int(one.disabled))
        yield from (pending, oldest, lag, disabled)
