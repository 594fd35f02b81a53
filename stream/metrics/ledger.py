"""Prometheus metrics of the process that writes the record of holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, start_http_server
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from stream.metrics.families import gauge
from stream.metrics.ports import on_free_port

_CHAIN = ["chain"]


class LedgerMetrics:
    """The endpoint of `respite ledger`, with a registry of its own."""

    def __init__(self, lag_records: Callable[[], Mapping[str, int]]) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.lines = Counter(
            "respite_ledger_lines", "Lines written to the record of holds.", _CHAIN, registry=registry
        )
        self.gaps = Counter(
            "respite_ledger_gaps",
            "Stretches of Kafka that were gone before they were read.",
            registry=registry,
        )
        self.sealed = Gauge(
            "respite_ledger_sealed_timestamp_seconds",
            "When the last seal was written.",
            _CHAIN,
            registry=registry,
        )
        registry.register(_Lag(lag_records))
        self._server: tuple[object, object] | None = None

    def start(self, host: str, port: int) -> str:
        """Serve them; the address.

        Raises
        ------
        NotServed
            The port is taken.
        """
        server, thread = on_free_port(
            host, port, lambda free: start_http_server(free, addr=host, registry=self.registry)
        )
        self._server = server, thread
        return f"{host}:{server.server_port}"

    def stop(self) -> None:
        """Serve them no longer."""
        if self._server is not None:
            server, thread = self._server
            server.shutdown()  # type: ignore[attr-defined]
            server.server_close()  # type: ignore[attr-defined]
            thread.join()  # type: ignore[attr-defined]


class _Lag(Collector):
    def __init__(self, lag_records: Callable[[], Mapping[str, int]]) -> None:
        self._lag_records = lag_records

    def collect(self) -> Iterator[Metric]:
        text = "Records of the topic that are not in the record of holds yet."
        family = gauge("respite_ledger_lag_records", text, ["topic"])
        for topic, records in sorted(self._lag_records().items()):
            family.add_metric([topic], records)
        yield family
