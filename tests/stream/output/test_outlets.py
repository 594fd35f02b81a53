"""What a platform sees: its own riders, cut down, as long as they are its own, and nothing else."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from stream.kafka.topics import provisioning
from stream.settings import Settings
from tests.stream.partition_runs import (
    PARTITIONS,
    Life,
    at_once,
    event,
    made,
    records,
    riders,
    shift,
    statuses,
    told,
)

pytestmark = pytest.mark.kafka
DAY_S = 86_400
BEGIN_S = int(time.time()) // DAY_S * DAY_S - 6 * DAY_S
FIRST, SECOND, BOTH = riders(3)
KEEP = 2 * DAY_S


@pytest.fixture
def settings(broker: Any, prefix: str) -> Settings:
    return made(broker.bootstrap, prefix, outlets=("A", "B"), keep=KEEP)


async def keys_of(settings: Settings, topic: str) -> list[tuple[str, bool]]:
    """Riders of the messages of a topic, and whether there is a value."""
    return [(one.key.decode(), one.value is not None) for one in await records(settings, topic)]


def test_each_platform_gets_the_alerts_of_its_riders_cut_down_and_the_breaches_it_committed(
    settings: Settings,
) -> None:
    breach_s = BEGIN_S + 7 * 2700 + 1800
    events = [
        *shift(FIRST, BEGIN_S, 7, platform="A"),
        *shift(SECOND, BEGIN_S, 7, platform="B"),
        *shift(BOTH, BEGIN_S, 7, platform="A"),
        event(BOTH, BEGIN_S + 10, "online", platform="B"),
        # In the hold of the four hours, whose rest has not been taken.
        event(BOTH, BEGIN_S + 6 * 2700 - 60, "order_accepted", "b", platform="B"),
        event(BOTH, breach_s, "order_delivered", "b", platform="B"),
        event(FIRST, breach_s, "online", platform="C"),
    ]

    async def lives() -> None:
        await at_once(settings, events)
        life = await Life(settings, breach_s + 60).begin()
        await life.go(breach_s + 60)
        await life.crash()
        alerts = await told(settings)
        breaches = [one for one in alerts if one["kind"] == "hold_breached"]
        assert {one["platform"] for one in breaches if one["rider_id"] == BOTH} == {"A", "B"}
        for platform, theirs in (("A", {FIRST, BOTH}), ("B", {SECOND, BOTH})):
            seen = await told(settings, settings.alerts_of(platform))
            expected = [
                {key: one[key] for key in one if key not in ("evidence", "window", "zone")}
                for one in alerts
                if one["rider_id"] in theirs and one["platform"] in (None, platform)
            ]
            assert seen == expected
            assert {one["rider_id"] for one in seen} == theirs
            shown = await statuses(settings, settings.status_of(platform))
            whole = await statuses(settings)
            assert shown == {rider: whole[rider] for rider in theirs}

    asyncio.run(lives())


def test_a_platform_that_joins_is_told_the_status_at_once_and_nobody_else_notices(settings: Settings) -> None:
    async def lives() -> None:
        await at_once(settings, shift(FIRST, BEGIN_S, 6, platform="A"))
        life = await Life(settings, BEGIN_S + 6 * 2700).begin()
        await life.go(BEGIN_S + 6 * 2700)
        topics_of = settings.status_topic, settings.status_of("A"), settings.status_of("B")
        before = [await keys_of(settings, topic) for topic in topics_of]
        assert before[2] == []
        await at_once(settings, [event(FIRST, BEGIN_S + 6 * 2700 + 5, "online", platform="B")])
        await life.go(BEGIN_S + 6 * 2700 + 6, ticks=3)
        after = [await keys_of(settings, topic) for topic in topics_of]
        assert after[:2] == before[:2]
        assert after[2] == [(FIRST, True)]
        newest = (await statuses(settings, settings.status_of("B")))[FIRST]
        assert newest is not None
        assert newest["status"] == "hold"
        await life.checkpoint()
        await life.crash()
        again = await Life(settings, BEGIN_S + 6 * 2700 + 8).begin()
        await again.go(BEGIN_S + 6 * 2700 + 8)
        await again.crash()
        assert [await keys_of(settings, topic) for topic in topics_of] == after, "told once"

    asyncio.run(lives())


def test_a_rider_who_is_forgotten_is_forgotten_by_his_platforms_and_no_other_hears_of_him(
    settings: Settings,
) -> None:
    async def lives() -> None:
        await at_once(settings, [*shift(FIRST, BEGIN_S, 2), *shift(SECOND, BEGIN_S, 2, platform="B")])
        life = await Life(settings, BEGIN_S + 6000).begin()
        await life.go(BEGIN_S + 6000)
        await life.partition.forget(SECOND, (BEGIN_S + 6000) * 1000)
        await life.tick(8)
        assert await keys_of(settings, settings.status_of("B")) == [(SECOND, True), (SECOND, False)]
        await life.go(BEGIN_S + 6000 + KEEP)
        assert await keys_of(settings, settings.status_of("A")) == [(FIRST, True), (FIRST, False)]
        assert await keys_of(settings, settings.status_of("B")) == [(SECOND, True), (SECOND, False)]
        assert await statuses(settings) == {FIRST: None, SECOND: None}
        await life.crash()

    asyncio.run(lives())


def test_a_platform_that_is_silent_for_keep_gets_a_tombstone_and_no_more_alerts(settings: Settings) -> None:
    async def lives() -> None:
        # A restart in between must not make the platform known again.
        await at_once(settings, [event(BOTH, BEGIN_S, "online", platform="B")])
        begin_s = BEGIN_S + KEEP + 20
        await at_once(settings, shift(BOTH, BEGIN_S + 60, 2))
        life = await Life(settings, BEGIN_S + 6000).begin()
        await life.go(BEGIN_S + 6000)
        await life.go(begin_s)
        assert await keys_of(settings, settings.status_of("B")) == [(BOTH, True), (BOTH, False)]
        main = await keys_of(settings, settings.status_topic)
        assert (BOTH, False) not in main
        await life.checkpoint()
        await life.crash()
        life = await Life(settings, begin_s).begin()
        more = await at_once(settings, shift(BOTH, begin_s, 7))
        end_s = begin_s + 7 * 2700
        await life.go(end_s)
        assert len(more) == 14
        assert await told(settings)
        assert await told(settings, settings.alerts_of("A")) != []
        assert await told(settings, settings.alerts_of("B")) == []
        assert await keys_of(settings, settings.status_of("B")) == [(BOTH, True), (BOTH, False)]
        # It comes back: told at once.
        await at_once(settings, [event(BOTH, end_s, "online", platform="B")])
        await life.go(end_s + 1)
        assert (await keys_of(settings, settings.status_of("B")))[2:] == [(BOTH, True)]
        await life.crash()

    asyncio.run(lives())


def test_an_outlet_that_is_new_is_told_the_statuses_of_its_riders(settings: Settings) -> None:
    more = Settings(**{**settings.model_dump(), "outlets": ("A", "B", "C")})

    async def lives() -> None:
        await at_once(settings, [*shift(FIRST, BEGIN_S, 2), *shift(SECOND, BEGIN_S, 2, platform="C")])
        now_s = BEGIN_S + 6000
        life = await Life(settings, now_s).begin()
        await life.go(now_s)
        await life.checkpoint()
        await life.crash()
        provisioning.ensure_topics(more, PARTITIONS)
        before = await keys_of(settings, settings.status_topic)
        for _ in range(2):
            life = await Life(more, now_s).begin()
            await life.go(now_s)
            await life.checkpoint()
            await life.crash()
        assert await keys_of(more, more.status_of("C")) == [(SECOND, True)]
        assert await keys_of(settings, settings.status_topic) == before
        assert len(await keys_of(more, more.status_of("A"))) == 1

    asyncio.run(lives())
