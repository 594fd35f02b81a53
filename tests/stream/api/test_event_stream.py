"""A platform's live stream while it cannot be said whose riders are: alerts wait, none is left out unsaid."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from schemas.decode import murmur2
from stream.api.access.roles import Caller
from stream.api.event_stream import HELD_S, EventStream
from stream.api.queries.query_service import QueryService
from stream.api.queries.recent_alerts import QUEUE
from stream.state.shm_writer import Progress
from tests.stream.api.world import World

A = Caller("k", "platform", "A", "closed", 1.0)
DEADLINE_S = 20.0


def riders(partition: int, *names: str) -> list[str]:
    """Ids that begin so and belong to a partition of two."""
    found = []
    for name in names:
        tried = (f"{name}-{n}" for n in range(1 << 30))
        found.append(next(one for one in tried if murmur2(one.encode()) % 2 == partition))
    return found


HIDDEN, OTHERS = riders(0, "mine", "theirs")
(SEEN,) = riders(1, "mine")


class Scene:
    """Two riders of A, one of B's beside A's in partition 0, and A's stream of alerts."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        for rider, platform in ((HIDDEN, "A"), (OTHERS, "B"), (SEEN, "A")):
            self.world.work(rider, 4.5, platform)
        self.world.judge()
        self.service = self.world.service()
        self.now_s = 0.0
        assert {one["rider_id"] for one in self.world.alerts} == {HIDDEN, OTHERS, SEEN}

    def restoring(self, partition: int = 0, *, live: bool = False) -> None:
        """Let a partition be restored, or be there again."""
        store, wall_ms = self.world.stores[partition], int(self.world.wall_s * 1000)
        progress = Progress(
            max(store.now_s, int(self.world.wall_s)), wall_ms, wall_ms, live, store.riders, 0, 0
        )
        self.world.shared[partition].say(progress)

    def tell(self, *riders: str) -> list[str]:
        """Have these riders' alerts told, rider by rider; their ids."""
        told = [one for rider in riders for one in self.world.alerts if one["rider_id"] == rider]
        for alert in told:
            self.world.tell(self.service, alert)
        return [one["alert_id"] for one in told]

    def live(self, service: QueryService | None = None, held: int = QUEUE) -> EventStream:
        return EventStream(service or self.service, A, {}, held=held, clock=lambda: self.now_s)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


class Client:
    """Reads a stream as a browser does."""

    def __init__(self, stream: AsyncIterator[bytes]) -> None:
        self.stream = stream
        self.texts: list[str] = []
        self._rest: list[str] = []

    async def next(self) -> dict[str, Any]:
        """The next event: ``id`` (of alerts), ``event`` and ``data``."""
        while True:
            if not self._rest:
                found = (await asyncio.wait_for(anext(self.stream), DEADLINE_S)).decode()
                self._rest = [f"{text}\n\n" for text in found.split("\n\n") if text]
            text = self._rest.pop(0)
            self.texts.append(text)
            if not text.startswith(":"):
                fields = dict(line.split(": ", 1) for line in text.strip().split("\n"))
                return {**fields, "data": json.loads(fields["data"])}

    async def alerts(self, count: int) -> list[str]:
        """The ids of so many alerts; anything else is a fault."""
        found = [await self.next() for _ in range(count)]
        assert {one["event"] for one in found} == {"alert"}, found
        return [one["data"]["alert_id"] for one in found]


def read(live: EventStream, last: str | None, story: Callable[[Client], Awaitable[None]]) -> str:
    """Let a client live through a story; all that it got."""

    async def run() -> str:
        client = Client(live.events(last))
        assert await anext(client.stream) == b": connected\n\n"
        await story(client)
        await client.stream.aclose()  # type: ignore[attr-defined]
        return "".join(client.texts)

    coroutine: Coroutine[Any, Any, str] = run()
    return asyncio.run(coroutine)


async def asked_about(service: QueryService, times: int = 1) -> None:
    """Return when it has been asked so many times more whose alerts are."""
    asked, rounds = service.claims, asyncio.Semaphore(0)

    async def counted(caller: Caller, riders: Sequence[str], headers: Mapping[str, str]) -> Any:
        rounds.release()
        return await asked(caller, riders, headers)

    service.claims = counted  # type: ignore[method-assign]
    for _ in range(times):
        await asyncio.wait_for(rounds.acquire(), DEADLINE_S)
    service.claims = asked  # type: ignore[method-assign]


def test_alerts_told_while_the_partition_is_restored_come_in_order_once_it_is_there(scene: Scene) -> None:
    async def story(client: Client) -> None:
        scene.restoring()
        waiting = asyncio.ensure_future(client.alerts(1))
        await asyncio.sleep(0)
        hidden = scene.tell(OTHERS, HIDDEN)[-len(scene.tell(HIDDEN)) :]
        seen = scene.tell(SEEN)
        scene.restoring(live=True)
        got = await waiting + await client.alerts(2 * len(hidden) + len(seen) - 1)
        assert got == [*hidden, *hidden, *seen]

    assert OTHERS not in read(scene.live(), None, story)


def test_alerts_of_a_partition_that_is_there_wait_behind_those_of_one_that_is_not(scene: Scene) -> None:
    """Else the client would resume after what it has not got."""

    async def story(client: Client) -> None:
        scene.restoring()
        hidden, seen = scene.tell(HIDDEN), scene.tell(SEEN)
        waiting = asyncio.ensure_future(client.alerts(1))
        await asked_about(scene.service, times=3)
        assert not waiting.done()
        scene.restoring(live=True)
        assert await waiting + await client.alerts(len(hidden) + len(seen) - 1) == [*hidden, *seen]

    read(scene.live(), None, story)


def test_what_was_missed_waits_too(scene: Scene) -> None:
    scene.restoring()
    hidden, seen = scene.tell(HIDDEN), scene.tell(OTHERS, SEEN)[-1:]

    async def story(client: Client) -> None:
        waiting = asyncio.ensure_future(client.alerts(len(hidden)))
        await asyncio.sleep(0)
        scene.restoring(live=True)
        assert await waiting == hidden
        rest = await client.alerts(len([one for one in scene.world.alerts if one["rider_id"] == SEEN]))
        assert rest[-1:] == seen

    assert OTHERS not in read(scene.live(), "0-0", story)


def told_since(scene: Scene, event: str) -> list[dict[str, Any]]:
    """All alerts after an id, whosever they are."""
    position = scene.service.ids.read(event)
    assert position is not None
    return [one.document() for one in scene.service.recent.log.newest_after(None, position)][::-1]


@pytest.mark.parametrize("bound", ["time", "number"])
def test_past_the_bound_the_client_is_told_that_it_lacks_something_and_when_it_can_have_it(
    scene: Scene, bound: str
) -> None:
    """Longer because it is one story: each step needs what stands after the one before."""
    held = 3 if bound == "number" else QUEUE
    since = ""

    async def story(client: Client) -> None:
        nonlocal since
        first = scene.tell(SEEN)
        await client.alerts(len(first))
        scene.restoring()
        scene.tell(HIDDEN, OTHERS)
        second = scene.tell(SEEN)
        if bound == "time":
            waiting = asyncio.ensure_future(client.next())
            await asked_about(scene.service)
            assert not waiting.done()
            scene.now_s += HELD_S + 1
            gap = await waiting
        else:
            scene.tell(OTHERS)
            gap = await client.next()
        assert (gap["event"], gap["data"]["complete"], "id" in gap) == ("resync", False, False)
        assert await client.alerts(len(second)) == second
        # What is told now of the same partition is left out at once; of another one it comes.
        scene.tell(HIDDEN, OTHERS)
        third = scene.tell(SEEN)
        assert await client.alerts(len(third)) == third
        scene.restoring(live=True)
        whole = await client.next()
        assert (whole["event"], whole["data"]["complete"]) == ("resync", True)
        since = whole["data"]["since"]
        assert since == gap["data"]["since"]
        after = scene.tell(HIDDEN, OTHERS)[: len(scene.tell(SEEN))]
        assert (await client.alerts(1))[0] == after[0]

    assert OTHERS not in read(scene.live(held=held), None, story)

    async def again(client: Client) -> None:
        """Opened anew with `since`, everything comes that was left out."""
        told = [one for one in told_since(scene, since) if one["rider_id"] != OTHERS]
        assert await client.alerts(len(told)) == [one["alert_id"] for one in told]
        assert [one["rider_id"] for one in told].count(HIDDEN) > 2

    assert OTHERS not in read(scene.live(), since, again)


def test_where_no_machine_has_the_riders_the_client_is_told_too(scene: Scene) -> None:
    scene.world.settings = scene.world.settings.model_copy(update={"group": "nothing-here"})
    service = scene.world.service()

    async def story(client: Client) -> None:
        scene.world.told(service)
        waiting = asyncio.ensure_future(client.next())
        await asked_about(service)
        scene.now_s += HELD_S + 1
        gap = await waiting
        assert (gap["event"], gap["data"]["complete"]) == ("resync", False)

    text = read(scene.live(service), None, story)
    assert not any(rider in text for rider in (HIDDEN, SEEN, OTHERS))


def test_a_client_that_missed_more_than_is_kept_for_it_is_told(scene: Scene, monkeypatch: Any) -> None:
    monkeypatch.setattr("stream.api.queries.live.QUEUE", 2)
    scene.service.recent.log.widen(2)
    before = scene.service.ids.write([-1, -1])
    told = scene.tell(SEEN, HIDDEN)

    async def story(client: Client) -> None:
        older = await client.next()
        assert (older["event"], older["data"]["since"]) == ("resync", before)
        assert await client.alerts(2) == told[-2:]

    assert len(told) > 2
    read(scene.live(), before, story)


def test_a_riders_alerts_are_asked_for_in_vain_while_it_cannot_be_said_whose_he_is(scene: Scene) -> None:
    told = scene.tell(HIDDEN, OTHERS)
    headers = scene.world.key("platform", "A")
    client = scene.world.client(scene.service)
    scene.restoring()
    answers = [client.get(f"/v1/riders/{rider}/alerts", headers=headers) for rider in (HIDDEN, OTHERS)]
    assert [one.status_code for one in answers] == [503, 503]
    assert answers[0].content == answers[1].content
    scene.restoring(live=True)
    found = client.get(f"/v1/riders/{HIDDEN}/alerts", headers=headers).json()["alerts"]
    assert {one["alert_id"] for one in found} < set(told)
    assert client.get(f"/v1/riders/{OTHERS}/alerts", headers=headers).json() == {"alerts": []}
