"""Other policies and settings than those that the state was written with; side outputs over restarts."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from stream.kafka.transactional_producer import ProduceFailed
from stream.output import dead_letters
from stream.settings import Settings
from stream.state.restored import StateRefused
from tests.short_policies import online_policy
from tests.stream.partition_runs import (
    PARTITIONS,
    FailingProducer,
    Life,
    assert_as_replayed,
    at_once,
    comparable,
    event,
    made,
    records,
    replayed,
    riders,
    second_of,
    send,
    shift,
    standing,
    statuses,
    told,
)

pytestmark = pytest.mark.kafka
DAY_S = 86_400
#: Midnight in Shanghai, three days ago.
BEGIN_S = int(time.time()) // DAY_S * DAY_S - 3 * DAY_S - 8 * 3600
MANY = riders(4)
GBT, MEITUAN = "cn-gbt-2025", "cn-meituan-2024"


@pytest.fixture
def settings(broker: Any, prefix: str) -> Settings:
    return made(broker.bootstrap, prefix, policy=(GBT,))


def with_policies(settings: Settings, *policies: str, **more: Any) -> Settings:
    return Settings(**{**settings.model_dump(), "policy": policies, **more})


async def live_until(settings: Settings, wall_s: float) -> None:
    life = await Life(settings, wall_s).begin()
    await life.go(wall_s)
    await life.checkpoint()
    await life.crash()


async def standing_of(settings: Settings, policy: str) -> dict[str, dict[str, Any]]:
    alerts = comparable(standing(await told(settings)).values())
    return {key: one for key, one in alerts.items() if one["policy"].startswith(policy)}


def test_a_policy_newly_named_tells_nothing_of_before_but_counts_it_and_one_named_again_keeps_its_word(
    settings: Settings,
) -> None:
    both = with_policies(settings, GBT, MEITUAN)

    async def lives() -> None:
        # Nine hours of orders by the time of the second policy: its eight hours have been reached before.
        first = [one for rider in MANY for one in shift(rider, BEGIN_S + 3600, 12)]
        events = await at_once(settings, first)
        named_s = second_of(events[-1]) + 60
        await live_until(settings, named_s)
        assert await standing_of(settings, GBT)
        await live_until(both, named_s)
        assert await standing_of(both, MEITUAN) == {}
        more = await at_once(both, [one for rider in MANY for one in shift(rider, named_s + 60, 6)])
        end_s = second_of(more[-1]) + 60
        await live_until(both, end_s)
        expected = {
            one["alert_id"]: one
            for one in comparable(replayed(both, [*events, *more], end_s).alerts).values()
            if one["policy"].startswith(MEITUAN)
        }
        later = {k: v for k, v in expected.items() if second_of(v) >= named_s}
        assert later
        assert later != expected
        assert await standing_of(both, MEITUAN) == later
        # No longer named: what it said stands. Named again: nothing of before is told, nothing taken back.
        await live_until(settings, end_s)
        assert await standing_of(settings, MEITUAN) == later
        found = [one for one in (await statuses(settings)).values() if one]
        assert {one["policy"] for one in found if one["policy"]} == {"cn-gbt-2025@1"}
        await live_until(both, end_s + 60)
        assert await standing_of(both, MEITUAN) == later

    asyncio.run(lives())


def test_the_holds_of_a_policy_that_is_no_longer_named_end(settings: Settings, tmp_path: Path) -> None:
    strict = tmp_path / "strict.toml"
    strict.write_text(
        'name = "strict"\nversion = 1\ntime_zone = "UTC"\nvalid_from = 2025-01-01\nmodality = "agreement"\n'
        'title = { zh = "a", en = "a" }\nsource = "a"\n[[limit]]\nname = "one"\nkind = "day"\n'
        'clock = "order"\nlimit = "30min"\neffect = "hold"\nmessage = { zh = "a", en = "a" }\n',
        encoding="utf-8",
    )
    both = with_policies(settings, GBT, str(strict))

    async def lives() -> None:
        events = await at_once(both, shift(MANY[0], BEGIN_S + 8 * 3600, 2))
        now_s = second_of(events[-1]) + 60
        await live_until(both, now_s)
        before = (await statuses(both))[MANY[0]]
        assert before is not None
        assert (before["status"], before["policy"]) == ("hold", "strict@1")
        alerts = await standing_of(both, "strict")
        await live_until(settings, now_s)
        after = (await statuses(settings))[MANY[0]]
        assert after is not None
        assert (after["status"], after["policy"]) == ("clear", "cn-gbt-2025@1")
        assert await standing_of(settings, "strict") == alerts
        assert alerts

    asyncio.run(lives())


def test_other_settings_are_judged_anew_and_the_differences_told(settings: Settings) -> None:
    lenient = with_policies(settings, GBT, breach_grace=7200)

    async def lives() -> None:
        # Held at four hours (+20400 s), the next orders are breaches.
        events = await at_once(settings, shift(MANY[0], BEGIN_S + 3600, 7))
        late = [
            event(MANY[0], second_of(events[-1]) + n, kind, f"x{n}")
            for n, kind in ((60, "order_accepted"), (90, "order_delivered"))
        ]
        events += await at_once(settings, late)
        now_s = second_of(events[-1]) + 60
        await live_until(settings, now_s)
        await assert_as_replayed(settings, events, now_s)
        kinds = [one["kind"] for one in standing(await told(settings)).values()]
        assert "hold_breached" in kinds
        await live_until(lenient, now_s)
        await assert_as_replayed(lenient, events, now_s)
        kinds = [one["kind"] for one in standing(await told(settings)).values()]
        assert "hold_breached" not in kinds

    asyncio.run(lives())


# -- side outputs ----------------------------------------------------------------------------------


async def letters(settings: Settings) -> list[tuple[str, int]]:
    found = []
    for number in range(PARTITIONS):
        for one in await records(settings, settings.dead_letter_topic, number):
            headers = dict(one.headers)
            found.append((headers["reason"].decode(), int(headers["offset"])))
    return sorted(found, key=lambda it: it[1])


@pytest.mark.parametrize("written", [False, True], ids=["refused", "written"])
def test_dead_letters_and_forwards_are_written_once_whatever_crashes(
    settings: Settings, written: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "_FLUSH_AT", 3)
    elsewhere = riders(4, number=1)

    async def lives() -> None:
        sent: list[tuple[Any, float]] = []
        for n in range(20):
            sent.append((b"no json %d" % n, BEGIN_S + n))
            sent.append((event(MANY[n % 4], BEGIN_S + n, "online"), BEGIN_S + n))
            sent.append((event(elsewhere[n % 4], BEGIN_S + n, "online"), BEGIN_S + n))
        await send(settings, sent)
        for fail_at in range(1, 16):
            life = Life(
                settings, BEGIN_S + 60, producer=FailingProducer(settings, 0, fail_at, written=written)
            )
            await life.begin()
            try:
                await life.go(BEGIN_S + 60, chunk=25)
                await life.checkpoint()
            except ProduceFailed:
                pass
            await life.crash()
        await live_until(settings, BEGIN_S + 60)
        assert await letters(settings) == [("malformed", 3 * n) for n in range(20)]
        forwarded = await records(settings, settings.source_topic, 1)
        assert [json.loads(one.value)["event_id"] for one in forwarded] == [
            one["event_id"] for one, _ in sent if isinstance(one, dict) and one["rider_id"] in elsewhere
        ]
        assert {dict(one.headers)["respite-hop"] for one in forwarded} == {b"1"}

    asyncio.run(lives())


def test_a_bad_message_with_headers_that_no_broker_takes_back_stops_nobody(settings: Settings) -> None:
    from aiokafka import AIOKafkaProducer

    elsewhere = riders(1, number=1)[0]
    large = [("x", b"\0" * 3_000_000)]

    async def lives() -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=settings.broker, compression_type="gzip", max_request_size=9 << 20,
            max_batch_size=8 << 20,
        )  # fmt: skip
        await producer.start()
        misplaced = json.dumps(event(elsewhere, BEGIN_S, "online")).encode()
        for key, value in ((b"k" * 2_000_000, b"bad"), (b"k", b"bad"), (b"k", misplaced)):
            await producer.send_and_wait(
                settings.source_topic, value, key, partition=0, timestamp_ms=BEGIN_S * 1000, headers=large
            )
        await producer.stop()
        await live_until(settings, BEGIN_S + 60)
        assert await letters(settings) == [("malformed", 0), ("malformed", 1)]
        (forwarded,) = await records(settings, settings.source_topic, 1)
        assert forwarded.value == misplaced
        assert [name for name, _ in forwarded.headers] == ["respite-arrival", "respite-hop"]

    asyncio.run(lives())


def test_other_limits_under_a_version_that_has_judged_are_refused_also_after_another_plan(
    settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "own.toml"
    own = with_policies(settings, str(file))

    async def lives() -> None:
        file.write_text(online_policy("own", 60), encoding="utf-8")
        await live_until(own, BEGIN_S)
        await live_until(with_policies(settings, GBT), BEGIN_S + 1)
        file.write_text(online_policy("own", 90), encoding="utf-8")
        life = Life(own, BEGIN_S + 2)
        with pytest.raises(StateRefused, match=r"own@1 judged by limits .* version = 2") as refused:
            await life.begin()
        await life.crash()
        assert "bring the former limits back" in str(refused.value)
        file.write_text(online_policy("own", 60).replace("a test", "another source"), encoding="utf-8")
        await live_until(own, BEGIN_S + 3)
        file.write_text(online_policy("own", 90).replace("version = 1", "version = 2"), encoding="utf-8")
        await live_until(own, BEGIN_S + 4)

    asyncio.run(lives())
