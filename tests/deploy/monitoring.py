"""Prometheus and Alertmanager as processes of a test, on free ports of loopback."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from deploy.kafka.processes import free_ports

DEADLINE_S = 60.0


def program(*names: str) -> str:
    """The first of the programs that is there; a test that needs it fails without."""
    for name in names:
        found = shutil.which(name)
        if found:
            return found
    pytest.fail(f"{names[0]} is missing: deploy/bootstrap.sh prometheus installs it from Debian")


def fetch(url: str, **query: str) -> Any:
    """The JSON that an address answers with."""
    full = f"{url}?{urlencode(query)}" if query else url
    with urlopen(full, timeout=10) as answer:  # noqa: S310 - an address of this test
        return json.load(answer)


def until(claim: Callable[[], Any], what: str, within_s: float = DEADLINE_S) -> Any:
    """Ask again and again; what was claimed, once it is true."""
    deadline = time.monotonic() + within_s
    while not (found := claim()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {within_s} s: {what}")
        time.sleep(0.1)
    return found


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    url: str
    address: str
    process: subprocess.Popen[bytes]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """What Prometheus answers now."""
        answer = fetch(f"{self.url}/api/v1/query", query=expression)
        assert answer["status"] == "success", answer
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found


@contextmanager
def running(folder: Path, name: str, command: list[str], port: int) -> Iterator[Server]:
    """A server in the foreground, until it is ready and as long as it is needed."""
    log = folder / f"{name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, cwd=folder)
    address = f"127.0.0.1:{port}"
    try:
        until(lambda: _ready(address, process, log), f"{name} is ready")
        yield Server(f"http://{address}", address, process)
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _ready(address: str, process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, log.read_text(encoding="utf-8", errors="replace")[-3000:]
    try:
        with urlopen(f"http://{address}/-/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, ConnectionError):
        return False


@contextmanager
def prometheus(folder: Path, config: Path) -> Iterator[Server]:
    """A Prometheus with this configuration and no history."""
    (port,) = free_ports(["prometheus"], {}).values()
    command = [
        program("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
        # What fires before Alertmanager is discovered is dropped, and by default sent again a minute later.
        "--rules.alert.resend-delay=1s",
    ]  # fmt: skip
    with running(folder, "prometheus", command, port) as server:
        yield server


@contextmanager
def alertmanager(folder: Path, config: Path) -> Iterator[Server]:
    """An Alertmanager with this configuration, alone."""
    (port,) = free_ports(["alertmanager"], {}).values()
    command = [
        program("prometheus-alertmanager", "alertmanager"), f"--config.file={config}",
        f"--storage.path={folder / 'silences'}", f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]  # fmt: skip
    with running(folder, "alertmanager", command, port) as server:
        yield server
