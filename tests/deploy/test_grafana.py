"""Dashboards: up to date, well-formed, and every panel's query on a real Prometheus over a real worker."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.grafana import dashboards
from deploy.grafana.model import DATASOURCE, Dashboard, Panel
from deploy.kafka.processes import free_ports
from stream.kafka.topics import provisioning
from stream.settings import Settings
from tests.deploy.metric_names import asked_for
from tests.deploy.monitoring import Server, prometheus, until
from tests.deploy.test_prometheus import PROMETHEUS, ROOT

GRAFANA = ROOT / "deploy" / "grafana"
PANELS = [(one, panel) for one in dashboards.DASHBOARDS for panel in one.panels]
UNITS = {"short", "s", "ops", "bytes", "percentunit"}


def test_the_files_are_those_that_the_script_writes() -> None:
    assert dashboards.main(["--check"]) == 0
    written = {path.name for path in (GRAFANA / "dashboards").glob("*.json")}
    assert written == {path.name for path in dashboards.files()}


def test_an_old_file_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboards, "FOLDER", tmp_path)
    assert dashboards.main(["--check"]) == 1
    assert dashboards.main([]) == 0
    (tmp_path / "platform.json").write_text("{}", encoding="utf-8")
    assert dashboards.main(["--check"]) == 1


@pytest.mark.parametrize("one", dashboards.DASHBOARDS, ids=lambda one: one.uid)
def test_panels_fill_the_page_without_covering_each_other(one: Dashboard) -> None:
    document = one.document()
    ids = [panel["id"] for panel in document["panels"]]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in document["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize(("one", "panel"), PANELS, ids=lambda value: getattr(value, "title", None))
def test_every_panel_says_what_it_shows_and_in_what_unit(one: Dashboard, panel: Panel) -> None:
    assert panel.description.endswith((".", "?"))
    assert panel.unit in UNITS
    used = set(re.findall(r"\$(\w+)", " ".join(query.expression for query in panel.queries)))
    assert used - {"__rate_interval", "__range"} <= {variable.name for variable in one.variables}


def test_dashboards_and_provisioning_name_the_same_source() -> None:
    text = (GRAFANA / "provisioning" / "datasources" / "prometheus.yaml").read_text(encoding="utf-8")
    found = yaml.safe_load(text)["datasources"]
    assert {"uid": found[0]["uid"], "type": found[0]["type"]} == DATASOURCE
    text = (GRAFANA / "provisioning" / "dashboards" / "respite.yaml").read_text(encoding="utf-8")
    (provider,) = yaml.safe_load(text)["providers"]
    assert provider["options"]["path"] == "/etc/grafana/dashboards"


# -- on a real Prometheus over a real worker -------------------------------------------------------


def respite(settings: Settings, *arguments: str, **environment: str) -> list[str]:
    """A command of Respite and, as a prefix, its environment."""
    given = {"RESPITE_BROKER": settings.broker, "RESPITE_PREFIX": settings.prefix, **environment}
    named = [f"{name}={value}" for name, value in given.items()]
    return ["/usr/bin/env", f"PYTHONPATH={ROOT}", *named, sys.executable, "-m", "stream", *arguments]


@pytest.fixture(scope="module")
def watched(broker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Prometheus that scrapes a worker which has judged a city's day, late and bad events among them."""
    folder = tmp_path_factory.mktemp("watched")
    settings = Settings(broker=broker.bootstrap, prefix=f"grafana-{os.getpid()}.")
    provisioning.ensure_topics(settings, 2)
    (port,) = free_ports(["metrics"], {}).values()
    command = respite(
        settings, "worker", "--group", settings.prefix, "--zone-digits", "4", RESPITE_METRICS_PORT=str(port)
    )
    tree = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8"))
    tree["global"] |= {"scrape_interval": "1s", "evaluation_interval": "1s"}
    tree["rule_files"] = [str(PROMETHEUS / "rules" / "*.yml")]
    tree["alerting"] = {}
    targets = [{"targets": [f"127.0.0.1:{port}"]}]
    tree["scrape_configs"] = [
        {"job_name": "respite-worker", "scrape_timeout": "1s", "static_configs": targets}
    ]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(tree), encoding="utf-8")
    with (folder / "worker.log").open("wb") as log:
        worker = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        with prometheus(folder, folder / "prometheus.yml") as server:
            until(lambda: worker.poll() is not None or ready(server), "the worker is ready", 180)
            assert worker.poll() is None, (folder / "worker.log").read_text(encoding="utf-8")[-3000:]
            # Twice, so that every counter has been seen to grow.
            for turn in (1, 2):
                feed(settings, folder / f"{turn}.ndjson", turn)
                until(lambda: riders(server) == turn * len(SHIFTS), "the worker has judged them")  # noqa: B023
            until(
                lambda: server.query("job:respite_holds_breached:ratio_rate1h > 0"), "rules over what was fed"
            )
            until(lambda: server.query("respite_checkpoint_age_seconds"), "a checkpoint")
            yield server
    finally:
        worker.terminate()
        try:
            worker.wait(15)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait(10)


#: Seconds that riders have worked until now without a rest, and whether they broke a hold 5 minutes ago. Ten
#: and more of each platform have done whatever the regulator sees, or he would see nothing of it.
SHIFTS = [(4 * 3600 + 600, True)] * 24 + [(4 * 3600 + 600, False)] * 10 + [(4 * 3600 - 25, False)] * 5
SHIFTS += [(3 * 3600 + 2400, False)] * 10 + [(3600, False)] * 20
ORDER_S = 3000


def history(now_s: int, turn: int) -> Iterator[str]:
    """Shifts that reach up to now, two messages that are no events, and an event that is too old."""
    for number, (worked_s, breaks_hold) in enumerate(SHIFTS):
        accepted = list(range(now_s - worked_s, now_s - 60, ORDER_S))
        steps = [(at_s, "order_accepted", index) for index, at_s in enumerate(accepted)]
        steps += [(at_s, "order_delivered", index) for index, at_s in enumerate(accepted[1:])]
        steps += [(now_s - 300, "order_accepted", 99)] if breaks_hold else []
        for at_s, kind, order in sorted(steps):
            yield event(f"r-{turn}-{number}", at_s, kind, f"{turn}-{number}-{order}", "AB"[number % 2])
    yield "not an event"
    yield event("r-1-0", now_s, "no such type", "o", "A")
    yield event("r-1-0", now_s - 90_000, "order_accepted", "o", "B")


def event(rider: str, at_s: int, kind: str, order: str, platform: str) -> str:
    return json.dumps({
        "schema": "work-state/1", "event_id": "e", "rider_id": rider, "platform": platform,
        "event_time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s)), "type": kind, "order_id": order,
        "zone": "310105",
    })  # fmt: skip


def feed(settings: Settings, file: Path, turn: int) -> None:
    file.write_text("\n".join(history(int(time.time()), turn)) + "\n", encoding="utf-8")
    command = respite(settings, "feed", str(file))
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    # One event is too old on purpose: the feed says beforehand that it will be refused, and ends with 3.
    assert (done.returncode, "1 of" in done.stderr) == (3, True), done.stderr


def riders(server: Server) -> int:
    """How many riders have a status, but for those of the feed's heartbeats, who have none."""
    return sum(int(sample["value"][1]) for sample in server.query("sum(respite_riders)"))


def ready(server: Server) -> bool:
    return [one["value"][1] for one in server.query("respite_ready")] == ["1"]


def filled_in(expression: str) -> str:
    """The query as Grafana sends it with everything chosen."""
    for name, value in (("__rate_interval", "1m"), ("__range", "5m"), ("policy", ".*"), ("limit", ".*"),
                        ("platform", ".*")):  # fmt: skip
        expression = expression.replace(f"${name}", value)
    return expression


@pytest.mark.kafka
def test_every_panels_query_runs_and_has_data(watched: Server) -> None:
    def empty() -> list[tuple[str, str, str]]:
        """The queries of panels that were fed, and find nothing."""
        found = []
        for one, panel in PANELS:
            for query in panel.queries:
                samples = watched.query(filled_in(query.expression))
                if panel.fed and not [sample for sample in samples if sample["value"][1] != "NaN"]:
                    found.append((one.uid, panel.title, query.expression))
        return found

    # Rules rest on rules and on rates: what one panel shows, another may show an evaluation later.
    deadline = time.monotonic() + 60
    while (missing := empty()) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert not missing


@pytest.mark.kafka
def test_a_real_worker_exports_every_metric_of_workers_that_is_asked_for(watched: Server) -> None:
    found = watched.query('count by (__name__) ({job="respite-worker"})')
    exported = {one["metric"]["__name__"] for one in found}
    elsewhere = ("respite_api_", "respite_webhook_", "respite_reviews_")
    asked = {name: place for name, place in asked_for().items() if not name.startswith(elsewhere)}
    assert not {name: place for name, place in asked.items() if name not in exported}


@pytest.mark.kafka
def test_what_is_chosen_from_has_choices(watched: Server) -> None:
    for one in dashboards.DASHBOARDS:
        for variable in one.variables:
            found = watched.query(f"count by ({variable.name}) ({variable.metric})")
            assert [sample for sample in found if sample["metric"].get(variable.name)], variable.name


@pytest.mark.kafka
def test_what_the_worker_says_adds_up(watched: Server) -> None:
    def value(expression: str) -> float:
        (sample,) = watched.query(expression)
        return float(sample["value"][1])

    until(lambda: value("sum(respite_riders_on_hold)") == 78, "those who reach their limit in silence")
    assert value("sum(respite_riders)") == 138
    assert value('sum(respite_riders{status="approaching"})') == 20
    assert value("sum(respite_holds_total)") == 78
    assert value("sum(respite_breaches_total)") == 48
    assert value("sum(respite_riders_working_on_hold)") == 78
    assert value('sum(respite_platform_riders{platform="B"})') == 68
    assert value('sum(respite_zone_riders{zone="3101"})') == 98
    # A slow machine feeds some of them after the second at which they reach it: those an event has told of.
    assert 1 <= value('sum(respite_alert_latency_seconds_count{cause="time"})') <= 10
    assert value('respite_refused_events_total{platform="B"}') == 2
    assert value('respite_refused_events_total{platform="A"}') == 2, "no event, but it names its platform"
    accepted = value('sum(respite_events_total{outcome="accepted"})')
    assert value("sum(respite_accepted_events_total)") == accepted
    assert value("sum(respite_platform_holds_total)") == 78
    assert value("sum(respite_platform_riders_on_hold)") == 78
    assert value("sum(respite_platform_riders_near_limit)") == 20
    assert value("sum(respite_platform_riders_working_on_hold)") == 78
    assert (
        value(
            'count(respite_stage_seconds_count{stage=~"decode|ingest|judge|tell|send|commit|checkpoint"} > 0)'
        )
        == 7
    )
    assert value('sum(respite_dead_letters_total{reason=~"malformed|invalid"})') == 4
    assert value('sum(respite_riders_on_hold) - sum(respite_riders{status="hold"})') == 0
    assert value('sum(respite_riders_near_limit) - sum(respite_riders{status="approaching"})') == 0
    assert value("sum(respite_riders_working_on_hold)") <= value("sum(respite_riders_on_hold)")
    assert value("sum(respite_late_events_total)") > 0
    assert value("count(respite_live == 1)") == value("max(respite_source_partitions)")
    assert time.time() - value("max(respite_last_commit_timestamp_seconds)") < 30
