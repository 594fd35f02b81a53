"""An order to lift a hold and a running worker: told, kept over a kill, and what a replay with it says."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.control import LiftHold
from schemas.decode import murmur2
from stream.kafka.record_sender import sending
from stream.offline.orders import Ordered
from stream.offline.replay import Replay
from stream.output.alert_json import utc
from stream.policies.loader import load_all
from stream.settings import Settings
from tests.short_policies import online_policy
from tests.stream import partition_runs
from tests.stream.topic_contents import records_of
from tests.stream.worker.test_worker import PARTITIONS, Topic, Workers, comparable, settings_for, until

pytestmark = pytest.mark.kafka
RIDER = "r-held"
REF = "short@1"
LIMIT = "online-10s"


@pytest.fixture
def settings(broker: Any, prefix: str, tmp_path: Path) -> Settings:
    """On the wall clock, by which orders arrive."""
    file = tmp_path / "short.toml"
    file.write_text(online_policy("short", 10), encoding="utf-8")
    made = settings_for(broker.bootstrap, prefix)
    return made.model_copy(update={"clock": "wall", "policy": (str(file),)})


@pytest.fixture
def topics(settings: Settings) -> Iterator[tuple[Topic, Topic]]:
    both = Topic(settings, settings.alerts_topic), Topic(settings, settings.status_topic)
    yield both
    for one in both:
        one.close()


def status(statuses: Topic) -> str | None:
    found = [one for one in statuses.more() if one.key == RIDER.encode() and one.value]
    return json.loads(found[-1].value)["status"] if found else None


def order(settings: Settings, one: LiftHold) -> None:
    async def send() -> None:
        async with sending(settings) as into:
            await into(settings.control_topic, RIDER.encode(), msgspec.json.encode(one))

    asyncio.run(send())


def test_a_lifted_hold_is_told_stays_so_over_a_kill_and_is_what_a_replay_says(
    settings: Settings, workers: Workers, topics: tuple[Topic, Topic]
) -> None:
    alerts, statuses = topics
    begun_s = int(time.time()) - 30
    online = partition_runs.event(RIDER, begun_s, "online")
    number = murmur2(RIDER.encode()) % PARTITIONS
    asyncio.run(partition_runs.send(settings, [(online, begun_s)], number))
    worker = workers.start(settings.policies[0])
    until(lambda: status(statuses) == "hold", "he is held", workers)
    order(settings, LiftHold(REF, LIMIT, utc(begun_s)))  # One of a hold that there is not.
    order(settings, LiftHold(REF, LIMIT, utc(begun_s + 10)))
    until(lambda: status(statuses) == "clear", "the hold is lifted", workers)

    def released() -> list[dict[str, Any]]:
        return [one for one in alerts.standing().values() if one["kind"] == "hold_released"]

    until(released, "the release is told", workers)
    (told,) = released()
    arrived = [one.timestamp_ms // 1000 for one in records_of(settings.broker, settings.control_topic)]
    assert (told["hold"]["release"], told["event_time"]) == ("review", told["hold"]["until"])
    before = alerts.standing()
    worker.kill()
    worker.wait(10)
    workers.start(settings.policies[0])
    until(lambda: workers.live() >= 2 * PARTITIONS, "the next one is live", workers)
    until(lambda: alerts.standing() == before, "the same stands", workers)
    assert status(statuses) == "clear"
    lift = Ordered(RIDER, max(arrived), LiftHold(REF, LIMIT, utc(begun_s + 10)))
    run = Replay(load_all(settings.policies), settings.store(0), int(time.time()), orders=[lift])
    run.read("events", [json.dumps(online).encode() + b"\n"])
    replayed = comparable({one["alert_id"]: one for one in run.conclude().alerts})
    assert replayed == before
