"""Rules, runbooks and the way of an alert, with the real programs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.monitoring import alertmanager, fetch, program, prometheus, until

ROOT = Path(__file__).resolve().parent.parent.parent
DEPLOY = ROOT / "deploy"
PROMETHEUS = DEPLOY / "prometheus"
RUNBOOKS = ROOT / "docs" / "en" / "operator" / "runbooks"
RULES = sorted((PROMETHEUS / "rules").glob("*.yml"))
TESTS = sorted((PROMETHEUS / "tests").glob("*.yml"))


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def rules_of(kind: str) -> list[dict[str, Any]]:
    return [
        rule for path in RULES for group in read(path)["groups"] for rule in group["rules"] if kind in rule
    ]


ALERTS = {rule["alert"]: rule for rule in rules_of("alert")}


def checked(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_takes_the_rules() -> None:
    checked(program("promtool"), "check", "rules", *map(str, RULES))


def test_promtool_takes_the_configuration() -> None:
    for name in ("prometheus.yml", "kubernetes.yml", "regulator.yml"):
        checked(program("promtool"), "check", "config", str(PROMETHEUS / name))


def test_the_rules_do_what_their_tests_say() -> None:
    checked(program("promtool"), "test", "rules", *map(str, TESTS))


def test_a_rule_that_is_changed_fails_its_test(tmp_path: Path) -> None:
    shutil.copytree(PROMETHEUS, tmp_path / "prometheus")
    rules = tmp_path / "prometheus" / "rules" / "alerts.yml"
    rules.write_text(
        rules.read_text(encoding="utf-8").replace("respite_lag_seconds > 15", "respite_lag_seconds > 15000")
    )
    done = subprocess.run(
        [program("promtool"), "test", "rules", str(tmp_path / "prometheus" / "tests" / "alerts.yml")],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert (done.returncode, "RespiteLagging" in done.stdout + done.stderr) == (1, True)


def test_amtool_takes_the_configuration() -> None:
    checked(program("amtool"), "check-config", str(DEPLOY / "alertmanager" / "alertmanager.yml"))


def test_every_alert_is_tested_both_ways() -> None:
    seen: dict[str, set[bool]] = {}
    for group in (group for path in TESTS for group in read(path)["tests"]):
        for case in group.get("alert_rule_test", ()):
            seen.setdefault(case["alertname"], set()).add(bool(case["exp_alerts"]))
    never_silent = {"RespiteWatchdog"}
    sounding = {name for name, ways in seen.items() if True in ways}
    silent = {name for name, ways in seen.items() if False in ways}
    assert sounding == set(ALERTS)
    assert (
        silent
        >= {name for name in ALERTS if not name.endswith(("Slowly", "Disagree", "ApiDown"))} - never_silent
    )


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_says_what_how_bad_and_where_to_read_on(name: str) -> None:
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in {"page", "ticket", "none"}
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"].endswith((".", "outside."))
    file = re.fullmatch(
        r"\{\{ \$externalLabels\.runbooks \}\}/(\w+)\.html", rule["annotations"]["runbook_url"]
    )
    assert file
    book = (RUNBOOKS / f"{file[1]}.md").read_text(encoding="utf-8")
    assert name in book.splitlines()[0] or name in book
    for part in ("**Means**", "**Do**"):
        assert part in book, part


def test_no_runbook_is_left_over() -> None:
    named = {rule["annotations"]["runbook_url"].rpartition("/")[2] for rule in ALERTS.values()}
    assert {f"{path.stem}.html" for path in RUNBOOKS.glob("Respite*.md")} == named


@pytest.mark.parametrize("name", sorted(rule["record"] for rule in rules_of("record")))
def test_recorded_names_are_level_metric_operations(name: str) -> None:
    assert re.fullmatch(
        r"(all|job|partition|policy|limit|platform|zone|kind|status|cause|_)+:respite_[a-z_]+:[a-z0-9_]+",
        name,
    )


def test_inhibition_names_alerts_that_there_are() -> None:
    config = read(DEPLOY / "alertmanager" / "alertmanager.yml")
    explained = {rule["labels"].get("explains") for rule in ALERTS.values()} - {None}
    seen = set()
    for rule in config["inhibit_rules"]:
        seen |= set(re.findall(r'explains = "(\w+)"', " ".join(rule["source_matchers"])))
        for pattern in re.findall(r'alertname =~? "([^"]+)"', " ".join(rule["target_matchers"])):
            for part in pattern.split("|"):
                assert any(re.fullmatch(part, name) for name in ALERTS), part
    assert seen == explained


# -- from a rule to a receiver ---------------------------------------------------------------------


class Receiver:
    """Whoever is paged: keeps what was posted, by path."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, Any]] = []
        keep = self.posted

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                keep.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def alerts(self, path: str, status: str) -> dict[str, dict[str, Any]]:
        return {
            alert["labels"]["alertname"]: alert
            for at, body in list(self.posted)
            if at == path
            for alert in body["alerts"]
            if alert["status"] == status
        }


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


def sooner(text: str) -> str:
    """A configuration whose waiting a test can sit through."""
    text = re.sub(r"(group_wait|group_interval): \w+", r"\1: 1s", text)
    return re.sub(r"\bfor: \w+", "for: 1s", text)


def test_an_alert_reaches_whoever_is_paged_and_silences_what_it_explains(
    tmp_path: Path, receiver: Receiver
) -> None:
    config = (DEPLOY / "alertmanager" / "alertmanager.yml").read_text(encoding="utf-8")
    managed = tmp_path / "alertmanager.yml"
    managed.write_text(sooner(config).replace("http://receiver.invalid", receiver.url), encoding="utf-8")
    (tmp_path / "rules").mkdir()
    for path in RULES:
        (tmp_path / "rules" / path.name).write_text(
            sooner(path.read_text(encoding="utf-8")), encoding="utf-8"
        )
    with alertmanager(tmp_path, managed) as manager:
        tree = read(PROMETHEUS / "prometheus.yml")
        tree["global"] |= {"scrape_interval": "1s", "evaluation_interval": "1s"}
        tree["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": [manager.address]}]}]
        # A worker and an API that nobody answers for: port 9 of loopback is closed.
        tree["scrape_configs"] = [
            {"job_name": job, "scrape_timeout": "1s", "static_configs": [{"targets": ["127.0.0.1:9"]}]}
            for job in ("respite-worker", "respite-api")
        ]
        (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(tree), encoding="utf-8")
        with prometheus(tmp_path, tmp_path / "prometheus.yml"):
            paged = until(lambda: receiver.alerts("/pages", "firing").get("RespiteWorkersAbsent"), "the page")
            until(lambda: "RespiteApiDown" in receiver.alerts("/pages", "firing"), "the other page")
            until(lambda: receiver.alerts("/watchdog", "firing"), "the dead man's switch hears the watchdog")
            found = until(lambda: {
                one["labels"]["alertname"]: one["status"] for one in fetch(f"{manager.url}/api/v2/alerts")
            }.get("RespiteWorkerDown"), "the alert that is explained")  # fmt: skip
    assert paged["annotations"]["runbook_url"].endswith("/RespiteWorkersAbsent.html")
    assert found["state"] == "suppressed"
    assert found["inhibitedBy"]
    assert "RespiteWorkerDown" not in receiver.alerts("/tickets", "firing")
