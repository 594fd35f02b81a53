"""What a worker's probes say while it starts, works, and has lost its broker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest

from deploy.kafka.broker import Broker
from deploy.kafka.processes import free_ports
from stream.kafka.topics import provisioning
from stream.settings import Settings

pytestmark = pytest.mark.kafka
ROOT = Path(__file__).resolve().parents[3]


class Probes:
    """The endpoint of a worker process."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}"

    def ask(self, path: str) -> tuple[int, list[str]]:
        """Status and reasons; status 0 while nobody listens."""
        try:
            with urlopen(self._base + path, timeout=10) as answer:  # noqa: S310 - an address of this test
                return answer.status, json.load(answer)["reasons"]
        except HTTPError as error:
            with error:
                return error.code, json.load(error)["reasons"]
        except (URLError, ConnectionError):
            return 0, []


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker.running(tmp_path / "kafka") as started:
        yield started


def until(claim: Callable[[], bool], what: str, log: Path, within_s: float = 120.0) -> None:
    deadline = time.monotonic() + within_s
    while not claim():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {within_s} s: {what}\n{log.read_text(encoding='utf-8')[-3000:]}")
        time.sleep(0.05)


def test_probes_tell_the_truth_from_the_start_to_the_loss_of_the_broker(
    broker: Broker, tmp_path: Path
) -> None:
    provisioning.ensure_topics(Settings(broker=broker.bootstrap), 2)
    (port,) = free_ports(["metrics"], {}).values()
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "RESPITE_BROKER": broker.bootstrap,
        "RESPITE_METRICS_PORT": str(port), "RESPITE_READY_LAG": "4s",
    }  # fmt: skip
    log = tmp_path / "worker.log"
    command = [sys.executable, "-m", "stream", "worker"]
    with log.open("wb") as out:
        worker = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
    probes = Probes(port)
    seen: list[tuple[int, list[str]]] = []

    def ready() -> bool:
        seen.append(probes.ask("/readyz"))
        return seen[-1][0] == 200

    try:
        until(ready, "ready", log)
        answered = [reasons for status, reasons in seen if status == 503]
        assert any("not in the group yet" in reasons[0] for reasons in answered), "before it has joined"
        assert probes.ask("/healthz") == (200, [])
        broker.kill()
        until(lambda: probes.ask("/readyz")[0] == 503, "no longer ready", log, within_s=20)
        status, reasons = probes.ask("/readyz")
        assert status == 503
        assert "partition 0: " in reasons[0]
        assert probes.ask("/healthz") == (200, []), "a new process would not bring the broker back"
    finally:
        worker.kill()
        worker.wait(10)
