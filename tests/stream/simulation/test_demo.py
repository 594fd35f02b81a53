"""The demonstration: everything runs, the console answers while it does, and nothing is left."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stream.simulation.demo_monitoring import free_port, servers
from tests.deploy.monitoring import program

pytestmark = pytest.mark.kafka
ROOT = Path(__file__).resolve().parents[3]
#: The kernels may have to be compiled first.
READY_WITHIN_S = 900.0
HOLD_WITHIN_S = 120.0
GONE_WITHIN_S = 60.0


class Demo:
    """A demonstration with a small city that goes fast."""

    def __init__(self, bootstrap: str, folder: Path, shared: Path) -> None:
        environment = {**os.environ, "RESPITE_BROKER": bootstrap, "PYTHONPATH": str(ROOT)}
        environment["RESPITE_SHARED_DIR"] = str(shared)
        command = [sys.executable, "-m", "stream", "demo", "--riders", "300", "--seconds", "30", "--no-stay"]
        self._log = folder / "demo.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)

    def said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def until(self, claim: Callable[[], Any], what: str, within_s: float) -> Any:
        deadline_s = time.monotonic() + within_s
        while True:
            found = claim()
            if found:
                return found
            assert self.process.poll() is None, f"it has ended before {what}\n{self.said()}"
            assert time.monotonic() < deadline_s, f"not within {within_s} s: {what}\n{self.said()}"
            time.sleep(0.1)

    def address(self) -> str | None:
        found = re.search(r"Console\s+(http://127\.0\.0\.1:\d+)/", self.said())
        return found[1] if found else None

    def prometheus(self) -> str | None:
        found = re.search(r"Prometheus\s+(http://127\.0\.0\.1:\d+)/", self.said())
        return found[1] if found else None

    def children(self) -> list[int]:
        """The processes that it has started."""
        listed = subprocess.run(
            ["/bin/ps", "-o", "pid=", "--ppid", str(self.process.pid)],
            capture_output=True,
            text=True,
            check=False,
        )
        return [int(one) for one in listed.stdout.split()]


@pytest.fixture
def demo(broker: Any, tmp_path: Path) -> Iterator[Demo]:
    made = Demo(broker.bootstrap, tmp_path, tmp_path / "shared")
    yield made
    if made.process.poll() is None:
        made.process.send_signal(signal.SIGTERM)
        made.process.wait(GONE_WITHIN_S)


def get(address: str, path: str) -> bytes:
    try:
        with urllib.request.urlopen(f"{address}{path}", timeout=60) as answer:  # noqa: S310 - our own
            return bytes(answer.read())
    except ConnectionError:
        return b""


def scraped(prometheus: str) -> set[str]:
    """The jobs whose targets are up, by Prometheus' own account."""
    targets = json.loads(get(prometheus, "/api/v1/targets") or b'{"data":{"activeTargets":[]}}')["data"]
    return {one["labels"]["job"] for one in targets["activeTargets"] if one["health"] == "up"}


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def check_pictures(demo: Demo, address: str) -> None:
    """Pictures move, and show who does not honour holds."""

    def pictured() -> Any:
        found = json.loads(get(address, "/v1/history") or b"{}")
        breaches = {
            name: sum(hour["platforms"].get(name, {}).get("breaches", 0) for hour in found["hours"])
            for name in ("meituan", "eleme", "jd")
        }
        honours_less = breaches["jd"] > max(breaches["meituan"], breaches["eleme"])
        return len(found["samples"]) > 3 and honours_less and found

    shown = demo.until(pictured, "pictures move, and show who does not honour holds", HOLD_WITHIN_S)
    times = [one["at"] for one in shown["samples"]]
    assert times == sorted(set(times))


def test_a_hold_is_on_the_console_while_the_city_moves_and_all_is_gone_afterwards(
    demo: Demo, tmp_path: Path
) -> None:
    program("prometheus")
    address = demo.until(demo.address, "the console's address", READY_WITHIN_S)
    demo.until(lambda: "riders, a day in" in demo.said(), "the city moves", READY_WITHIN_S)
    assert b'<main id="main"' in get(address, "/")
    # Without a display it says where to look.
    assert f"open {address}/#/pictures" in demo.said()
    kept = re.search(r"Orders kept from riders on hold: (.*);", demo.said())
    assert kept is not None
    assert kept[1].strip() == "meituan 98%, eleme 98%, jd 20%"

    def held() -> Any:
        return json.loads(get(address, "/v1/overview") or b"{}").get("on_hold")

    (first, *_) = demo.until(held, "a hold", HOLD_WITHIN_S)
    # Events are the clock, and it runs ahead of or behind ours: that alone makes nothing stale.
    seen = json.loads(get(address, "/v1/overview"))
    assert seen["complete"] is True
    assert {one["clock"] for one in seen["partitions"]} == {"event"}

    def alert() -> Any:
        told = json.loads(get(address, f"/v1/riders/{first['rider_id']}/alerts"))["alerts"]
        return next((one for one in told if one["kind"] == "limit_reached"), None)

    # The hold is read from the worker's memory; its alert comes by way of Kafka, a little later.
    reached = demo.until(alert, "the hold's alert", HOLD_WITHIN_S)
    why = json.loads(get(address, f"/v1/alerts/{reached['alert_id']}/explanation?lang=en"))
    assert "the limit is" in why["text"]
    assert b"respite" in get(re.search(r"http://\S+(?=/metrics)", demo.said())[0], "/metrics")  # type: ignore[index]

    # What it says of Prometheus is true: there it is, and it scrapes both.
    prometheus = demo.until(demo.prometheus, "Prometheus' address", READY_WITHIN_S)
    demo.until(lambda: scraped(prometheus) == {"respite-worker", "respite-api"}, "both are up", HOLD_WITHIN_S)
    live = json.loads(get(prometheus, "/api/v1/query?query=sum(respite_live)"))["data"]["result"]
    assert [one["value"][1] for one in live] == ["4"]

    check_pictures(demo, address)

    children = demo.children()
    assert len(children) >= 3, "API, worker and city"
    demo.process.send_signal(signal.SIGTERM)
    assert demo.process.wait(GONE_WITHIN_S) == 0
    assert not [one for one in children if alive(one)]
    assert "riders," in demo.said().splitlines()[-1] or "on hold at the end" in demo.said()
    port = int(address.rpartition(":")[2])
    assert free_port(port) == port
    assert not list((tmp_path / "shared").iterdir())


def test_prometheus_scrapes_worker_and_api_where_it_is_installed_and_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binaries = tmp_path / "bin"
    binaries.mkdir()
    monkeypatch.setenv("PATH", str(binaries))
    assert list(servers(tmp_path, 1, 2)) == []
    rules = tmp_path / "rules"
    rules.mkdir()
    monkeypatch.setattr("stream.simulation.demo_monitoring.RULES", rules)
    (binaries / "prometheus").write_text("#!/bin/sh\n", encoding="utf-8")
    (binaries / "prometheus").chmod(0o700)
    (prometheus,) = servers(tmp_path, 1111, 2222)
    assert prometheus.name == "Prometheus"
    config = json.loads((tmp_path / "prometheus.json").read_bytes())
    targets = {one["job_name"]: one["static_configs"][0]["targets"] for one in config["scrape_configs"]}
    assert targets == {"respite-worker": ["127.0.0.1:1111"], "respite-api": ["127.0.0.1:2222"]}
