"""Resuming costs what the client itself has missed, and ids mean the same wherever it comes again."""

from __future__ import annotations

import asyncio
import http.client
import itertools
import threading
import time
from collections.abc import Iterator

import pytest

from stream.api.access.connections import Limits
from stream.api.access.roles import NOBODY, Caller
from stream.api.event_stream import EventStream
from stream.api.queries.alert_log import AlertLog
from stream.api.queries.event_ids import EventIds
from stream.api.queries.query_service import QueryService
from stream.api.queries.recent_alerts import QUEUE
from tests.stream.api.guarded_server import Dispatcher, Served, served
from tests.stream.api.world import World

A = Caller("k", "platform", "A", "closed", 1.0)
ALERTS = 40_000
STREAMS = 20
QUESTIONS = 800
MEMORY_MIB = 80
_TIMES, _OWN_S = 2.0, 0.015


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("api"), alerts=ALERTS, limits=Limits()) as found:
        yield found


def follow(api: Served, key: str, last: str, stopping: threading.Event, got: list[int]) -> None:
    """Open a stream, read it for a while, leave, and open it again."""
    while not stopping.is_set():
        connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=5)
        try:
            connection.request("GET", "/v1/alerts/stream", headers={**api.keys[key], "Last-Event-ID": last})
            answer = connection.getresponse()
            assert answer.status == 200
            size = 0
            while size < 500_000 and not stopping.is_set():
                found = answer.read1(65536)
                size += len(found)
                if not found:
                    break
            got.append(size)
        except TimeoutError:
            got.append(0)
        finally:
            connection.close()


@pytest.mark.parametrize("key", ["A", "dispatcher"])
def test_streams_with_ids_that_are_not_known_keep_no_dispatcher_waiting(api: Served, key: str) -> None:
    dispatcher, stopping = Dispatcher(api), threading.Event()
    got: list[int] = []
    dispatcher.p99_s(QUESTIONS)
    before_s, before_mib = dispatcher.p99_s(QUESTIONS), api.rss_mib()
    threads = [
        threading.Thread(target=follow, args=(api, key, f"unknown-{n}", stopping, got))
        for n in range(STREAMS)
    ]
    for thread in threads:
        thread.start()
    try:
        during_s = dispatcher.p99_s(QUESTIONS)
        during_mib = api.rss_mib()
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
    deadline_s = time.monotonic() + 20
    while dispatcher.p99_s(QUESTIONS) > _TIMES * before_s + _OWN_S:
        assert time.monotonic() < deadline_s, "it goes on after they have left"
    dispatcher.close()
    assert len(got) >= STREAMS
    assert during_s <= _TIMES * before_s + _OWN_S, (before_s, during_s)
    assert during_mib - before_mib < MEMORY_MIB
    deadline_s = time.monotonic() + 10
    while api.rss_mib() - before_mib > MEMORY_MIB / 4:
        assert time.monotonic() < deadline_s, "memory is not given back"
        time.sleep(0.1)


def events(service: QueryService, caller: Caller, last: str, count: int) -> list[tuple[str, str]]:
    """So many alerts after an id: each id and what came with it."""

    async def read() -> list[tuple[str, str]]:
        stream = EventStream(service, caller, {}).events(last)
        found: list[tuple[str, str]] = []
        while len(found) < count:
            text = (await asyncio.wait_for(anext(stream), 10)).decode()
            for one in text.split("\n\n"):
                if "event: alert" in one:
                    fields = dict(line.split(": ", 1) for line in one.split("\n"))
                    found.append((fields["id"], fields["data"]))
        await stream.aclose()  # type: ignore[attr-defined]
        return found

    return asyncio.run(read())


@pytest.mark.parametrize("caller", [A, NOBODY], ids=["platform", "everyone"])
def test_an_id_means_the_same_in_another_process_that_has_read_in_another_order(
    world: World, caller: Caller
) -> None:
    for number in range(6):
        world.work(f"r{number}", 4.5, "A" if number % 2 else "B")
    world.judge()
    one, other = world.service(), world.service()
    world.told(one)
    # Partition by partition, where the first read them as they came.
    for partition in (1, 0):
        for alert in world.alerts:
            if world.home(alert["rider_id"]) == partition:
                world.tell(other, alert)
    mine = [
        alert for alert in world.alerts if caller.platform is None or alert["rider_id"] in ("r1", "r3", "r5")
    ]
    told = events(one, caller, "0-0", len(mine))
    assert len(told) == len(mine) > 3
    for seen in range(1, len(told)):
        missed = {data for _, data in told[seen:]}
        again = events(other, caller, told[seen - 1][0], len(missed))
        assert {data for _, data in again} == missed


def test_ids_say_nothing_and_are_not_taken_from_others() -> None:
    ids, others = EventIds(lambda: b"a"), EventIds(lambda: b"b")
    made = [ids.write([offset, 7]) for offset in range(-1, 300)]
    assert len(set(made)) == len(made)
    assert len({len(one) for one in made}) == 1
    assert [ids.read(one) for one in made] == [[offset, 7] for offset in range(-1, 300)]
    assert {others.read(one) for one in made} == {None}
    for wrong in ("", "0-0", "x", made[0][:-1], made[0][:-2] + "AA", "é" * 40, "=" * 40, made[0] * 1000):
        assert ids.read(wrong) is None
    # No bit of one follows that of the one before.
    same = [sum(map(str.__eq__, one, following)) for one, following in itertools.pairwise(made)]
    assert sum(same) / len(same) < len(made[0]) / 10


def test_who_resumes_looks_at_its_own_alerts_only(world: World) -> None:
    world.work("r-own", 4.5, "A")
    world.work("r-other", 4.5, "B")
    world.judge()
    service = world.service()
    (own, *_), (other, *_) = (
        [one for one in world.alerts if one["rider_id"] == rider] for rider in ("r-own", "r-other")
    )
    for number in range(3000):
        world.tell(service, {**other, "alert_id": f"{number:032x}"})
    world.tell(service, own)
    missed = service.missed(A, [-1, -1])
    assert [one.rider for one in missed.read] == ["r-own"]
    assert not missed.older
    for number in range(QUEUE + 5):
        world.tell(service, {**own, "alert_id": f"{number:032x}"})
    missed = service.missed(A, [-1, -1])
    assert missed.older
    assert len(missed.read) <= QUEUE + 1


def test_the_log_is_bounded_and_lets_go_of_what_is_platforms_too(world: World) -> None:
    world.work("r-own", 4.5, "A")
    world.judge()
    service = world.service()
    service.recent.log = AlertLog(service.riders.owners, most=50)
    own = world.alerts[0]
    for number in range(200):
        world.tell(service, {**own, "alert_id": f"{number:032x}"})
    log = service.recent.log
    assert log.alert("A", f"{100:032x}") is None
    assert log.alert("A", f"{199:032x}") is not None
    assert len(list(log.newest_after("A", [-1, -1]))) == len(list(log.newest_after(None, [-1, -1]))) == 50
    assert [one.identity for one, _ in log.of_rider("r-own", None, None)] == [
        f"{n:032x}" for n in range(150, 200)
    ]
    assert not log.reaches([-1, -1])
    assert log.reaches(log.position)
