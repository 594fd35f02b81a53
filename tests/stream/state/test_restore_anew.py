"""Topics that were cut off or made anew under a state that knew the old ones."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from schemas.checkpoint_page import page_key
from stream.kafka.transactional_producer import ProduceFailed
from stream.settings import Settings
from tests.stream.partition_runs import (
    Life,
    assert_as_replayed,
    at_once,
    comparable,
    made,
    replayed,
    second_of,
    standing,
    statuses,
    told,
    write_state,
)
from tests.stream.state.damage import (
    BEGIN_S,
    HOURS,
    MANY,
    cut_before,
    lived,
    made_anew,
    one_life,
    page_of,
    reread,
    work,
)


@pytest.fixture
def settings(broker: Any, prefix: str) -> Settings:
    return made(broker.bootstrap, prefix)


def test_a_source_cut_off_behind_the_marker_is_read_from_its_start_and_nothing_is_taken_back(
    settings: Settings,
) -> None:
    async def lives() -> None:
        events, end_s = await lived(settings)
        expected = comparable(replayed(settings, events, end_s).alerts)
        lost = await at_once(settings, work(MANY[:2], BEGIN_S + 9 * HOURS, orders=2))
        kept = await at_once(settings, work(MANY, BEGIN_S + 12 * HOURS, orders=3))
        cut_before(settings, settings.source_topic, len(events) + len(lost))
        await write_state(settings, {page_key(page_of(MANY[5]), 0): None})
        end_s = second_of(kept[-1]) + 60
        again = await reread(settings, end_s)
        assert not [one for one in again if one["kind"] == "retracted"]
        assert again
        assert all(one["estimated"] for one in again)
        stands = comparable(standing(await told(settings)).values())
        assert expected.items() <= stands.items()
        assert await reread(settings, end_s) == []

    asyncio.run(lives())


def test_a_source_made_anew_is_read_from_its_start_over_several_restarts(settings: Settings) -> None:
    async def lives() -> None:
        events, end_s = await lived(settings)
        made_anew(settings, settings.source_topic)
        # Nothing has come yet, and no time has passed that would touch anybody.
        await one_life(settings, end_s)
        all_of = list(events)
        begin_s = BEGIN_S + 12 * HOURS
        for names in (MANY[:2], MANY[2:4], MANY[4:], MANY):
            more = await at_once(settings, work(names, begin_s, orders=3))
            all_of += more
            begin_s = second_of(more[-1]) + 60
            await one_life(settings, begin_s)
            await assert_as_replayed(settings, all_of, begin_s)
        assert end_s < begin_s

    asyncio.run(lives())


def test_a_source_made_anew_and_longer_than_before_is_read_from_its_start(settings: Settings) -> None:
    async def lives() -> None:
        events, end_s = await lived(settings)
        made_anew(settings, settings.source_topic)
        more = await at_once(settings, work(MANY, BEGIN_S + 12 * HOURS, orders=10))
        assert len(more) > len(events)
        end_s = second_of(more[-1]) + 60
        await one_life(settings, end_s)
        await assert_as_replayed(settings, [*events, *more], end_s)

    asyncio.run(lives())


def test_outputs_made_anew_are_told_everything_that_stands(settings: Settings) -> None:
    async def lives() -> None:
        events, end_s = await lived(settings)
        before = comparable(standing(await told(settings)).values())
        made_anew(settings, settings.alerts_topic, settings.status_topic)
        assert await told(settings) == []
        await one_life(settings, end_s)
        assert comparable(await told(settings)) == before
        assert len(await statuses(settings)) == len(MANY)
        await assert_as_replayed(settings, events, end_s)

    asyncio.run(lives())


def test_outputs_made_anew_under_a_running_owner_are_noticed(settings: Settings) -> None:
    async def lives() -> None:
        events = await at_once(settings, work(MANY))
        end_s = second_of(events[-1]) + 60
        life = await Life(settings, end_s).begin()
        await life.go(end_s)
        made_anew(settings, settings.alerts_topic, settings.status_topic)
        more = await at_once(settings, work(MANY[:1], BEGIN_S + 30 * HOURS, orders=7))
        end_s = second_of(more[-1]) + 60
        with pytest.raises(ProduceFailed):
            await life.go(end_s)
        await life.crash()
        await one_life(settings, end_s)
        stands = comparable(standing(await told(settings)).values())
        assert len(await statuses(settings)) == len(MANY)
        assert stands

    asyncio.run(lives())
