"""What is read of the topic of conditions: each record once, refused ones with their reason, to the end."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition

from stream.settings import Settings
from stream.worker.conditions_topic import ConditionsTopic

AT_S = 1_783_825_200  # 2026-07-12T11:00:00+08:00
TEXT = {AT_S: "2026-07-12T11:00:00+08:00", AT_S + 60: "2026-07-12T11:01:00+08:00"}
PLACE = TopicPartition("courier.zone-condition", 0)


def record(offset: int, timestamp_s: float = AT_S, **changes: Any) -> Any:
    tree = {
        "schema": "zone-condition/1", "condition_id": "c", "condition": "heat", "zones": ["310105"],
        "from": TEXT[AT_S], "until": TEXT[AT_S + 60], "announced_at": TEXT[AT_S], **changes,
    }  # fmt: skip
    value = json.dumps(tree).encode()
    return SimpleNamespace(partition=0, offset=offset, timestamp=int(timestamp_s * 1000), value=value)


class FakeConsumer:
    """Hands on what it is given, a piece at a time."""

    def __init__(self, *pieces: list[Any]) -> None:
        self._pieces = list(pieces)
        self._end = sum(map(len, pieces))
        self._at = 0

    async def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, self._end)

    async def getmany(self, timeout_ms: int) -> dict[TopicPartition, list[Any]]:  # noqa: ARG002 - as Kafka's
        found = self._pieces.pop(0) if self._pieces else []
        self._at += len(found)
        return {PLACE: found}

    async def position(self, place: TopicPartition) -> int:  # noqa: ARG002 - there is one
        return self._at


def read(topic: ConditionsTopic, *pieces: list[Any], waiting: bool = False) -> None:
    """One turn of reading; ``waiting``: somebody asks for all that is there."""

    async def turn() -> None:
        asked = asyncio.ensure_future(topic.caught_up()) if waiting else None
        await asyncio.sleep(0)
        await topic._serve(FakeConsumer(*pieces), [PLACE])
        if asked is not None:
            await asyncio.wait_for(asked, 1)

    asyncio.run(turn())


def test_on_the_wall_clock_the_arrival_is_the_announcement_in_whole_seconds() -> None:
    topic = ConditionsTopic(Settings())
    read(topic, [record(0, AT_S + 30.9, announced_at="nonsense")])
    assert [one.announced_s for one in topic.known] == [AT_S + 30]
    assert not topic.refused


def test_on_the_events_clock_the_message_says_it_and_must() -> None:
    topic = ConditionsTopic(Settings(clock="event"))
    read(topic, [record(0, AT_S + 999), record(1, AT_S + 999, announced_at=None)])
    assert [one.announced_s for one in topic.known] == [AT_S]
    assert [(one.record.offset, one.reason) for one in topic.refused] == [(1, "invalid")]


def test_lateness_is_measured_by_the_latest_announcement_read_and_just_as_much_is_accepted() -> None:
    topic = ConditionsTopic(Settings(clock="event", lateness="60s"))  # type: ignore[arg-type]
    later = record(0, announced_at=TEXT[AT_S + 60])
    just = record(1, announced_at=TEXT[AT_S])
    too_late = record(2, announced_at="2026-07-12T10:59:59+08:00")
    read(topic, [later, just, too_late])
    assert [one.announced_s for one in topic.known] == [AT_S + 60, AT_S]
    (refused,) = topic.refused
    assert (refused.record.offset, refused.reason) == (2, "too_late")
    assert refused.detail == "announced 1min1s before the latest one read here, 1min are allowed"


def test_what_is_read_again_is_taken_once() -> None:
    topic = ConditionsTopic(Settings())
    read(topic, [record(0), record(1, zones=[])])
    read(topic, [record(0), record(1, zones=[]), record(2, condition="cold")])
    assert [one.condition for one in topic.known] == ["heat", "cold"]
    assert len(topic.refused) == 1


def test_who_waits_goes_on_once_everything_there_was_has_been_read() -> None:
    topic = ConditionsTopic(Settings())
    read(topic, [record(0)], [], [record(1)], waiting=True)
    assert len(topic.known) == 2
