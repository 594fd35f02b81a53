"""Dashboards as values, and the JSON that Grafana reads. Standard library only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

#: The one in provisioning/datasources.
DATASOURCE = {"type": "prometheus", "uid": "respite-prometheus"}
#: Of Grafana's JSON: that of Grafana 10, which later ones read too.
SCHEMA_VERSION = 38
_COLUMNS = 24
_ROW_HEIGHT = 1


@dataclass(frozen=True, slots=True)
class Query:
    """One expression and what its series are called."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture.

    Parameters
    ----------
    unit
        Grafana's name of it: ``s``, ``bytes``, ``percentunit``, ``short``, ``ops`` (per second).
    thresholds
        Values from which it is orange, then red.
    fed
        Whether there is data as soon as a worker has judged events: the tests insist on it then.
    """

    title: str
    queries: Sequence[Query]
    description: str
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 12
    height: int = 8
    thresholds: tuple[float, float] | None = None
    fed: bool = True


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice above the dashboard: the values of a label."""

    name: str
    metric: str
    title: str

    @property
    def query(self) -> str:
        """What Grafana asks for the values."""
        return f"label_values({self.metric}, {self.name})"


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a heading."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One page."""

    uid: str
    title: str
    description: str
    rows: Sequence[Row]
    variables: Sequence[Variable] = field(default_factory=tuple)

    @property
    def panels(self) -> Iterator[Panel]:
        """All panels."""
        for row in self.rows:
            yield from row.panels

    def document(self) -> dict[str, Any]:
        """Grafana's JSON."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.description,
            "tags": ["respite"],
            "schemaVersion": SCHEMA_VERSION,
            "version": 1,
            "editable": False,
            "graphTooltip": 1,
            "refresh": "10s",
            "time": {"from": "now-1h", "to": "now"},
            "timezone": "browser",
            "links": [_links()],
            "annotations": {"list": [restarts()]},
            "templating": {"list": [_variable(one) for one in self.variables]},
            "panels": list(_placed(self.rows)),
        }


def _links() -> dict[str, Any]:
    return {
        "type": "dashboards",
        "tags": ["respite"],
        "title": "Respite",
        "asDropdown": True,
        "keepTime": True,
    }


def restarts() -> dict[str, Any]:
    """A line wherever a worker started."""
    return {
        "name": "worker started",
        "datasource": DATASOURCE,
        "enable": True,
        "iconColor": "blue",
        "expr": 'changes(process_start_time_seconds{job="respite-worker"}[1m]) > 0',
        "titleFormat": "{{instance}}",
        "step": "30s",
    }


def _variable(one: Variable) -> dict[str, Any]:
    return {
        "name": one.name,
        "label": one.title,
        "type": "query",
        "datasource": DATASOURCE,
        "query": {"query": one.query, "refId": one.name},
        "definition": one.query,
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _placed(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """Panels from left to right, rows from top to bottom."""
    number, y = 0, 0
    for row in rows:
        number += 1
        place = {"x": 0, "y": y, "w": _COLUMNS, "h": _ROW_HEIGHT}
        yield {
            "id": number,
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "gridPos": place,
            "panels": [],
        }
        y += _ROW_HEIGHT
        x, height = 0, 0
        for panel in row.panels:
            number += 1
            if x + panel.width > _COLUMNS:
                x, y, height = 0, y + height, 0
            yield _panel(panel, number, {"x": x, "y": y, "w": panel.width, "h": panel.height})
            x, height = x + panel.width, max(height, panel.height)
        y += height


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    instant = panel.kind in ("table", "bargauge")
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "gridPos": place,
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": DATASOURCE,
                "expr": query.expression,
                "legendFormat": query.legend or "__auto",
                "instant": instant,
                "range": not instant,
                "format": "table" if panel.kind == "table" else "time_series",
            }
            for index, query in enumerate(panel.queries)
        ],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _OPTIONS[panel.kind],
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.thresholds is not None:
        orange, red = panel.thresholds
        steps += [{"color": "orange", "value": orange}, {"color": "red", "value": red}]
    defaults: dict[str, Any] = {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": steps}}
    if panel.kind == "timeseries":
        style = "line" if panel.thresholds is not None else "off"
        defaults["custom"] = {"lineWidth": 1, "fillOpacity": 8, "thresholdsStyle": {"mode": style}}
        defaults["min"] = None if "difference" in panel.title.lower() else 0
    return defaults


_OPTIONS: dict[str, dict[str, Any]] = {
    "timeseries": {
        "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value", "graphMode": "area"},
    "bargauge": {
        "reduceOptions": {"calcs": ["lastNotNull"]},
        "orientation": "horizontal",
        "displayMode": "basic",
    },
    "table": {"showHeader": True},
}
