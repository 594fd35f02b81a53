"""Conditions of zones that are on now, as this worker's riders are judged by them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from detectors.store import RiderStore
from stream.metrics.families import gauge


class OfPartition(Protocol):
    """What is read of a partition."""

    store: RiderStore


class ConditionsCollector(Collector):
    """Says in how many zones each condition that policies look at is on."""

    def __init__(self, partitions: Callable[[], Sequence[OfPartition]]) -> None:
        self._partitions = partitions

    def collect(self) -> Iterator[Metric]:
        """Read now."""
        family = gauge(
            "respite_zones_under_condition",
            "Zones of the worker's riders in which a condition that policies look at is on.",
            ["condition"],
        )
        zones: dict[str, set[str]] = {}
        for one in self._partitions():
            for name, found in one.store.zones_under().items():
                zones.setdefault(name, set()).update(found)
        for name, found in sorted(zones.items()):
            family.add_metric([name], len(found))
        yield family
