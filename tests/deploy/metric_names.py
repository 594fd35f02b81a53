"""Names of metrics: which rules, dashboards, runbooks and rule tests ask for, and which are exported."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from deploy.grafana import dashboards
from deploy.grafana.model import restarts

ROOT = Path(__file__).resolve().parent.parent.parent
#: A recorded name is `level:metric:operations`; what Prometheus and Alertmanager say of themselves is theirs.
_RECORDED = re.compile(r"[a-z_]+:respite_[a-z_]+:[a-z0-9_]+")
_EXPORTED = re.compile(r"(?<![\w:])(?:respite|process)_[a-z_]+(?![\w:])")


def texts() -> Iterator[tuple[str, str]]:
    """Where metrics are asked for, and the text."""
    for pattern in (
        "deploy/prometheus/rules/*.yml",
        "deploy/prometheus/tests/*.yml",
        "docs/en/operator/runbooks/*.md",
    ):
        for path in sorted(ROOT.glob(pattern)):
            yield path.name, path.read_text(encoding="utf-8")
    for one in dashboards.DASHBOARDS:
        for panel in one.panels:
            yield f"{one.uid}: {panel.title}", "\n".join(query.expression for query in panel.queries)
        yield f"{one.uid}: choices", "\n".join(variable.query for variable in one.variables)
        yield f"{one.uid}: annotations", str(restarts()["expr"])


def asked_for() -> dict[str, str]:
    """Every exported name that is asked for, and one place that does."""
    return {name: place for place, text in texts() for name in _EXPORTED.findall(text)}


def recorded_asked_for() -> dict[str, str]:
    """Every recorded name that is asked for, and one place that does."""
    return {name: place for place, text in texts() for name in _RECORDED.findall(text)}


def samples(text: str) -> set[str]:
    """Names of the samples in what a process answers a scrape; families without any have none."""
    return {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}
