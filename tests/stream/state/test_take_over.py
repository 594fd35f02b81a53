"""Taking over: what is told of a long rebuild and when, what is told again, what is left out."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any
from unittest import mock

import pytest
from aiokafka import AIOKafkaProducer

from detectors.verdicts import Verdict
from stream.kafka.transactional_producer import TransactionalProducer
from stream.output.rebuild_buffer import RebuildBuffer
from stream.schedule import is_due
from stream.settings import Settings
from stream.worker.steps import publishing
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
    told,
    write_state,
)

BEGIN_S = int(time.time()) // 86_400 * 86_400 - 6 * 86_400
DAY_S = 86_400
MANY = riders(12)
AT_ONCE = 5


@pytest.fixture
def settings(broker: Any, prefix: str) -> Settings:
    return made(broker.bootstrap, prefix)


async def write(settings: Settings, topic: str, key: bytes, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=settings.broker)
    await producer.start()
    await producer.send_and_wait(topic, value, key, partition=0)
    await producer.stop()


# -- bounded while behind --------------------------------------------------------------------------


class Watched(TransactionalProducer):
    """An producer that knows how much it ever held."""

    most = 0

    def put(self, *arguments: Any, **options: Any) -> None:
        super().put(*arguments, **options)
        self.most = max(self.most, self.pending)


def days(count: int) -> list[dict[str, Any]]:
    """So many days of work of many riders, each with limits reached."""
    return [one for day in range(count) for rider in MANY for one in shift(rider, BEGIN_S + day * DAY_S, 9)]


@pytest.mark.kafka
@pytest.mark.parametrize("crash", [False, True], ids=["in one go", "after a crash in the middle"])
def test_a_long_rebuild_holds_little_and_tells_only_what_is_final(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, crash: bool
) -> None:
    monkeypatch.setattr(publishing, "_OUTCOMES_AT_ONCE", AT_ONCE)
    chunk = 12
    most = 0

    async def lives() -> None:
        nonlocal most
        events = await at_once(settings, days(4))
        end_s = second_of(events[-1]) + 60
        if crash:
            lost = await Life(settings, end_s).begin()
            await lost.go(end_s, ticks=0, chunk=chunk)
            await lost.crash()
        before = len(await told(settings))
        producer = Watched(settings, 0)
        life = await Life(settings, end_s, producer=producer).begin()
        tell = life.partition._tell

        async def telling(outcomes: Any) -> None:
            nonlocal most
            await tell(outcomes)
            most = max(most, life.partition._held.final)

        with mock.patch.object(life.partition, "_tell", telling):
            await life.go(end_s, ticks=0, chunk=chunk)
        assert not life.partition.store.live
        early = (await told(settings))[before:]
        assert len(early) > 10 * AT_ONCE
        assert not [one for one in early if one["provisional"] or one["kind"] == "retracted"]
        assert most < AT_ONCE
        await life.go(end_s, ticks=2)
        # What is put at once, and beside it at most the statuses and side outputs of a chunk.
        assert producer.most <= AT_ONCE + 2 * chunk
        await life.crash()
        assert not [one for one in await told(settings) if one["kind"] == "retracted"]
        await assert_as_replayed(settings, events, end_s)

    asyncio.run(lives())


def verdict(retracted: bool) -> Verdict:
    return Verdict(
        row=1, retracted=retracted, event_time_s=100, kind="limit_reached", limit=0, platform=None,
        counted_s=1, window_start_s=0, window_end_s=100, hold_from_s=None, hold_until_s=None,
        told_at_s=None, zone=-1, estimated=False, spans=(),
    )  # fmt: skip


def test_what_comes_back_and_is_final_is_not_taken_back_at_the_end() -> None:
    held = RebuildBuffer()
    held.add([verdict(retracted=True)])
    held.add([verdict(retracted=False)])
    assert held.take_final() == [verdict(retracted=False)]
    assert held.take_all() == []


# -- told again ------------------------------------------------------------------------------------


@pytest.mark.kafka
def test_only_ids_that_the_tail_speaks_of_are_told_again_and_one_taken_back_there_is(
    settings: Settings,
) -> None:
    rider = MANY[0]

    async def lives() -> None:
        early = await at_once(settings, shift(rider, BEGIN_S, 9))
        early_s = second_of(early[-1])
        life = await Life(settings, early_s).begin()
        await life.go(early_s)
        await life.checkpoint()
        stood = list(standing(await told(settings)))
        assert len(stood) > 2
        more = await at_once(settings, [event(rider, early_s + 600, "online")])
        # A former owner has taken one back, of evidence that is none.
        wrong = (await told(settings))[0]
        wrong |= {"kind": "retracted", "alert_id": "1" * 32, "supersedes": stood[0]}
        life.partition._publisher._put_alert(wrong, [])
        await life.go(early_s + 700)
        await life.crash()
        before = len(await told(settings))
        again = await Life(settings, early_s + 700).begin()
        await again.go(early_s + 700)
        await again.crash()
        assert [one["alert_id"] for one in (await told(settings))[before:]] == [stood[0]]
        await assert_as_replayed(settings, [*early, *more], early_s + 700)

    asyncio.run(lives())


# -- left out --------------------------------------------------------------------------------------


@pytest.mark.kafka
def test_records_in_our_topics_that_are_none_of_ours_are_counted_and_left_out(settings: Settings) -> None:
    rider = MANY[0]

    async def lives() -> None:
        events = await at_once(settings, shift(rider, BEGIN_S, 9))
        end_s = second_of(events[-1]) + 60
        life = await Life(settings, end_s).begin()
        await life.go(end_s)
        await life.checkpoint()
        await life.crash()
        known = json.dumps((await told(settings))[0]).encode()
        strange = (
            (settings.alerts_topic, rider.encode(), b"{bad"),
            (settings.alerts_topic, rider.encode(), b'{"kind":"limit_reached"}'),
            (settings.alerts_topic, rider.encode(), b"[]"),
            (settings.alerts_topic, MANY[1].encode(), known),
            (settings.alerts_topic, b"\xff", known),
            (settings.status_topic, b"\xff no id", b"{}"),
            (settings.state_topic, b"whose", b"RS"),
            (settings.state_topic, b"page/x/0", b""),
            (settings.control_topic, b"\xff", b"{}"),
        )
        for topic, key, value in strange:
            await write(settings, topic, key, value)
        again = await Life(settings, end_s).begin()
        await again.go(end_s)
        counts = {label: n for (family, label), n in again.partition.counts.items() if family == "foreign"}
        await again.crash()
        assert counts == {
            settings.alerts_topic: 5,
            settings.status_topic: 1,
            settings.state_topic: 2,
            settings.control_topic: 1,
        }

    asyncio.run(lives())


# -- dead letters of a state that is lost ----------------------------------------------------------


@pytest.mark.kafka
def test_dead_letters_are_written_once_though_the_state_that_counts_them_is_lost(settings: Settings) -> None:
    async def letters() -> list[int]:
        found = [
            one
            for number in range(PARTITIONS)
            for one in await records(settings, settings.dead_letter_topic, number)
        ]
        return sorted(int(dict(one.headers)["offset"]) for one in found)

    async def live(now_s: int) -> None:
        life = await Life(settings, now_s).begin()
        await life.go(now_s)
        await life.crash()

    async def lives() -> None:
        now_s = BEGIN_S + 100
        await send(settings, [(b"bad %d" % n, BEGIN_S + n) for n in range(10)])
        await live(now_s)
        await write_state(settings, dict.fromkeys(await state_of(settings)))
        await send(settings, [(b"worse %d" % n, BEGIN_S + 10 + n) for n in range(10)])
        await live(now_s)
        assert await letters() == list(range(20))

    asyncio.run(lives())


# -- clocks ----------------------------------------------------------------------------------------


def test_what_is_done_every_so_often_is_done_though_the_clock_is_set_back() -> None:
    assert not is_due(1000.0, 1003.0, 5.0)
    assert is_due(1003.0, 1003.0, 5.0)
    assert is_due(1003.0 - 3600.0, 1003.0, 5.0)
