"""What rules, dashboards and runbooks ask for is exported, and named as Prometheus wants names."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from detectors.store import RiderStore
from stream.delivery.metrics import Metrics as WebhookMetrics
from stream.metrics.operator import Metrics
from stream.settings import Settings
from tests.deploy.metric_names import asked_for, recorded_asked_for, samples
from tests.deploy.monitoring import program
from tests.deploy.test_prometheus import rules_of
from tests.stream.api.test_reviews import REVIEW
from tests.stream.api.world import World
from tests.stream.metrics.test_operator import FakePartition
from tests.stream.metrics.test_rider_counts import store  # noqa: F401 - a fixture


class Receiver:
    """A webhooks endpoint as metrics see it."""

    name = "alpha"
    pending = 2
    oldest_ms: int | None = 1_795_420_800_000
    lag_records = 3
    disabled = False


def of_the_worker(store: RiderStore) -> str:  # noqa: F811 - the fixture's store
    """What a worker answers that has a checkpoint and has counted something of everything."""
    one = FakePartition(3, store)
    one.checkpoint_age_s = 1.0
    kinds = ("holds", "breaches", "platform_holds", "taken", "late", "refused", "latency_event")
    one.counts = Counter({(kind, "p/l" if kind == "holds" else "A"): 1 for kind in kinds})
    return generate_latest(Metrics(Settings(zone_digits=2), lambda: [one]).registry).decode()


def of_the_api(folder: Path) -> str:
    """What an API answers that takes reviews and has an open one."""
    world = World(folder)
    world.settings = world.settings.model_copy(update={"reviews": str(folder / "reviews.sqlite3")})
    service = world.service()
    assert service.reviews is not None
    service.reviews.store.open(REVIEW, [])
    return world.client(service, no_auth=True).get("/metrics").text


def of_webhooks() -> str:
    metrics = WebhookMetrics()
    metrics.watch(lambda: [Receiver()])
    counts = metrics.counts("alpha")
    counts.attempt(200, 0.1)
    counts.delivered_after(0.2)
    counts.buried("gone")
    return generate_latest(metrics.registry).decode()


@pytest.fixture
def exported(store: RiderStore, tmp_path: Path) -> dict[str, str]:  # noqa: F811
    return {"worker": of_the_worker(store), "api": of_the_api(tmp_path), "webhooks": of_webhooks()}


def test_every_metric_that_is_asked_for_is_exported(exported: dict[str, str]) -> None:
    known = set().union(*map(samples, exported.values()))
    unknown = {name: place for name, place in asked_for().items() if name not in known}
    assert not unknown
    assert {"respite_api_case_lookups_total", "respite_api_eligibility_total"} <= samples(exported["api"])


def test_every_recorded_name_that_is_asked_for_is_recorded() -> None:
    recorded = {rule["record"] for rule in rules_of("record")}
    assert not {name: place for name, place in recorded_asked_for().items() if name not in recorded}


@pytest.mark.parametrize("process", ["worker", "api", "webhooks"])
def test_promtool_finds_names_and_help_as_they_should_be(exported: dict[str, str], process: str) -> None:
    def check(text: str) -> subprocess.CompletedProcess[str]:
        command = [program("promtool"), "check", "metrics"]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)

    done = check(exported[process])
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    wrong = check(exported[process].replace("# HELP respite_", "# HELP other_"))
    assert "no help text" in wrong.stderr + wrong.stdout
