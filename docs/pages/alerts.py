"""Alerts and recorded series, from Prometheus' rules."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from docs.pages.tables import code, table

_RULES = Path(__file__).resolve().parents[2] / "deploy" / "prometheus" / "rules"


def _rules(kind: str) -> list[dict[str, Any]]:
    found = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(_RULES.glob("*.yml"))]
    return [rule for file in found for group in file["groups"] for rule in group["rules"] if kind in rule]


def page() -> str:
    """Every alert with its runbook, and every recorded series."""
    parts = [
        (
            "# Alerts and recorded series\n\nFrom `deploy/prometheus/rules/`. `page` wakes somebody, `ticket` "
            "waits for the morning.\n\n## Alerts\n\n"
        )
    ]
    rows = []
    for rule in _rules("alert"):
        book = rule["annotations"]["runbook_url"].rpartition("/")[2].removesuffix(".html")
        name = f"[{rule['alert']}](../operator/runbooks/{book}.md)"
        summary = re.sub(r"\{\{.*?\}\}", "…", rule["annotations"]["summary"])
        rows.append([name, rule["labels"]["severity"], str(rule.get("for", "")), summary])
    parts.append(table(["alert", "severity", "for", "summary"], rows))
    parts.append(
        "\n## Recorded series\n\nNamed level, metric, operations; `_suppressed` series are the ones "
    )
    parts.append("a regulator's Prometheus takes.\n\n")
    parts.append(
        table(["series"], [[code(name)] for name in sorted({one["record"] for one in _rules("record")})])
    )
    return "".join(parts)
