"""Restarts in every place: what stands afterwards is what a replay of the same evidence says."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

import pytest

from stream.kafka.transactional_producer import ProduceFailed
from stream.settings import Settings
from stream.state import checkpoint
from stream.worker.context import NotOwner
from tests.stream.partition_runs import (
    FailingProducer,
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
    statuses,
    told,
)

pytestmark = pytest.mark.kafka
#: Three days ago at 08:00 in Shanghai, so that arrivals lie in the past of the broker.
BEGIN_S = int(time.time()) // 86_400 * 86_400 - 3 * 86_400
MANY = riders(12)


@pytest.fixture
def settings(broker: Any, prefix: str) -> Settings:
    return made(broker.bootstrap, prefix)


def day(begin_s: int = BEGIN_S, names: list[str] = MANY, orders: int = 8) -> list[dict[str, Any]]:
    return [
        one
        for index, rider in enumerate(names)
        for one in shift(rider, begin_s + 61 * index, orders + index % 6)
    ]


async def everything(settings: Settings) -> tuple[int, int]:
    return len(await records(settings, settings.alerts_topic)), len(
        await records(settings, settings.status_topic)
    )


def test_a_restart_with_nothing_new_writes_nothing(settings: Settings) -> None:
    async def lives() -> None:
        events = await at_once(settings, day())
        end_s = second_of(events[-1]) + 60
        life = await Life(settings, end_s).begin()
        await life.go(end_s)
        await life.checkpoint()
        await life.crash()
        await assert_as_replayed(settings, events, end_s)
        before = await everything(settings)
        again = await Life(settings, end_s).begin()
        await again.go(end_s, ticks=3)
        assert again.group.read == [len(events)]
        assert again.partition.now_s == end_s
        await again.crash()
        assert await everything(settings) == before

    asyncio.run(lives())


def test_what_was_told_after_the_marker_is_told_once_more_and_no_more_than_that(settings: Settings) -> None:
    async def lives() -> None:
        events = day()
        middle_s = BEGIN_S + 5 * 3600
        early = await at_once(settings, [one for one in events if second_of(one) < middle_s])
        life = await Life(settings, middle_s).begin()
        await life.go(middle_s)
        await life.checkpoint()
        told_before, statuses_before = await everything(settings)
        late = await at_once(settings, [one for one in events if second_of(one) >= middle_s])
        end_s = second_of(late[-1]) + 60
        await life.go(end_s)
        await life.crash()
        tail = (await told(settings))[told_before:]
        assert tail
        end = len(tail) + told_before
        again = await Life(settings, end_s).begin()
        await again.go(end_s)
        await again.crash()
        assert again.group.read == [len(early)]
        repeated = (await told(settings))[end:]
        assert {one["alert_id"] for one in tail} == {one["alert_id"] for one in repeated}
        assert len(repeated) == len({one["alert_id"] for one in repeated})
        assert not [one for one in repeated if one["kind"] == "retracted"]
        assert (await everything(settings))[1] > statuses_before
        await assert_as_replayed(settings, events, end_s)

    asyncio.run(lives())


@pytest.mark.parametrize("written", [False, True], ids=["refused", "written"])
def test_a_crash_at_any_write_loses_and_doubles_nothing(
    settings: Settings, written: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "STEP_BYTES", 1)
    rng = random.Random(7)

    async def lives() -> int:
        events = day(names=MANY[:5])
        # Some arrive hours later, so that alerts are taken back and told anew.
        arrivals = sorted(
            ((one, second_of(one) + rng.choice((0, 0, 0, 5 * 3600))) for one in events), key=lambda it: it[1]
        )
        sent = failed = 0
        wall_s = float(BEGIN_S)
        fail_at = 1
        while sent < len(arrivals) or failed < 25:
            some = arrivals[sent : sent + 6]
            sent += len(some)
            await send(settings, some)
            wall_s = max([wall_s, *(arrival for _, arrival in some)]) + 1
            life = Life(settings, wall_s, producer=FailingProducer(settings, 0, fail_at, written=written))
            try:
                await life.begin()
                await life.go(wall_s, ticks=2, chunk=4)
                await life.checkpoint()
                fail_at = 0
            except ProduceFailed:
                failed += 1
            fail_at += 1
            await life.crash()
        last = await Life(settings, wall_s).begin()
        await last.go(wall_s)
        await last.crash()
        await assert_as_replayed(settings, events, int(wall_s))
        return failed

    assert asyncio.run(lives()) >= 25


def test_an_alert_in_the_tail_that_the_evidence_does_not_bear_out_is_taken_back(settings: Settings) -> None:
    async def lives() -> None:
        events = await at_once(settings, day(names=MANY[:2], orders=7))
        end_s = second_of(events[-1]) + 60
        life = await Life(settings, end_s).begin()
        await life.go(end_s)
        await life.checkpoint()
        real = (await told(settings))[0]
        false = {**real, "alert_id": "0" * 32, "kind": "limit_reached"}
        life.partition._publisher._put_alert(false, [])
        await life.partition._producer.flush()
        await life.crash()
        for _ in range(2):
            again = await Life(settings, end_s).begin()
            await again.go(end_s)
            await again.crash()
        retracted = [one for one in await told(settings) if one["kind"] == "retracted"]
        assert {one["supersedes"] for one in retracted} == {"0" * 32}
        assert retracted[0]["event_time"] == real["event_time"]
        await assert_as_replayed(settings, events, end_s)

    asyncio.run(lives())


def test_an_alert_that_changes_and_then_vanishes_while_the_source_is_read_again_is_taken_back(
    settings: Settings,
) -> None:
    rider = MANY[0]

    async def lives() -> None:
        # Reached at +4h; then late evidence: first of another zone (changes it), then of a rest (undoes it).
        first = [event(rider, BEGIN_S + n * 9000, "order_accepted", f"o{n}", zone="1") for n in range(2)]
        first.append(event(rider, BEGIN_S + 18_000, "order_delivered", "o1"))
        await at_once(settings, first)
        begin = second_of(first[-1])
        life = await Life(settings, begin).begin()
        await life.go(begin)
        await life.checkpoint()
        await life.crash()
        alerts = standing(await told(settings))
        assert [one["kind"] for one in alerts.values()].count("limit_reached") == 1
        changing = event(rider, BEGIN_S + 9100, "online", zone="2")
        undoing = [
            event(rider, BEGIN_S + 100, "order_delivered", "o0"),
            event(rider, BEGIN_S + 9001, "order_delivered", "o1"),
        ]
        await send(settings, [(changing, begin + 10), *((one, begin + 20) for one in undoing)])
        again = await Life(settings, begin + 30).begin()
        await again.go(begin + 30, chunk=1)
        await again.crash()
        await assert_as_replayed(settings, [*first, changing, *undoing], begin + 30)

    asyncio.run(lives())


def test_what_was_told_of_silence_is_left_alone_until_now_gets_there(settings: Settings) -> None:
    rider = MANY[0]

    async def lives() -> None:
        events = await at_once(settings, [event(rider, BEGIN_S, "order_accepted")])
        events += await at_once(settings, [event(rider, BEGIN_S + 10_700, "order_accepted", "o2")])
        begin = BEGIN_S + 10_701
        life = await Life(settings, begin).begin()
        await life.go(begin)
        await life.checkpoint()
        await life.go(BEGIN_S + 4 * 3600 + 5)
        await life.crash()
        before = await told(settings)
        assert [one["kind"] for one in before] == ["approaching", "limit_reached"]
        # The next owner's clock is behind: the instants told lie in its future.
        again = await Life(settings, begin).begin()
        await again.go(begin, ticks=2)
        assert await told(settings) == before
        await again.go(BEGIN_S + 4 * 3600 + 1)
        repeated = (await told(settings))[len(before) :]
        assert [one["alert_id"] for one in repeated] == [one["alert_id"] for one in before]
        assert [one["hold"] for one in repeated] == [one["hold"] for one in before], "told_at is the first"
        await again.crash()
        await assert_as_replayed(settings, events, BEGIN_S + 4 * 3600 + 1)

    asyncio.run(lives())


def test_what_is_known_of_holds_goes_into_the_rows_and_kernels_tell_of_them(settings: Settings) -> None:
    rider = MANY[0]

    async def lives() -> None:
        events = await at_once(settings, shift(rider, BEGIN_S, 6))
        end_s = second_of(events[-1])
        life = await Life(settings, end_s).begin()
        await life.go(end_s)
        await life.crash()
        before = [one["hold"] for one in await told(settings) if one["kind"] == "limit_reached"]
        assert before
        again = await Life(settings, end_s + 60).begin()
        await again.go(end_s + 60, ticks=2)
        assert not again.partition._publisher.published.told_at, "nothing is kept of what the rows know"
        assert not again.partition._takeover_riders.rows(again.partition.store).any()
        count = len(await told(settings))
        await again.go(end_s + 1300, ticks=2)
        later = (await told(settings))[count:]
        assert [one["kind"] for one in later] == ["hold_released"]
        assert later[0]["hold"]["told_at"] == before[-1]["told_at"]
        await again.crash()
        await assert_as_replayed(settings, events, end_s + 1300)

    asyncio.run(lives())


def test_a_former_owner_is_refused_and_writes_nothing(settings: Settings) -> None:
    async def lives() -> None:
        events = await at_once(settings, day(names=MANY[:3], orders=7))
        end_s = second_of(events[-1]) + 60
        former = await Life(settings, end_s).begin()
        successor = await Life(settings, end_s).begin()
        with pytest.raises(ProduceFailed, match="partition 0"):
            await former.go(end_s)
        assert await everything(settings) == (0, 0)
        await former.crash()
        late = Life(settings, end_s)
        late.group.ours = False
        with pytest.raises(NotOwner, match="partition 0 belongs to another worker"):
            await late.begin()
        await late.crash()
        await successor.go(end_s)
        await successor.crash()
        await assert_as_replayed(settings, events, end_s)
        assert None not in (await statuses(settings)).values()

    asyncio.run(lives())
