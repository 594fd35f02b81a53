"""The suite must see a bug when there is one: each of these is planted, and what stands must then be wrong.

Each scenario is run twice: as the code is, where nothing may be wrong, and with the bug.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from kafka import KafkaProducer

from schemas.decode import NOT_AN_EVENT, Decoded, decode_chunk
from stream.kafka.topics import provisioning
from stream.kafka.transactional_producer import ProduceFailed
from stream.output.alert_json import utc
from stream.settings import Settings
from stream.state import checkpoint, restore
from stream.state.published_outputs import PublishedOutputs
from stream.worker import partition as partitions
from stream.worker.steps import taking_over
from tests.chaos.history import DAY_S, History
from tests.chaos.partition_runs import CrashingPartition, CrashingProducer, Steps, World
from tests.chaos.verify import Found, compare
from tests.stream.topic_contents import records_of

pytestmark = pytest.mark.kafka
Events = list[dict[str, Any]]


@pytest.fixture
def settings(broker: Any, prefix: str) -> Settings:
    made = Settings(broker=broker.bootstrap, prefix=prefix, group=prefix, clock="event", checkpoint_every=1)
    provisioning.ensure_topics(made, 1)
    return made


def order(number: int, begin_s: int, end_s: int, *, void: bool = False) -> Events:
    """An order of rider r; ``void`` takes both its events back."""
    return [
        {
            "schema": "work-state/1", "event_id": f"{number}{kind}", "rider_id": "r", "platform": "A",
            "event_time": utc(DAY_S + at), "type": kind, "order_id": f"o{number}", "void": void,
        }
        for at, kind in ((begin_s, "order_accepted"), (end_s, "order_delivered"))
    ]  # fmt: skip


def send(settings: Settings, events: Events) -> None:
    producer = KafkaProducer(bootstrap_servers=settings.broker)
    for event in events:
        producer.send(settings.source_topic, json.dumps(event).encode(), key=b"r", partition=0)
    producer.flush()
    producer.close()


def written(folder: Path, events: Events) -> list[Path]:
    path = folder / "events.ndjson"
    path.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    return [path]


# -- the marker before the pages -------------------------------------------------------------------


@contextlib.contextmanager
def marker_before_pages() -> Iterator[None]:
    step = checkpoint.Checkpointer.step

    async def marker_first(self: Any, standing: Any, held: Any, wall_s: float) -> int | None:
        begun = self._round
        if begun is not None and self._waiting:
            await checkpoint.Checkpointer._write_marker(self, wall_s)
            self._round = begun
        return await step(self, standing, held, wall_s)

    with mock.patch.object(checkpoint.Checkpointer, "step", marker_first):
        yield


def crashes_while_pages_are_written(settings: Settings, folder: Path) -> Found:
    history = History(settings, 5, parts=10, riders=30)
    world = World(settings, 1)
    for _ in range(9):
        history.send_more()
        asyncio.run(world.live(Steps("packed")))
    history.send_rest()
    asyncio.run(world.live(Steps()))
    return compare(settings, world.run, [history.write(folder)])


# -- the claim after the end offsets ---------------------------------------------------------------


@contextlib.contextmanager
def claim_after_the_ends() -> Iterator[None]:
    claim = partitions.Partition._claim
    take_over = restore.take_over

    async def no_claim(_: Any) -> None:
        """It comes later."""

    async def ends_first(self: Any) -> None:
        async def then_claim(work: Any) -> Any:
            restored = await take_over(work)
            await self.former_writes()
            await claim(self)
            return restored

        with (
            mock.patch.object(CrashingPartition, "_claim", no_claim),
            mock.patch.object(taking_over, "take_over", then_claim),
        ):
            await partitions.Partition.start(self)

    with mock.patch.object(Successor, "start", ends_first):
        yield


class Successor(CrashingPartition):
    """Takes over from one who still lives and has something to write."""

    former: CrashingProducer

    async def former_writes(self) -> None:
        with contextlib.suppress(ProduceFailed):
            await self.former.flush()

    async def start(self) -> None:
        await super().start()
        await self.former_writes()


def a_former_owner_writes_late(settings: Settings, folder: Path) -> Found:
    events = order(1, 0, 9000) + order(2, 9000, 18_000)
    send(settings, events)
    world = World(settings, 1)
    asyncio.run(world.live(Steps()))
    told = json.loads(records_of(settings.broker, settings.alerts_topic)[0].value or b"")
    # What it would say had it not heard of evidence that came meanwhile.
    stale = {**told, "alert_id": "0" * 32, "event_time": utc(DAY_S + 17_000)}

    async def succeed() -> None:
        former = CrashingProducer(settings, 0, Steps())
        await former.start()
        former.put(settings.alerts_topic, b"r", json.dumps(stale).encode(), partition=0)

        class Next(Successor):
            pass

        Next.former = former
        world.kind = Next
        await world.live(Steps())
        await former.vanish()

    asyncio.run(succeed())
    return compare(settings, world.run, written(folder, events))


# -- one event dropped -----------------------------------------------------------------------------


@contextlib.contextmanager
def one_event_dropped() -> Iterator[None]:
    decode = decode_chunk

    def dropping(raw: bytes, first: int) -> Decoded:
        decoded = decode(raw, first)
        decoded.columns.status[decoded.columns.offset == 1] = NOT_AN_EVENT
        return decoded

    with mock.patch("stream.worker.steps.judging.decode_chunk", dropping):
        yield


def a_day_is_judged(settings: Settings, folder: Path) -> Found:
    events = order(1, 0, 3600) + order(2, 6600, 13_000)
    send(settings, events)
    world = World(settings, 1)
    asyncio.run(world.live(Steps()))
    return compare(settings, world.run, written(folder, events))


# -- outputs not read back -------------------------------------------------------------------------


@contextlib.contextmanager
def outputs_not_read_back() -> Iterator[None]:
    async def nothing(*_: Any) -> PublishedOutputs:
        return PublishedOutputs()

    with mock.patch("stream.state.restore.Outputs.fold", nothing):
        yield


def late_evidence_after_a_crash_between_telling_and_checkpoint(settings: Settings, folder: Path) -> Found:
    world = World(settings, 1)
    begun = order(1, 0, 9000)
    send(settings, begun)
    asyncio.run(world.live(Steps()))
    reaching = order(2, 9000, 15_000)
    send(settings, reaching)
    life = asyncio.run(world.live(Steps("committed")))
    assert life.crashed is not None
    assert any(one.key == b"r" for one in records_of(settings.broker, settings.alerts_topic))
    # The second order never was; its limit was never reached.
    undone = order(2, 9000, 15_000, void=True)
    send(settings, undone)
    asyncio.run(world.live(Steps()))
    return compare(settings, world.run, written(folder, begun + reaching + undone))


# -- a marker that passes an alert which waits for its instant -------------------------------------


@contextlib.contextmanager
def marker_passes_what_waits() -> Iterator[None]:
    with mock.patch.object(PublishedOutputs, "waits_from", None):
        yield


def an_alert_of_a_clock_that_was_ahead_outlives_two_owners(settings: Settings, folder: Path) -> Found:
    begun = order(1, 0, 9000)
    send(settings, begun)
    world = World(settings, 1)
    asyncio.run(world.live(Steps()))
    # The open order would have reached the limit; an owner whose clock was ahead has said so.
    ahead = order(2, 9000, 15_000)
    send(settings, ahead)
    asyncio.run(world.live(Steps()))
    alert = json.loads(records_of(settings.broker, settings.alerts_topic)[-1].value or b"")
    stale = {**alert, "alert_id": "0" * 32, "event_time": utc(DAY_S + 40_000)}
    into_alerts(settings, stale)
    for _ in range(2):
        asyncio.run(world.live(Steps()))
    later = order(3, 50_000, 50_600)
    send(settings, later)
    asyncio.run(world.live(Steps()))
    return compare(settings, world.run, written(folder, begun + ahead + later))


def into_alerts(settings: Settings, alert: dict[str, Any]) -> None:
    """As an owner would have told it."""
    producer = KafkaProducer(bootstrap_servers=settings.broker)
    producer.send(settings.alerts_topic, json.dumps(alert).encode(), key=b"r", partition=0)
    producer.flush()
    producer.close()


# -- dead letters of a lost state written again ----------------------------------------------------


@contextlib.contextmanager
def dead_letters_not_read_back() -> Iterator[None]:
    async def nothing(*_: Any) -> int:
        return 0

    with mock.patch.object(restore, "written_up_to", nothing):
        yield


def the_state_is_lost(settings: Settings, folder: Path) -> Found:
    events = order(1, 0, 9000)
    send(settings, events)
    producer = KafkaProducer(bootstrap_servers=settings.broker)
    producer.send(settings.source_topic, b"{bad", partition=0)
    producer.flush()
    world = World(settings, 1)
    asyncio.run(world.live(Steps()))
    for key in {one.key for one in records_of(settings.broker, settings.state_topic)}:
        producer.send(settings.state_topic, None, key=key, partition=0)
    producer.flush()
    producer.close()
    asyncio.run(world.live(Steps()))
    return compare(settings, world.run, written(folder, events))


PLANTED = {
    "marker before pages": (crashes_while_pages_are_written, marker_before_pages),
    "claim after the end offsets": (a_former_owner_writes_late, claim_after_the_ends),
    "one event dropped": (a_day_is_judged, one_event_dropped),
    "outputs not read back": (
        late_evidence_after_a_crash_between_telling_and_checkpoint,
        outputs_not_read_back,
    ),
    "marker passes what waits": (
        an_alert_of_a_clock_that_was_ahead_outlives_two_owners,
        marker_passes_what_waits,
    ),
    "dead letters not read back": (the_state_is_lost, dead_letters_not_read_back),
}


@pytest.mark.parametrize("name", PLANTED)
def test_without_the_bug_everything_stands_as_the_evidence_says(
    settings: Settings, tmp_path: Path, name: str
) -> None:
    found = PLANTED[name][0](settings, tmp_path)
    assert found.good, found.text()
    assert not found.doubled


@pytest.mark.parametrize("name", PLANTED)
def test_with_the_bug_the_suite_sees_it(settings: Settings, tmp_path: Path, name: str) -> None:
    scenario, bug = PLANTED[name]
    with bug():
        found = scenario(settings, tmp_path)
    assert not found.good or found.doubled, f"nothing was seen of: {name}"
