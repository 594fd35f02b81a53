"""``respite simulate``: the city's events into Kafka or a file, as fast as it goes or at a pace."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Literal, NamedTuple, Protocol, get_args

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from schemas.decode import murmur2
from stream.kafka.admin import KafkaUnavailable
from stream.kafka.batch_producer import BatchProducer, into_source
from stream.kafka.condition_producer import announce
from stream.kafka.topics.existing import TopicsRefused
from stream.offline.feed import beat
from stream.offline.outputs import OutputRefused, check_outputs, written_packed
from stream.settings import Settings
from stream.simulation.city import LONG_SHARE, SEVERAL_SHARE, City, profiles, slices
from stream.simulation.events import PLATFORMS, EventColumns, Floats, lines, rider_id
from stream.simulation.faults import Impairments, broken, impair
from stream.simulation.heat_wave import announcements

Placement = Literal["standard", "mixed"]
DAY_S = 86_400
_SLOT_S = 0.01
#: In place of a file's name: what is announced goes to its topic.
_TOPIC = "topic"
#: A thread that makes the next messages lets the sending one in after this, seconds.
_SWITCH_S = 0.001
_MURMUR2, _CRC32, _KEYLESS = range(3)
#: How the producers of each platform choose a partition when they are not all alike.
_PLACEMENTS = dict(zip(PLATFORMS, (_MURMUR2, _CRC32, _KEYLESS), strict=True))


class InvalidSimulation(ValueError):
    """What was asked for cannot be simulated; the message says why."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """What to simulate.

    Parameters
    ----------
    days
        How long, of event time; the default lies within the allowed lateness.
    start_s
        Epoch seconds of the first event; None: such that the last one happens when it is sent.
    rate
        Events per second of real time; None: as ``speed`` says.
    speed
        Seconds of event time per second of real time; None: as fast as it goes.
    placement
        ``standard``: every producer uses Kafka's standard partitioner. ``mixed``: meituan's do, eleme's are
        librdkafka (CRC32), and jd's forget the key.
    to
        A file (``.gz`` and ``.zst`` are compressed, ``-`` is standard output) in place of Kafka.
    happens_now
        At a rate: every event happens when it is sent (what is late, as much earlier), for workers on the
        wall clock; orders are then shorter than a city's by as much as the rate is higher.
    honour
        By platform, the share of orders for riders on hold that it gives to others; without one it asks not.
    heat
        Where the conditions of a heat wave go: a file, or ``topic`` for their topic. None: it stays cool.
    """

    seed: int = 1
    riders: int = 1000
    days: float = 0.9
    start_s: int | None = None
    rate: float | None = None
    speed: float | None = None
    long: float = LONG_SHARE
    several: float = SEVERAL_SHARE
    impairments: Impairments = field(default_factory=Impairments)
    placement: Placement = "mixed"
    to: str | None = None
    happens_now: bool = False
    honour: Mapping[str, float] = field(default_factory=dict)
    heat: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be, all faults at once."""
        faults = [
            f"{name}={getattr(self, name)}: must be above zero"
            for name in ("riders", "days", "rate", "speed")
            if getattr(self, name) is not None and getattr(self, name) <= 0
        ]
        faults += [
            f"{name}={getattr(self, name)}: a share lies between 0 and 1"
            for name in ("long", "several")
            if not 0 <= getattr(self, name) <= 1
        ]
        if self.placement not in get_args(Placement):
            faults.append(f"placement={self.placement}: must be one of {', '.join(get_args(Placement))}")
        if self.riders > 1 << 24:
            faults.append(f"riders={self.riders}: at most {1 << 24}")
        if self.rate is not None and self.speed is not None:
            faults.append("rate and speed: name one of them, the other follows")
        if faults:
            raise InvalidSimulation("; ".join(faults))

    @property
    def is_paced(self) -> bool:
        """Whether messages wait for their time."""
        return self.rate is not None or self.speed is not None

    def city(self, now_s: float) -> City:
        """The city, with the beginning that ``now_s`` (epoch seconds) asks for."""
        duration_s = max(1, round(self.days * DAY_S))
        start_s = self.start_s
        if start_s is None:
            takes_s = duration_s / self.speed if self.speed else 0.0
            start_s = int(now_s + min(takes_s, duration_s)) - duration_s
        return City(self.seed, self.riders, start_s, duration_s, self.long, self.several)


class Message(NamedTuple):
    """One message, with what a producer knows of it."""

    value: bytes
    rider: int
    platform: int


class SendBatch(NamedTuple):
    """Messages of a few minutes of the city; ``due_s`` is seconds from the beginning, one for each."""

    messages: list[Message]
    due_s: Floats
    latest_s: int | None


class Sink(Protocol):
    """Where messages go."""

    async def put(self, messages: Sequence[Message]) -> None:
        """Take messages."""

    async def flush(self) -> None:
        """Let them go."""


def _slices(simulation: Simulation, city: City, settings: Settings) -> Iterator[EventColumns]:
    """The city's events, with what its platforms assign."""
    if not any(simulation.honour.values()):
        return slices(city)
    # Here, for it loads the engine.
    from stream.simulation.dispatch import Dispatch

    return slices(city, Dispatch(city, simulation.honour, settings).assign)


def send_batches(simulation: Simulation, city: City, settings: Settings | None = None) -> Iterator[SendBatch]:
    """The messages in the order of sending; platforms ask by the policies of ``settings``."""
    zones = profiles(city).zone
    sent = 0
    begun_s = time.time()
    happening = _slices(simulation, city, settings or Settings())
    for happened in impair(happening, city.seed, simulation.impairments):
        due_s = _due_s(simulation, city, happened, sent)
        if simulation.happens_now:
            late_s = happened.arrival_s - happened.at_s
            happened = happened._replace(at_s=(begun_s + due_s - late_s).astype(np.int64))
        values = lines(happened, zones)
        faulty = np.flatnonzero(happened.fault)
        for index, fault in zip(faulty.tolist(), happened.fault[faulty].tolist(), strict=True):
            values[index] = broken(values[index], fault)
        messages = list(map(Message, values, happened.rider.tolist(), happened.platform.tolist()))
        latest_s = int(happened.at_s.max()) if happened.size else None
        yield SendBatch(messages, due_s, latest_s)
        sent += happened.size


def _due_s(simulation: Simulation, city: City, happened: EventColumns, sent: int) -> Floats:
    if simulation.rate:
        return (sent + np.arange(happened.size, dtype=np.float64)) / simulation.rate
    if simulation.speed:
        # The city's day ends it: what is late then comes at once.
        passed_s = np.minimum(happened.arrival_s - city.start_s, city.duration_s)
        return np.asarray(passed_s / simulation.speed, np.float64)
    return np.zeros(happened.size)


class Producers:
    """The platforms' producers, each with its own idea of where a rider belongs."""

    def __init__(self, bulk: BatchProducer, placement: Placement) -> None:
        self._bulk = bulk
        self._ways = [_PLACEMENTS[name] if placement == "mixed" else _MURMUR2 for name in PLATFORMS]
        self._places: dict[int, tuple[bytes, int, int]] = {}
        self._keyless = 0

    async def put(self, messages: Sequence[Message]) -> None:
        """Send messages as their platforms would."""
        bulk = self._bulk
        for value, rider, platform in messages:
            way = self._ways[platform]
            if way == _KEYLESS:
                self._keyless += 1
                await bulk.put(self._keyless % bulk.partitions, None, value)
                continue
            key, standard, other = self._places.get(rider) or self._look_up(rider)
            await bulk.put(standard if way == _MURMUR2 else other, key, value)

    async def flush(self) -> None:
        """Let batches go, full or not."""
        await self._bulk.send()

    def _look_up(self, rider: int) -> tuple[bytes, int, int]:
        key = rider_id(rider)
        found = (key, murmur2(key) % self._bulk.partitions, zlib.crc32(key) % self._bulk.partitions)
        self._places[rider] = found
        return found


class File:
    """A file of lines."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    async def put(self, messages: Sequence[Message]) -> None:
        """Write messages."""
        self._out.write(b"".join(message.value + b"\n" for message in messages))

    async def flush(self) -> None:
        """Hand on what has been written."""
        self._out.flush()


async def _send(sink: Sink, simulation: Simulation, city: City, settings: Settings) -> tuple[int, int | None]:
    """Send everything when it is due; the number of messages and the latest event time."""
    sent, latest_s = 0, None
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    shown = Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
    batches = send_batches(simulation, city, settings)
    # The first is made before the schedule begins, and every other one while the one before it is sent.
    made = await asyncio.to_thread(next, batches, None)
    with shown as bar:
        task = bar.add_task("simulating", total=city.duration_s)
        began_s = time.monotonic()
        while made is not None:
            messages, due_s, helping_s = made
            following = asyncio.ensure_future(asyncio.to_thread(next, batches, None))
            await _send_one(sink, messages, due_s, began_s if simulation.is_paced else None)
            sent += len(messages)
            if helping_s is not None:
                latest_s = max(helping_s, latest_s or helping_s)
                bar.update(task, completed=latest_s - city.start_s, description=f"simulating, {sent} events")
            made = await following
    return sent, latest_s


async def _send_one(sink: Sink, messages: Sequence[Message], due_s: Floats, began_s: float | None) -> None:
    """Send messages, each in the slot in which it is due; all at once without a beginning."""
    if began_s is None:
        await sink.put(messages)
        return
    at = 0
    while at < len(messages):
        slot = int((time.monotonic() - began_s) / _SLOT_S)
        end = int(np.searchsorted(due_s, slot * _SLOT_S, side="right"))
        if end > at:
            await sink.put(messages[at:end])
            await sink.flush()
            at = end
        await asyncio.sleep(max(0.0, (slot + 1) * _SLOT_S - (time.monotonic() - began_s)))


async def _to_kafka(settings: Settings, simulation: Simulation, city: City) -> int:
    async with into_source(settings) as bulk:
        sent, latest_s = await _send(Producers(bulk, simulation.placement), simulation, city, settings)
        if latest_s is not None:
            await beat(bulk, latest_s)
    return sent


async def _to_file(settings: Settings, name: str, simulation: Simulation, city: City) -> int:
    with written_packed(name) as out:
        return (await _send(File(out), simulation, city, settings))[0]


def _for_the_clock(settings: Settings, simulation: Simulation, city: City) -> Simulation:
    """On the wall clock: at a rate, what happens now; of what lies in the past, what that means."""
    if settings.clock != "wall":
        return simulation
    if simulation.rate is not None and simulation.start_s is None:
        return dataclasses.replace(simulation, happens_now=True)
    if city.start_s < time.time() - settings.lateness:
        _tell(
            "the first events are older than the allowed lateness: workers on the wall clock refuse them "
            "as too_late; start the workers with --clock event (RESPITE_CLOCK=event)"
        )
    elif simulation.speed is not None and simulation.speed > 1:
        _tell(
            "faster than the wall clock, events lie in the past when they are sent: workers on it "
            "take back what they have told of open orders; start the workers with --clock event"
        )
    return simulation


def run(settings: Settings, simulation: Simulation) -> int:
    """The command ``respite simulate``; the exit status."""
    city = simulation.city(time.time())
    values = [] if simulation.heat is None else list(announcements(city))
    sys.setswitchinterval(_SWITCH_S)
    try:
        to_file = None if simulation.heat == _TOPIC else simulation.heat
        check_outputs({"--to": simulation.to, "--heat": to_file}, [])
        if to_file is not None:
            with written_packed(to_file) as out:
                out.writelines(value + b"\n" for value in values)
        elif values:
            asyncio.run(announce(settings, values))
        if simulation.to is not None:
            sent = asyncio.run(_to_file(settings, simulation.to, simulation, city))
        else:
            simulation = _for_the_clock(settings, simulation, city)
            sent = asyncio.run(_to_kafka(settings, simulation, city))
    except (TopicsRefused, OutputRefused) as error:
        _tell(f"respite: {error}")
        return 2
    except KafkaUnavailable as error:
        _tell(f"respite: {error}")
        return 1
    _tell(f"sent {sent} events of {simulation.riders} riders to {simulation.to or settings.source_topic}")
    return 0


def _tell(text: str) -> None:
    sys.stderr.write(text + "\n")
