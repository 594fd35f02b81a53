"""The API with its console on a port, over a state that a test makes up; no Kafka, no worker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from stream.api.app import new_app
from stream.api.queries.query_service import QueryService
from stream.api.reviews.store import StoredReview
from stream.simulation.demo_monitoring import free_port
from tests.console.browser import Visit
from tests.stream.api.world import World

OWN, OTHER = "r-own", "r-other"
OVERDUE, IN_TIME, ANSWERED = "a" * 32, "b" * 32, "c" * 32
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


def a_past(world: World, service: QueryService) -> None:
    """A day before now in counts: samples with a gap, hours with three platforms, one that breaches."""
    history, now_s = service.history.history, int(world.wall_s)
    for number, at_s in enumerate(range(now_s - 20 * 3600, now_s - 600, 600)):
        if not 60 < number < 70:
            history.sample(at_s, (100 + number, number % 30, number % 17), is_gap=number == 70)
    for hour in range(1, 20):
        figures = history.hour(now_s - hour * 3600).figures
        figures.kinds.update(limit_reached=40 + hour, approaching=60, hold_breached=3 * hour)
        figures.zones.update({f"31010{zone}": 3 * zone * hour for zone in range(1, 8)})
        for name, breached in (("A", 1), ("B", 2), ("C", 2 * hour)):
            one = figures.platform(name)
            one.holds, one.breached, one.breaches = 40, breached, breached + 1
    history.close(now_s)


def a_desk(world: World) -> None:
    """Let reviews be taken."""
    file = Path(world.settings.keys).with_name("reviews.sqlite3")
    world.settings = world.settings.model_copy(update={"reviews": str(file)})


def reviews_of(world: World, service: QueryService) -> None:
    """One that is overdue by an hour, one with time left, one answered; of an alert of platform A's rider."""
    assert service.reviews is not None
    store, now_s = service.reviews.store, int(world.wall_s)
    alert = next(one for one in world.alerts if one["rider_id"] == OWN and one["kind"] == "limit_reached")
    for name, due_s in ((OVERDUE, now_s - 3600), (IN_TIME, now_s + 86_400), (ANSWERED, now_s)):
        platform = {OVERDUE: "A", IN_TIME: None, ANSWERED: "B"}[name]
        store.open(
            StoredReview(
                name, alert["alert_id"], OWN, platform, platform or "rider", alert["kind"], alert["policy"],
                alert["limit"], alert["hold"]["from"], 0, "The order was cancelled at nine.",
                due_s - 14 * 86_400, due_s,
            ),
            [],
        )  # fmt: skip
    if (found := store.one(ANSWERED)) is not None and found.outcome is None:
        store.answer(ANSWERED, "stands", "It was in hand.", now_s, [])


@contextmanager
def served(
    world: World, *, no_auth: bool = True, prepare: Callable[[World, QueryService], None] | None = None
) -> Iterator[str]:
    """Its address."""
    service = world.service()
    world.told(service)
    if prepare is not None:
        prepare(world, service)
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


def faults(visit: Visit) -> list[str]:
    """Errors of the page's own; that the API refused something is said by the browser itself."""
    return [one for one in visit.said if "Failed to load resource" not in one]
