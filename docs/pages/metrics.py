"""Metric families, from the registries that serve them."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric

from detectors.models.parameters import MODELS
from docs.pages.tables import code, described, table
from stream.api.http_metrics import Counts
from stream.delivery.metrics import Metrics as WebhookMetrics
from stream.metrics.ledger import LedgerMetrics
from stream.metrics.operator import JudgedBy, Metrics, Past, Shadow
from stream.settings import Settings


class _Endpoint:
    """An endpoint as metrics see it."""

    name = "alpha"
    pending = 0
    oldest_ms: int | None = None
    lag_records = 0
    disabled = False


def families() -> dict[str, list[Metric]]:
    """What each process exports, by its name."""
    tried = Shadow(list, Past())
    judged_by = JudgedBy(list, shadow=tried, zone=ZoneInfo("UTC"))
    worker = Metrics(Settings(zone_digits=1, models=MODELS), list, policies=judged_by)
    webhooks = WebhookMetrics()
    webhooks.watch(lambda: [_Endpoint()])
    counts = webhooks.counts("alpha")
    counts.attempt(200, 0.0)
    counts.delivered_after(0.0)
    counts.buried("refused")
    return {
        "Worker": _ours(worker.registry),
        "API": _ours(Counts().registry),
        "Webhooks": _ours(webhooks.registry),
        "Ledger": _ours(LedgerMetrics(lambda: {"courier.fatigue-alerts": 0}).registry),
    }


def _ours(registry: CollectorRegistry) -> list[Metric]:
    return [one for one in registry.collect() if one.name.startswith("respite_")]


def _labels(family: Metric) -> list[str]:
    declared = vars(family).get("_labelnames")
    if declared is not None:
        return list(declared)
    found = {label: None for sample in family.samples for label in sample.labels}
    return [label for label in found if label != "le"]


def page() -> str:
    """All families: name, type, labels, help."""
    parts = [
        (
            "# Metrics\n\nWhere each process serves them: a worker at port 9464 (`RESPITE_METRICS_PORT`), the "
            "API at `/metrics` of its own address, webhooks at port 9465, the ledger at 9464 too unless told otherwise. Each adds the usual `process_…` families. "
            "[Monitoring](../operator/monitoring.md) says how they are counted.\n"
        )
    ]
    for process, found in families().items():
        rows = []
        for one in found:
            name = f"{one.name}_total" if one.type == "counter" else one.name
            labels = ", ".join(code(label) for label in _labels(one))
            rows.append([code(name), one.type, labels, described(one.documentation)])
        parts.append(f"\n## {process}\n\n{table(['family', 'type', 'labels', 'about'], rows)}")
    return "".join(parts)
