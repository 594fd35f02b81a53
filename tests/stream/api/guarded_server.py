"""The API as it is served, in a process of its own, over a state that a test makes up."""

from __future__ import annotations

import http.client
import multiprocessing
import resource
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from stream.api.access.connections import Limits
from stream.api.app import new_app, server_config
from tests.stream.api.world import World

START_S = 240.0
#: An order of magnitude shorter than served, so that a test need not wait.
QUICK = Limits(head_s=1.0, body_s=1.0)


@dataclass(frozen=True)
class Served:
    """Where the API listens, its process, and keys by name."""

    port: int
    pid: int
    keys: dict[str, dict[str, str]]

    def rss_mib(self) -> float:
        """Memory of the process."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        line = next(one for one in status.splitlines() if one.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def files(self) -> int:
        """Open files of the process."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def connect(self) -> socket.socket:
        """A connection that waits no longer than a test."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        """An answer over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


class Dispatcher:
    """Asks over one connection, as a dispatcher does."""

    def __init__(self, served: Served) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
        self._headers = served.keys["dispatcher"]

    def p99_s(self, questions: int) -> float:
        """The 99th percentile of so many questions' times."""
        taken = []
        for _ in range(questions):
            began = time.perf_counter()
            self._connection.request("GET", "/v1/riders/r-own/eligibility", headers=self._headers)
            answer = self._connection.getresponse()
            answer.read()
            taken.append(time.perf_counter() - began)
            assert answer.status == 200
        return statistics.quantiles(taken, n=100)[98]

    def close(self) -> None:
        """Leave."""
        self._connection.close()


def _serve(folder: Path, alerts: int, limits: Limits, proxies: str, told: Any) -> None:
    world = World(folder)
    world.settings = world.settings.model_copy(update={"api_proxies": proxies})
    world.work("r-own", 4.5, "A")
    world.work("r-other", 4.5, "B")
    world.judge()
    service = world.service()
    some = [one for one in world.alerts if one["kind"] == "limit_reached"]
    for number in range(alerts):
        alert = some[number % len(some)]
        world.tell(service, {**alert, "alert_id": f"{number:032x}"})
    keys = {
        name: world.key(role, platform)
        for name, role, platform in (("A", "platform", "A"), ("dispatcher", "dispatcher", None))
    }
    app = new_app(world.settings, service=service, follows=False)
    listening = socket.create_server(("127.0.0.1", 0), backlog=4096)
    server = uvicorn.Server(server_config(app, world.settings, limits))
    started = server.startup

    async def startup(sockets: Any = None) -> None:
        await started(sockets=sockets)
        told.send((listening.getsockname()[1], keys))

    server.startup = startup  # type: ignore[method-assign]
    server.run(sockets=[listening])


@contextmanager
def served(folder: Path, *, alerts: int = 0, limits: Limits = QUICK, proxies: str = "") -> Iterator[Served]:
    """The API with so many alerts in its log, half of them A's, behind proxies (``--api-proxies``)."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(folder, alerts, limits, proxies, there), daemon=True)
    process.start()
    try:
        assert here.poll(START_S), "the API does not start"
        port, keys = here.recv()
        assert process.pid is not None
        yield Served(port, process.pid, keys)
    finally:
        process.terminate()
        process.join(20)
        if process.is_alive():
            process.kill()


def many_files() -> None:
    """Let this process have as many connections as an attacker has."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, hard), hard))
