"""Metric families whose unit, where they have one, is the last word of their name."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

#: Prometheus's base units that occur here.
UNITS = ("seconds", "bytes", "ratio")


def unit_of(name: str) -> str:
    """The unit that a name ends with, before ``_total``; empty for what is counted."""
    last = name.removesuffix("_total").rpartition("_")[2]
    return last if last in UNITS else ""


def counter(name: str, text: str, labels: Sequence[str] = ()) -> CounterMetricFamily:
    """A family of counters, named without ``_total``."""
    return CounterMetricFamily(name, text, labels=labels, unit=unit_of(name))


def gauge(name: str, text: str, labels: Sequence[str] = ()) -> GaugeMetricFamily:
    """A family of gauges."""
    return GaugeMetricFamily(name, text, labels=labels, unit=unit_of(name))


def histogram(name: str, text: str, labels: Sequence[str] = ()) -> HistogramMetricFamily:
    """A family of histograms."""
    return HistogramMetricFamily(name, text, labels=labels, unit=unit_of(name))
