"""What another platform does with riders that are not a platform's own changes no byte of what that one gets.

Two worlds are the same for platform A and differ in all else: another platform's riders, how many they are,
their ids and alerts; and where that platform pushes orders to a rider of A too, its name, its orders' ids and
the zones. Then A asks everything that there is to ask in both.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from hypothesis import HealthCheck, example, given, settings, strategies as st

from stream.api.access.roles import Caller
from stream.api.event_stream import EventStream
from tests.stream.api.world import World

EXAMPLES = 3
OWN = ("a0", "a1", "a2")
MALFORMED = ("", "%20", "%00", "..", "a0/", "%61%30", "A0", "x" * 64, "x" * 65, "骑手", "a0;b", "a0%2Fb")
A = Caller("k", "platform", "A", "closed", 1.0)
EVENT = re.compile(rb"id: ([A-Za-z0-9_-]{38})\n")
#: What differs from process to process, whoever asks: memory, processor time, when it was started.
PROCESS = re.compile(r"^(# (HELP|TYPE) )?(process_|python_|respite_api_\w+_created)", re.MULTILINE)


@dataclass(frozen=True)
class Worker:
    """A rider's work for one platform: an order after the other for so many half hours, and one just now."""

    rider: str
    halves: int
    late: bool


@dataclass(frozen=True)
class Others:
    """What differs between two worlds."""

    platform: str
    zone: str
    order: str
    workers: tuple[Worker, ...]
    first: bool


@dataclass(frozen=True)
class Common:
    """What is the same in both: A's riders, and minutes ago and quarters of an hour of another's order."""

    own: tuple[Worker, ...]
    shared: tuple[tuple[int, int], ...]


def workers(riders: Sequence[str]) -> st.SearchStrategy[tuple[Worker, ...]]:
    each = [st.builds(Worker, st.just(rider), st.integers(1, 11), st.booleans()) for rider in riders]
    return st.tuples(*each)


def others(names: str) -> st.SearchStrategy[Others]:
    ids = st.lists(st.from_regex(rf"{names}[a-z0-9]{{1,12}}", fullmatch=True), max_size=6, unique=True)
    return st.builds(
        Others,
        st.sampled_from([f"{names}eta", f"{names}-2"]),
        st.sampled_from(["310105", "310101", "110000"]),
        st.from_regex(rf"{names}[a-z0-9]{{1,6}}", fullmatch=True),
        ids.flatmap(workers),
        st.booleans(),
    )


COMMON = st.builds(
    Common, workers(OWN), st.tuples(*[st.tuples(st.integers(0, 540), st.integers(0, 3)) for _ in OWN])
)


class Seen:
    """A world, and all that A gets to see of it."""

    def __init__(self, folder: Path, common: Common, other: Others) -> None:
        folder.mkdir()
        self.world = World(folder)
        if other.first:
            self._not_own(other)
        self._own(common, other)
        if not other.first:
            self._not_own(other)
        self.world.judge()
        self.service = self.world.service()
        self.world.told(self.service)
        self.client: TestClient = self.world.client(self.service)
        self._headers = self.world.key("platform", "A")

    def _work(self, worker: Worker, platform: str, zone: str, order: str) -> None:
        world = self.world
        begin_s = int(world.wall_s) - worker.halves * 1800
        for number in range(worker.halves):
            at_s = begin_s + number * 1800
            world.send(worker.rider, "order_accepted", at_s, platform, f"{order}{number}", zone)
            world.send(worker.rider, "order_delivered", at_s + 1750, platform, f"{order}{number}", zone)
        if worker.late:
            world.send(worker.rider, "order_accepted", int(world.wall_s) - 120, platform, f"{order}x", zone)

    def _own(self, common: Common, other: Others) -> None:
        for worker, (ago, length) in zip(common.own, common.shared, strict=True):
            self._work(worker, "A", "310105", "mine")
            if length:
                begin_s = int(self.world.wall_s) - ago * 60
                rest = (other.platform, other.order, other.zone)
                self.world.send(worker.rider, "order_accepted", begin_s, *rest)
                self.world.send(worker.rider, "order_delivered", begin_s + length * 900, *rest)

    def _not_own(self, other: Others) -> None:
        for worker in other.workers:
            self._work(worker, other.platform, other.zone, other.order)

    def ask(self, method: str, path: str, **rest: Any) -> tuple[int, list[tuple[str, str]], bytes]:
        """Status, headers in their order, and body."""
        headers = self._headers | rest.pop("headers", {})
        answer = self.client.request(method, path, headers=headers, **rest)
        return answer.status_code, list(answer.headers.multi_items()), answer.content

    def live(self) -> list[bytes]:
        """The live stream from its beginning, and what is told while it is read."""

        async def read() -> list[bytes]:
            stream = EventStream(self.service, A, {}).events("0-0")
            found = [await anext(stream)]
            held = len(self.service.missed(A, [-1, -1]).read)
            self.world.told(self.service)
            # What is held now was told twice: before, and to the subscriber.
            assert len(self.service.missed(A, [-1, -1]).read) == 2 * held
            while len(found) < 1 + 2 * held:
                found += [one for one in (await anext(stream)).split(b"\n\n") if one]
            await stream.aclose()  # type: ignore[attr-defined]
            return found

        events = asyncio.run(read())
        names = [found[1] for event in events if (found := EVENT.match(event))]
        # Names say nothing: none comes twice, and all are of one length.
        assert len(set(names)) == len(names) == len(events) - 1
        return [EVENT.sub(b"", event) for event in events]


def questions(riders: Sequence[str], alerts: Sequence[str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Everything that can be asked about riders and alerts, well and badly."""
    for rider in [*riders, "never"]:
        yield "GET", f"/v1/riders/{rider}", {}
        yield "GET", f"/v1/riders/{rider}/alerts", {}
        for minutes in ("1", "60", "0"):
            yield "GET", f"/v1/riders/{rider}/eligibility?minutes={minutes}", {}
        # As the regulator asks, and as another API does.
        headers = {"X-Case-Number": "2026-1", "x-respite-forwarded": "1"}
        yield "GET", f"/v1/riders/{rider}", {"headers": headers}
        body = {"candidates": [{"rider_id": rider, "minutes": 5}]}
        yield "POST", "/v1/eligibility", {"json": body}
    for rider in MALFORMED:
        yield "GET", f"/v1/riders/{rider}", {}
        yield "GET", f"/v1/riders/{rider}/eligibility", {}
        yield "POST", "/v1/eligibility", {"json": {"candidates": [{"rider_id": rider, "minutes": 5}]}}
    for alert in [*alerts, "0" * 32, "0" * 31, "F" * 32, "x", *[one.upper() for one in alerts[:2]]]:
        yield "GET", f"/v1/alerts/{alert}/explanation", {}
        yield "GET", f"/v1/alerts/{alert}/explanation?lang=en", {}
    for length in (1, 60):
        every = [{"rider_id": rider, "minutes": length} for rider in [*riders, "never", *riders]]
        yield "POST", "/v1/eligibility", {"json": {"candidates": every}}
    yield "POST", "/v1/eligibility", {"content": b"{"}
    for path in ("/v1/policies", "/v1/overview", "/healthz", "/readyz", "/openapi.json", "/", "/v1/x"):
        yield "GET", path, {}
    for method in ("HEAD", "OPTIONS", "DELETE"):
        yield method, f"/v1/riders/{riders[-1]}", {}


def metrics(seen: Seen) -> list[str]:
    """What the API counts, which everybody may read."""
    status, _, body = seen.ask("GET", "/metrics")
    assert status == 200
    return [line for line in body.decode().splitlines() if not PROCESS.match(line)]


#: A's riders on hold, of whom another platform has orders too, and breaches; and another's, many and few.
BUSY = Common(
    tuple(Worker(rider, halves, late=True) for rider, halves in zip(OWN, (9, 3, 11), strict=True)),
    ((16, 1), (0, 0), (88, 3)),
)
MANY = Others(
    "beta", "310101", "b", tuple(Worker(f"b{n}", 9 + n % 3, late=True) for n in range(5)), first=True
)
FEW = Others("c-2", "110000", "c", (Worker("c0", 10, late=True),), first=False)


@example(common=BUSY, one=MANY, another=FEW)
@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
@given(common=COMMON, one=others("b"), another=others("c"))
def test_nothing_that_a_platform_gets_depends_on_what_is_not_its_own(
    common: Common, one: Others, another: Others
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        worlds = [Seen(Path(folder) / str(n), common, other) for n, other in enumerate((one, another))]
        riders = sorted({*OWN, *(worker.rider for other in (one, another) for worker in other.workers)})
        alerts = sorted({alert["alert_id"] for seen in worlds for alert in seen.world.alerts})
        for method, path, rest in questions(riders, alerts):
            first, second = (seen.ask(method, path, **rest) for seen in worlds)
            assert first == second, (method, path, rest)
        first_live, second_live = (seen.live() for seen in worlds)
        assert first_live == second_live
        assert metrics(worlds[0]) == metrics(worlds[1])
        for seen in worlds:
            for shared in seen.world.shared:
                shared.close()
