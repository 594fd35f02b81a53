"""``respite feed``: recorded events into the source topic, each where its rider belongs."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO

import msgspec
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from schemas.decode import EVENT, decode_lines, murmur2
from stream.kafka.admin import KafkaUnavailable
from stream.kafka.batch_producer import LARGEST_VALUE_BYTES, BatchProducer, into_source
from stream.kafka.condition_producer import announce
from stream.kafka.topics.existing import TopicsRefused
from stream.offline.compressed import DamagedInput
from stream.offline.inputs import NoInput, named_inputs, numbered_values, open_lines, size_of
from stream.offline.recognition import ForeignInput
from stream.offline.refusals_ahead import RefusalsAhead, workers_clock
from stream.settings import Settings

READ_BYTES = 4 << 20


class Rider(msgspec.Struct):
    """What is needed of a line that is no event, to put it where its rider's events lie."""

    rider_id: str


@dataclass(slots=True)
class Fed:
    """What became of the lines.

    Parameters
    ----------
    latest_s
        The latest event time among the events, epoch seconds; None without any.
    too_large
        Places (file and line) of values that Kafka would not take.
    foreign
        What is said of files of another form, which were not read.
    refused
        Whether workers were seen that will refuse some of the events.
    announced
        How many conditions of zones were sent before the events.
    """

    lines: int = 0
    events: int = 0
    latest_s: int | None = None
    too_large: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    refused: bool = False
    announced: int = 0


class Feeder:
    """Puts each value where its rider belongs."""

    def __init__(self, bulk: BatchProducer, ahead: RefusalsAhead) -> None:
        self._bulk = bulk
        self._ahead = ahead
        self._keyless = 0
        self.fed = Fed()

    async def feed(self, values: Sequence[bytes]) -> None:
        """Send values as they are, bad ones too: to refuse them is the worker's business, and it says why."""
        decoded = decode_lines(values)
        columns, raw = decoded.columns, decoded.buf.tobytes()
        is_event = columns.status == EVENT
        homes = columns.rider_murmur % self._bulk.partitions
        self._ahead.take(columns.event_s[is_event], homes[is_event])
        places = homes.tolist()
        begins, lengths = columns.rider_off.tolist(), columns.rider_len.tolist()
        for index, accepted in enumerate(is_event.tolist()):
            begin = begins[index]
            if accepted:
                await self._bulk.put(places[index], raw[begin : begin + lengths[index]], values[index])
            else:
                await self._put_refused(values[index])
        await self._bulk.send()
        self.fed.lines += len(values)
        self.fed.events += int(np.count_nonzero(is_event))
        if is_event.any():
            latest_s = int(columns.event_s[is_event].max())
            self.fed.latest_s = latest_s if self.fed.latest_s is None else max(latest_s, self.fed.latest_s)

    async def _put_refused(self, value: bytes) -> None:
        try:
            key = msgspec.json.decode(value, type=Rider).rider_id.encode()
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            self._keyless += 1
            await self._bulk.put(self._keyless % self._bulk.partitions, None, value)
        else:
            await self._bulk.put(murmur2(key) % self._bulk.partitions, key, value)


async def beat(bulk: BatchProducer, event_s: int) -> None:
    """A heartbeat to every partition at the latest event time, so that all agree on *now*."""
    for partition in range(bulk.partitions):
        rider = rider_of(partition, bulk.partitions)
        await bulk.put(partition, rider.encode(), heartbeat(rider, event_s))


def rider_of(partition: int, partitions: int) -> str:
    """The first of ``feed-0``, ``feed-1``, … that the standard partitioner puts into a partition."""
    number = 0
    while murmur2(b"feed-%d" % number) % partitions != partition:
        number += 1
    return f"feed-{number}"


def heartbeat(rider: str, event_s: int) -> bytes:
    """The event that says: the feed is alive, and it is this late."""
    when = datetime.fromtimestamp(event_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    beat = {
        "schema": "work-state/1",
        "event_id": f"{rider}-{event_s}",
        "rider_id": rider,
        "platform": "respite",
        "event_time": when,
        "type": "heartbeat",
    }
    return msgspec.json.encode(beat)


def blocks(lines: BinaryIO) -> Iterator[list[bytes]]:
    """Lines with their ends, as many at a time as are there: a slow pipe is not waited for."""
    assert isinstance(lines, io.BufferedReader)
    rest = b""
    while block := lines.read1(READ_BYTES):
        *whole, rest = (rest + block).split(b"\n")
        if whole:
            yield [line + b"\n" for line in whole]
    if rest:
        yield [rest]


async def _feed_file(feeder: Feeder, name: str, progress: Progress) -> None:
    task = progress.add_task(name, total=size_of(name))
    first, before = 0, feeder.fed.events
    try:
        with open_lines(name) as lines:
            reading = blocks(lines)
            # In a thread: batches under way must not wait for a slow pipe.
            while (block := await asyncio.to_thread(next, reading, None)) is not None:
                values = []
                for number, value in numbered_values(block):
                    if len(value) > LARGEST_VALUE_BYTES:
                        feeder.fed.too_large.append(f"{name}:{first + number}")
                    else:
                        values.append(value)
                first += len(block)
                await feeder.feed(values)
                progress.update(task, advance=sum(map(len, block)))
    except ForeignInput as fault:
        feeder.fed.foreign.append(fault.said_by("respite feed"))
    except DamagedInput as damage:
        damage.events = feeder.fed.events - before
        raise


async def _announce_files(settings: Settings, names: Sequence[str]) -> int:
    """Announce the lines of files of conditions, as they are; how many."""
    values: list[bytes] = []
    for name in names:
        with open_lines(name) as lines:
            values += [value for _, value in numbered_values(lines) if len(value) <= LARGEST_VALUE_BYTES]
    await announce(settings, values)
    return len(values)


async def feed(settings: Settings, files: Sequence[str], conditions: Sequence[str] = ()) -> Fed:
    """Announce conditions, feed files one after the other, then the heartbeats.

    Returns when Kafka has everything.

    Raises
    ------
    TopicsRefused
        There is no source topic.
    KafkaUnavailable
        Kafka cannot be reached or refuses.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    shown = Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
    announced = await _announce_files(settings, conditions) if conditions else 0
    async with into_source(settings) as bulk:
        ahead = RefusalsAhead(await workers_clock(settings), settings.lateness)
        feeder = Feeder(bulk, ahead)
        with shown as progress:
            for name in files:
                await _feed_file(feeder, name, progress)
        if feeder.fed.latest_s is not None:
            await beat(bulk, feeder.fed.latest_s)
    for sentence in ahead.sentences(feeder.fed.events):
        _tell(sentence)
    feeder.fed.refused, feeder.fed.announced = ahead.certain, announced
    return feeder.fed


def run(settings: Settings, names: Sequence[str], conditions: Sequence[str] = ()) -> int:
    """The command ``respite feed``; the exit status."""
    try:
        files, told = named_inputs(names), named_inputs(conditions)
        fed = asyncio.run(feed(settings, files, told))
    except (NoInput, TopicsRefused, ForeignInput) as error:
        _tell(f"respite: {error}")
        return 2
    except (KafkaUnavailable, DamagedInput) as error:
        sent = "; what came before has been sent" if isinstance(error, DamagedInput) else ""
        _tell(f"respite: {error}{sent}")
        return 1
    for sentence in fed.foreign:
        _tell(sentence)
    _tell(f"fed {fed.lines} lines, {fed.events} of them events, into {settings.source_topic}")
    if fed.announced:
        _tell(f"announced {fed.announced} conditions, into {settings.zone_condition_topic}")
    for place in fed.too_large:
        _tell(f"{place}: too_large: Kafka takes no value above {LARGEST_VALUE_BYTES} bytes; not sent")
    if fed.lines > fed.events:
        _tell(
            f"{fed.lines - fed.events} lines are no events: the workers refuse them, with the reason, into "
            f"{settings.dead_letter_topic}; `respite replay` says what is wrong with each"
        )
    return 3 if fed.too_large or fed.foreign or fed.refused else 0


def _tell(text: str) -> None:
    sys.stderr.write(text + "\n")
