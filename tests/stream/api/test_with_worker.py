"""A real worker on a real Kafka, an API beside it: a hold is heard of, and so is the worker's end."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from schemas.decode import murmur2
from stream.settings import Settings
from tests.short_policies import online_policy
from tests.stream.api.compiled import compile_api
from tests.stream.worker.processes import PARTITIONS, ROOT, Workers, until, written

pytestmark = pytest.mark.kafka
POLICY = online_policy("quick", 5)
#: From the end of a worker to UNKNOWN, at most (seconds).
SEEN_WITHIN_S = 15.0


class Api:
    """An API process and a client of it."""

    def __init__(
        self, settings: Settings, policy: Path, folder: Path, access: Sequence[str] = ("--no-auth",)
    ) -> None:
        # Compiled before the process is waited for.
        compile_api()
        self._log = folder / "api.log"
        self._folder = folder
        self._command = [sys.executable, "-m", "stream", "api", *access]
        self._command += ["--broker", settings.broker, "--prefix", settings.prefix]
        self._command += ["--group", settings.group, "--policy", str(policy)]
        self._start(0)

    def _start(self, port: int) -> None:
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*self._command, "--api-port", str(port)],
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
                cwd=self._folder,
            )

    def kill(self) -> int:
        """End it by force; the port that it had."""
        port = self.port()
        assert port is not None
        self.process.kill()
        self.process.wait(10)
        return port

    def start_again(self, port: int) -> None:
        """Start it where clients look for it."""
        self._start(port)

    def port(self) -> int | None:
        found = re.search(r"http://127\.0\.0\.1:(\d+)", self._log.read_text(encoding="utf-8"))
        return int(found[1]) if found else None

    def get(self, path: str) -> dict[str, Any]:
        port = self.port()
        if port is None:
            return {}
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", path)
            return dict(json.loads(connection.getresponse().read()))
        except ConnectionError:
            return {}
        finally:
            connection.close()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "quick.toml"
    path.write_text(POLICY, encoding="utf-8")
    return path


@pytest.fixture
def api(settings: Settings, policy: Path, tmp_path: Path) -> Iterator[Api]:
    made = Api(settings, policy, tmp_path)
    yield made
    made.stop()


def send_online(settings: Settings, rider: str) -> None:
    event = {
        "schema": "work-state/1", "event_id": "e", "rider_id": rider, "platform": "A",
        "event_time": written(int(time.time())), "type": "online",
    }  # fmt: skip
    producer = KafkaProducer(bootstrap_servers=settings.broker)
    place = murmur2(rider.encode()) % PARTITIONS
    producer.send(settings.source_topic, json.dumps(event).encode(), partition=place)
    producer.close()


def test_a_hold_is_heard_of_and_a_killed_worker_means_unknown_and_never_pass(
    settings: Settings, workers: Workers, api: Api, policy: Path
) -> None:
    path = "/v1/riders/r1/eligibility?minutes=1"
    until(lambda: api.get("/healthz"), "the API answers", workers)
    assert api.get(path)["verdict"] == "UNKNOWN"
    worker = workers.start(policy=str(policy))
    until(lambda: api.get(path)["verdict"] != "UNKNOWN", "the partition is live", workers)
    assert api.get(path)["known"] is False
    send_online(settings, "r1")
    until(lambda: api.get(path)["known"], "the rider is known", workers)
    # An order of a minute would reach the limit of five seconds.
    assert api.get(path)["verdict"] == "FAIL"
    until(lambda: api.get(path)["reason"] == "hold", "the hold is heard of", workers)
    until(lambda: api.get("/v1/overview")["alerts_by_kind"], "the API has read the alert", workers)
    (held,) = api.get("/v1/overview")["on_hold"]
    assert held["rider_id"] == "r1"
    worker.kill()
    killed_s = time.monotonic()
    seen = {api.get(path)["verdict"]}
    while api.get(path)["verdict"] != "UNKNOWN":
        seen.add(api.get(path)["verdict"])
        assert time.monotonic() - killed_s < SEEN_WITHIN_S, "a dead worker was believed for too long"
        time.sleep(0.1)
    assert seen <= {"FAIL", "UNKNOWN"}
    # Nobody has seen this rider, but of a dead worker's partition nothing is known.
    assert {api.get(f"/v1/riders/n{n}/eligibility?minutes=1")["verdict"] for n in range(20)} == {"UNKNOWN"}
    assert api.get("/v1/overview")["complete"] is False
    workers.start(policy=str(policy))
    until(lambda: api.get(path)["reason"] == "hold", "a successor has the rider again", workers)
