"""What the regulator's dashboard reads: recorded without small cells, and nothing else."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.grafana import dashboards
from deploy.prometheus import suppressed
from schemas.overview import K
from stream.api.documents.suppression import SUPPRESSED, suppress
from tests.deploy.monitoring import program
from tests.deploy.test_prometheus import PROMETHEUS

_NAME = re.compile(r"[a-z_]*:?respite_[a-z_]+(?::[a-z0-9_]+)?")
SEED, TABLES = 20261125, 25
LIMITS = ("day-8h", "continuous-4h", "day-12h", "week", "rest")


def test_the_file_is_what_the_script_writes() -> None:
    assert suppressed.main(["--check"]) == 0


def test_an_old_file_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suppressed, "FILE", tmp_path / "suppressed.yml")
    assert suppressed.main(["--check"]) == 1
    assert suppressed.main([]) == 0
    monkeypatch.setattr(suppressed, "K", K + 1)
    assert suppressed.main(["--check"]) == 1


def test_the_regulators_dashboard_reads_nothing_that_is_not_suppressed() -> None:
    panels = [query.expression for panel in dashboards.REGULATOR.panels for query in panel.queries]
    asked = {name for text in panels for name in _NAME.findall(text)}
    asked |= {one.metric for one in dashboards.REGULATOR.variables}
    assert len(asked) > 15
    assert not {name for name in asked if not name.endswith("_suppressed")}
    recorded = {name for name, _ in suppressed.rules()}
    assert asked <= recorded
    # And nothing beside recorded names: no function that looks through them, no raw metric of another name.
    for text in panels:
        assert re.fullmatch(r'[a-z_]+:respite_[a-z_]+:[a-z0-9_]+(\{[a-z_=~"$,]*\})?', text), text


def test_what_is_recorded_suppressed_rests_on_what_is_suppressed_or_is_made_so() -> None:
    """A ratio of cells that are not shown would give them away."""
    for name, expression in suppressed.rules():
        if name.partition(":")[2].startswith(("respite_holds_breached", "respite_breaches_per")):
            assert set(_NAME.findall(expression)) == {
                one for one in _NAME.findall(expression) if one.endswith("_suppressed")
            }, name


def test_the_regulators_own_prometheus_takes_all_that_the_dashboard_reads_and_nothing_else() -> None:
    (job,) = yaml.safe_load((PROMETHEUS / "regulator.yml").read_text(encoding="utf-8"))["scrape_configs"]
    (wanted,) = job["params"]["match[]"]
    (kept,) = job["metric_relabel_configs"]
    assert wanted == f'{{__name__=~"{kept["regex"]}"}}'
    taken = {name for name, _ in suppressed.rules() if re.fullmatch(kept["regex"], name)}
    read = {
        query.expression.partition("{")[0] for one in dashboards.REGULATOR.panels for query in one.queries
    }
    assert read <= taken
    assert all(name.endswith("_suppressed") for name in taken)
    assert len(taken) < len(list(suppressed.rules()))


def tried(folder: Path, tests: Path) -> subprocess.CompletedProcess[str]:
    command = [program("promtool"), "test", "rules", str(tests)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


#: What is changed in the rules: a pattern, and what stands in its place.
BREAKS = {
    "nine are shown": (f">= {K}", f">= {K - 1}"),
    "no other cell is hidden with small ones": (rf"< {K}\) < {K}", f"< {K}) < 0"),
    "one hidden cell of a limit is not noticed": ("< 2 or", "< 1 or"),
    "few hidden riders of a limit are not noticed": (rf"(sum_whole\d\)) < {K}", r"\1 < 0"),
    "totals that are hidden count as shown": (
        r"and on \(policy, limit\) policy_limit:\w+:sum_suppressed",
        "",
    ),
    "limits whose total is hidden are summed up": (r"> 0 (unless on \(policy, limit\))", r"> 1e9 \1"),
    "what is extrapolated is counted": (r"or sum \(max_over_time", "or 9e9 * sum (max_over_time"),
}


@pytest.mark.parametrize("which", BREAKS)
def test_rules_that_are_broken_fail_their_tests(tmp_path: Path, which: str) -> None:
    kept, broken = BREAKS[which]
    shutil.copytree(PROMETHEUS, tmp_path / "prometheus")
    tree = yaml.safe_load(suppressed.document())
    before = [rule["expr"] for rule in tree["groups"][0]["rules"]]
    for rule in tree["groups"][0]["rules"]:
        rule["expr"] = re.sub(kept, broken, rule["expr"])
    assert before != [rule["expr"] for rule in tree["groups"][0]["rules"]]
    rules = tmp_path / "prometheus" / "rules" / "suppressed.yml"
    rules.write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")
    done = tried(tmp_path, tmp_path / "prometheus" / "tests" / "suppressed.yml")
    assert (done.returncode, "got:" in done.stdout + done.stderr) == (1, True), done.stdout + done.stderr


def case(rng: random.Random, number: int) -> dict[str, Any]:
    """A table by limit whose total is shown or not, as the API would show it; no two cells are the same."""
    sizes = rng.sample([*range(14), 25, 60, 300], rng.randint(1, len(LIMITS)))
    cells = dict(zip(LIMITS, sizes, strict=False))
    statuses = {"clear": rng.choice([0, 5, 50]), "approaching": rng.choice([0, 7, 40]), "hold": sum(sizes)}
    shown = suppress(statuses)
    total = sum(statuses.values())
    if 0 < total < K:
        shown = dict.fromkeys(statuses, SUPPRESSED)
    held = suppress(cells) if shown["hold"] != SUPPRESSED else dict.fromkeys(cells, SUPPRESSED)
    status, limit = (
        "status:respite_riders:sum_suppressed",
        "policy_limit:respite_riders_on_hold:sum_suppressed",
    )
    return {
        "name": f"table {number}: {cells} {statuses}",
        "interval": "1m",
        "input_series": [
            {"series": f'respite_riders{{status="{name}"}}', "values": f"{count}x3"}
            for name, count in statuses.items()
        ]
        + [
            {"series": f'respite_riders_on_hold{{policy="p",limit="{name}"}}', "values": f"{count}x3"}
            for name, count in cells.items()
        ],
        "promql_expr_test": [
            {
                "expr": name,
                "eval_time": "2m",
                "exp_samples": [
                    {"labels": f"{name}{{{labels.format(cell)}}}", "value": count}
                    for cell, count in seen.items()
                    if count != SUPPRESSED
                ],
            }
            for name, labels, seen in (
                (status, 'status="{}"', shown),
                (limit, 'policy="p",limit="{}"', held),
            )
        ],
    }


def test_prometheus_hides_what_the_api_hides(tmp_path: Path) -> None:
    """Where sizes differ; of equal ones the API hides the first, Prometheus all."""
    rng = random.Random(SEED)
    cases = [one for one in (case(rng, number) for number in range(4 * TABLES)) if not _equal(one)][:TABLES]
    assert len(cases) == TABLES
    tree = {"rule_files": [str(suppressed.FILE)], "evaluation_interval": "1m", "tests": cases}
    file = tmp_path / "tables.yml"
    file.write_text(yaml.safe_dump(tree), encoding="utf-8")
    done = tried(tmp_path, file)
    assert done.returncode == 0, done.stdout + done.stderr


def _equal(one: dict[str, Any]) -> bool:
    counts = [series["values"] for series in one["input_series"] if "status" in series["series"]]
    large = [count for count in counts if int(count[:-2]) >= K]
    return len(set(large)) < len(large)
