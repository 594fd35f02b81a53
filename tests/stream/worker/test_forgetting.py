"""Who is forgotten, and who is not: silence, holds, orders, restarts."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

import pytest

from schemas.checkpoint import MARKER_KEY
from schemas.checkpoint_page import page_key
from schemas.decode import murmur2, rider_hash
from stream.kafka.log_reader import LogReader
from stream.settings import Settings
from stream.state.published_outputs import read_orders
from stream.worker.control_topic import order_to_forget
from tests.stream.partition_runs import (
    PARTITIONS,
    Life,
    assert_as_replayed,
    at_once,
    event,
    made,
    records,
    riders,
    second_of,
    send,
    shift,
    standing,
    state_of,
    statuses,
    told,
    write_state,
)

pytestmark = pytest.mark.kafka
DAY_S = 86_400
BEGIN_S = int(time.time()) // DAY_S * DAY_S - 6 * DAY_S
MANY = riders(6)
KEEP = 2 * DAY_S


@pytest.fixture
def settings(broker: Any, prefix: str) -> Settings:
    return made(broker.bootstrap, prefix, keep=KEEP)


async def tombstones(settings: Settings) -> list[str]:
    found = await records(settings, settings.status_topic)
    return [one.key.decode() for one in found if one.value is None]


async def order(settings: Settings, rider: str) -> int:
    """Order a rider to be forgotten; when the order arrived, epoch milliseconds."""
    await order_to_forget(settings, rider, PARTITIONS)
    async with LogReader(settings, 0, [settings.control_topic]) as reader:
        bounds = (await reader.bounds())[settings.control_topic]
        return (await read_orders(reader, settings, bounds, Counter()))[0][rider]


def test_riders_silent_for_keep_are_forgotten_for_good_and_a_rider_on_hold_is_not(
    settings: Settings,
) -> None:
    held, silent, awake = MANY[:3]
    longest = Settings(**{**settings.model_dump(), "keep": 16 * 3600, "max_open_order": 20 * 3600})

    async def lives() -> None:
        # Four hours at a stretch, and the order stays open: the hold lasts as long.
        events = [event(held, BEGIN_S, "order_accepted"), *shift(silent, BEGIN_S, 2)]
        events += [event(awake, BEGIN_S + 17 * 3600, "online")]
        await at_once(longest, events)
        now_s = BEGIN_S + 17 * 3600
        life = await Life(longest, now_s).begin()
        await life.go(now_s)
        assert await tombstones(longest) == []
        await life.go(now_s + 2 * 3600)
        assert await tombstones(longest) == [silent], "who is on hold is kept, silent or not"
        assert life.partition.store.riders == 2
        await life.crash()
        # Forgotten after the marker: what comes back from the page is forgotten once more.
        life = await Life(longest, now_s + 2 * 3600).begin()
        await life.go(now_s + 2 * 3600)
        assert (await statuses(longest))[silent] is None
        # The order counts for 20 h, the hold ends by a rest of 20 min.
        await life.go(BEGIN_S + 21 * 3600)
        assert (await statuses(longest))[held] is None, "his hold has ended, and nothing keeps him"
        await life.checkpoint()
        await life.crash()
        before = await tombstones(longest)
        life = await Life(longest, BEGIN_S + 22 * 3600).begin()
        await life.go(BEGIN_S + 22 * 3600, ticks=2)
        assert life.partition.store.riders == 1
        await life.crash()
        assert await tombstones(longest) == before
        # What was told of them stands.
        assert {one["kind"] for one in standing(await told(longest)).values() if one["rider_id"] == held} >= {
            "limit_reached",
            "hold_released",
        }

    asyncio.run(lives())


def test_a_rider_whose_last_event_came_in_a_hold_is_forgotten_when_the_hold_is_long_over(
    settings: Settings,
) -> None:
    rider = MANY[0]

    async def lives() -> None:
        events = [event(rider, BEGIN_S + n * 10_000, "order_accepted", f"o{n}") for n in range(2)]
        events.append(event(rider, BEGIN_S + 15_000, "order_delivered", "o1"))
        await at_once(settings, events)
        life = await Life(settings, BEGIN_S + 15_000).begin()
        await life.go(BEGIN_S + 15_000)
        status = (await statuses(settings))[rider]
        assert status is not None
        assert status["status"] == "hold"
        await life.go(BEGIN_S + 15_000 + KEEP + 10)
        assert await statuses(settings) == {rider: None}
        assert life.partition.store.riders == 0
        await life.crash()

    asyncio.run(lives())


@pytest.mark.parametrize("lost", ["nothing", "page", "marker"])
def test_whom_an_operator_has_forgotten_does_not_come_back_from_the_source(
    settings: Settings, lost: str
) -> None:
    rider, other = MANY[:2]

    async def lives() -> None:
        events = await at_once(settings, [*shift(rider, BEGIN_S, 7), *shift(other, BEGIN_S, 7)])
        now_s = second_of(events[-1]) + 60
        life = await Life(settings, now_s).begin()
        await life.go(now_s)
        await life.checkpoint()
        alerts = await told(settings)
        assert rider in {one["rider_id"] for one in alerts}
        ordered_ms = await order(settings, rider)
        await life.partition.forget(rider, ordered_ms)
        await life.partition.forget(rider, ordered_ms)
        await life.tick(len(events))
        assert await tombstones(settings) == [rider]
        await life.checkpoint()
        await life.crash()
        keys = {"nothing": None, "page": page_key(rider_hash(rider.encode()) >> 52, 0), "marker": MARKER_KEY}
        if key := keys[lost]:
            await write_state(settings, {key: None})
        for _ in range(2):
            life = await Life(settings, now_s).begin()
            await life.go(now_s)
            await life.checkpoint()
            await life.crash()
            assert (await statuses(settings))[rider] is None
        assert standing(await told(settings)).keys() == standing(alerts).keys(), "nothing is taken back"
        # Later events count anew.
        again_s = ordered_ms // 1000 + 10
        more = shift(rider, again_s, 2, every_s=900)
        await send(settings, [(one, second_of(one)) for one in more])
        life = await Life(settings, again_s + 1800).begin()
        await life.go(again_s + 1800)
        status = (await statuses(settings))[rider]
        assert status is not None
        assert (status["limit"], status["remaining_s"]) == ("continuous-4h", 14_400 - 2 * 780)
        await life.crash()

    asyncio.run(lives())


def test_an_order_that_came_while_nobody_worked_is_carried_out_by_the_next_owner(settings: Settings) -> None:
    rider, other = MANY[:2]

    async def lives() -> None:
        events = await at_once(settings, [*shift(rider, BEGIN_S, 6), *shift(other, BEGIN_S, 6)])
        now_s = second_of(events[-1]) + 60
        life = await Life(settings, now_s).begin()
        await life.go(now_s)
        await life.crash()
        alerts = standing(await told(settings))
        assert rider in {one["rider_id"] for one in alerts.values()}
        await order(settings, rider)
        await order(settings, "nobody-has-seen-him")
        for _ in range(2):
            life = await Life(settings, now_s).begin()
            await life.go(now_s)
            await life.checkpoint()
            await life.crash()
        assert (await tombstones(settings)).count(rider) == 1
        assert standing(await told(settings)).keys() == alerts.keys()

    asyncio.run(lives())


def test_an_order_during_the_restore_is_carried_out_before_anything_is_told(settings: Settings) -> None:
    rider = MANY[0]

    async def lives() -> None:
        # More than a day old, so that it is final while it is read.
        events = await at_once(settings, shift(rider, BEGIN_S, 10))
        last = await at_once(settings, [event(rider, BEGIN_S + 2 * DAY_S, "online")])
        now_s = second_of(last[-1]) + 60
        life = await Life(settings, now_s).begin()
        end = len(events) + len(last)
        await life.go(now_s, ticks=0)
        assert not life.partition.store.live
        assert life.partition._held.final, "something is held back that is final"
        await life.partition.forget(rider, int(now_s * 1000))
        await life.tick(end)
        assert life.partition.now_s == now_s
        await life.crash()
        assert await told(settings) == []
        assert (await statuses(settings))[rider] is None

    asyncio.run(lives())


def test_a_crowded_page_and_a_rider_with_all_the_events_he_may_have_survive(settings: Settings) -> None:
    """Longer because it is one story: each step needs what stands after the one before."""
    number = rider_hash(MANY[0].encode()) >> 52
    candidates = (f"c{n}" for n in range(1 << 30))
    crowd = [MANY[0]]
    while len(crowd) < 40:
        one = next(candidates)
        if rider_hash(one.encode()) >> 52 == number:
            crowd.append(one)

    async def lives() -> None:
        home = [one for one in crowd if murmur2(one.encode()) % PARTITIONS == 0]
        events = [
            event(MANY[0], BEGIN_S + n * 3, kind, f"o{n // 2}")
            for n, kind in ((n, ("order_accepted", "order_delivered")[n % 2]) for n in range(4097))
        ]
        events += [event(rider, BEGIN_S + 20_000, "order_accepted") for rider in home[1:]]
        sent = await at_once(settings, events)
        now_s = BEGIN_S + 20_001
        life = await Life(settings, now_s).begin()
        await life.go(now_s)
        await life.checkpoint()
        await life.crash()
        assert [key for key in await state_of(settings) if key.startswith(b"page/")] == [page_key(number, 0)]
        letters = [
            dict(one.headers)["reason"]
            for partition in range(PARTITIONS)
            for one in await records(settings, settings.dead_letter_topic, partition)
        ]
        assert letters == [b"flood"]
        flood = next(one for one in sent if one["event_time"] == events[4096]["event_time"])
        counted = [one for one in sent if one is not flood]
        more = await at_once(settings, [event(rider, BEGIN_S + 20_100, "online") for rider in home])
        life = await Life(settings, now_s + 600).begin()
        await life.go(now_s + 600)
        assert life.partition.store.riders == len(home)
        await life.crash()
        letters_after = [
            one
            for partition in range(PARTITIONS)
            for one in await records(settings, settings.dead_letter_topic, partition)
        ]
        assert len(letters_after) == 2, "he may still have no more"
        await assert_as_replayed(
            settings, [*counted, *(one for one in more if one["rider_id"] != MANY[0])], now_s + 600
        )

    asyncio.run(lives())
