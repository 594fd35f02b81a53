"""The API with its console on a port, over a state that a test makes up; no Kafka, no worker."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from stream.api.app import new_app
from stream.simulation.demo_monitoring import free_port
from tests.stream.api.world import World

OWN, OTHER = "r-own", "r-other"
#: The kernels may have to be compiled first.
_DEADLINE_S = 900.0


def a_day(world: World) -> None:
    """A rider in a hold that two platforms breach, one near a limit, a dozen without cares."""
    begin_s = int(world.wall_s) - 5 * 3600
    world.send(OWN, "online", begin_s - 600)
    world.send(OWN, "order_accepted", begin_s - 600, "A", "early")
    world.send(OWN, "order_picked_up", begin_s - 300, "A", "early")
    world.send(OWN, "order_delivered", begin_s + 900, "A", "early")
    world.work(OWN, 4.2, "A")
    world.send(OWN, "order_accepted", int(world.wall_s) - 60, "B", "later")
    world.work(OTHER, 3.7, "B")
    for number in range(12):
        world.work(f"r-{number}", 1.0, "A")
    world.judge()


@contextmanager
def served(world: World, *, no_auth: bool = True) -> Iterator[str]:
    """Its address."""
    service = world.service()
    world.told(service)
    service.recent.dead_letters |= {"malformed": 3, "too_late": 1}
    port = free_port()
    app = new_app(world.settings, no_auth=no_auth, service=service)
    server = uvicorn.Server(
        uvicorn.Config(
            app, host="127.0.0.1", port=port, log_level="critical", timeout_graceful_shutdown=1, ws="none"
        )
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline_s = time.monotonic() + _DEADLINE_S
    try:
        while not server.started:
            assert time.monotonic() < deadline_s, "the API does not start"
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
