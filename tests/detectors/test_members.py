"""Whose own a rider is, and since when, against the definition counted out (CONTRACT 2)."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from detectors import pages
from detectors.kernels.evidence.arrivals import Place
from detectors.kernels.layout import misc as Misc
from detectors.kernels.layout.values import INF, NONE
from detectors.kernels.reading.columns import Asker
from detectors.limits import Limit, LimitTable
from detectors.reading import Reader, blank_asked, shared_of
from detectors.settings import StoreSettings
from detectors.store import RiderStore
from schemas.decode import decode_lines, rider_hash
from schemas.decode.hashing import hash_ids
from schemas.instants import parse_instant
from stream.columns import arrivals_of
from stream.output.alert_json import utc
from stream.policies.calendars import window_starts

BEGIN_S = parse_instant("2026-11-02T08:00:00+08:00")
DAY_S = 86_400
ORDERS = ("order_accepted", "order_picked_up", "order_delivered", "order_cancelled")
TYPES = (*ORDERS, "online", "offline", "break_started", "break_ended", "heartbeat")
PLATFORMS = ("A", "B", "C")
RIDERS = ("r0", "r1", "r2", "r3")
SETTINGS = StoreSettings(seal_events=2)
LIMIT = Limit("p@1", "l", "continuous", "order", 14_400, "UTC", "hold", "rest", reset_s=1200)


@dataclass(frozen=True)
class Event:
    """What the definition needs of an event."""

    rider: str
    platform: str
    kind: str
    order: str
    at_s: int
    void: bool


def own_since(events: set[Event], rider: str, platform: str, now_s: int) -> int | None:
    """Since when a rider is a platform's own, by the events that are not heartbeats and not taken back."""
    taken = {(one.rider, one.platform, one.kind, one.order, one.at_s) for one in events if one.void}
    times = sorted(
        {
            one.at_s
            for one in events
            if (one.rider, one.platform) == (rider, platform)
            and one.kind != "heartbeat"
            and not one.void
            and (rider, platform, one.kind, one.order, one.at_s) not in taken
        }
    )
    if not times or times[-1] < now_s - SETTINGS.keep_s:
        return None
    first = times[-1]
    for at_s in reversed(times):
        if first - at_s > SETTINGS.keep_s:
            break
        first = at_s
    return first


class Partition:
    """A store that is fed, and a reader beside it."""

    def __init__(self) -> None:
        table = LimitTable([LIMIT], window_starts)
        self.store = RiderStore(table, SETTINGS)
        self.reader = Reader(table, SETTINGS)
        self.accepted: set[Event] = set()

    def feed(self, events: list[Event], now_s: int) -> None:
        """Feed events that arrive at ``now_s``."""
        lines = [json.dumps(written(one, number)).encode() for number, one in enumerate(events)]
        columns = arrivals_of(decode_lines(lines))
        columns.arrival_ms[:] = now_s * 1000
        codes = self.store.ingest(columns, Place(0, 1, 0, 1)).tolist()
        self.accepted |= {one for one, code in zip(events, codes, strict=True) if code in (0, 1)}
        self.store.judge(now_s)

    def members(self, rider: str, at_s: int) -> list[str]:
        row = pages.find(self.store, rider.encode(), rider_hash(rider.encode()))
        since_s = self.store.now_s - SETTINGS.keep_s
        return [] if row is None else sorted(pages.members(self.store, row, since_s, at_s))

    def claimed_since(self, rider: str, platform: str) -> int | None:
        """As the API asks, in the platform's own index."""
        asked = blank_asked(np.frombuffer(rider.encode(), dtype=np.uint8), 1)
        asked.length[:] = len(rider)
        hash_ids(asked.buf, asked.off, asked.length, asked.hash, np.zeros(1, dtype=np.int64))
        names = pages.names(self.store)[0]
        number = names.index(platform) if platform in names else NONE
        asker = Asker(number, self.store.now_s - SETTINGS.keep_s)
        return self.reader.claimed_since(shared_of(self.store.memory), asked, asker)


def written(one: Event, number: int) -> dict[str, Any]:
    made = {
        "schema": "work-state/1", "event_id": f"e{number}", "rider_id": one.rider, "platform": one.platform,
        "event_time": utc(one.at_s), "type": one.kind, "order_id": one.order,
    }  # fmt: skip
    return {**made, "void": True} if one.void else made


def history(seed: int) -> list[tuple[int, list[Event]]]:
    """Batches with the time of their arrival: late ones, and taken back or with pauses longer than `keep`.

    Not both: of what is sealed a store knows the first claim and bounds for the last, not each of them.
    """
    dice = random.Random(seed)
    voids = seed % 3 == 0
    pauses = (60, 3600, DAY_S) if voids else (60, 3600, DAY_S, 16 * DAY_S)
    now_s = BEGIN_S
    batches: list[tuple[int, list[Event]]] = []
    sent: list[Event] = []
    for _ in range(30):
        now_s += dice.choice(pauses) if dice.random() < 0.5 else 600
        some: list[Event] = []
        for _ in range(dice.randrange(1, 6)):
            recent = [one for one in sent[-12:] if not one.void]
            if voids and recent and dice.random() < 0.25:
                again = dice.choice(recent)
                some.append(
                    Event(again.rider, again.platform, again.kind, again.order, again.at_s, void=True)
                )
                continue
            kind = dice.choice(TYPES)
            order = f"o{dice.randrange(3)}" if kind in ORDERS else ""
            at_s = now_s - dice.choice((0, 5, 600, 20_000))
            early = voids and dice.random() < 0.05
            some.append(Event(dice.choice(RIDERS), dice.choice(PLATFORMS), kind, order or "x", at_s, early))
        sent += some
        batches.append((now_s, some))
    return batches


@pytest.mark.parametrize("seed", range(40))
def test_a_rider_is_a_platforms_own_from_its_first_event_but_a_heartbeat_on(seed: int) -> None:
    partition = Partition()
    for now_s, some in history(seed):
        partition.feed(some, now_s)
        for rider in RIDERS:
            since = {one: own_since(partition.accepted, rider, one, now_s) for one in PLATFORMS}
            for platform, first_s in since.items():
                assert partition.claimed_since(rider, platform) == first_s, (rider, platform, now_s)
            for at_s in {now_s, *(one + step for one in since.values() if one for step in (-1, 0))}:
                wanted = [one for one, first in since.items() if first is not None and first <= at_s]
                assert partition.members(rider, at_s) == wanted
        if seed % 2:
            pages.forget_silent_platforms(partition.store)
            pages.forget_silent(partition.store, 0)
            partition = moved(partition) if seed % 4 == 3 else partition
    assert partition.store.memory.misc[Misc.OWN] == np.count_nonzero(partition.store.memory.own)


def moved(partition: Partition) -> Partition:
    """The same after its pages were packed and taken in by another."""
    other = Partition()
    other.accepted = partition.accepted
    pages.restore_names(other.store, *pages.names(partition.store))
    numbers = np.flatnonzero(partition.store.memory.page_head)
    for page in numbers.tolist():
        pages.unpack(other.store, pages.pack(partition.store, page))
    other.store.now_s, other.store.read_s = partition.store.now_s, partition.store.read_s
    return other


def test_entries_of_own_riders_stand_where_they_are_looked_for_however_many_come_and_go() -> None:
    """Against a set of pairs: entered, taken out in any order, moved to other rows, the table grown."""
    dice = random.Random(7)
    partition = Partition()
    now_s = BEGIN_S
    for turn in range(12):
        now_s += 6 * DAY_S
        riders = [f"x{dice.randrange(400)}" for _ in range(300)]
        come = [Event(one, dice.choice(PLATFORMS), "online", "x", now_s, void=False) for one in riders]
        partition.feed(come, now_s)
        pages.forget_silent_platforms(partition.store)
        pages.forget_silent(partition.store, 0)
        if turn % 3 == 0:
            pages.erase(partition.store, riders[0].encode(), rider_hash(riders[0].encode()), now_s * 1000)
        for rider in (f"x{n}" for n in range(0, 400, 7)):
            claimed = [one for one in PLATFORMS if partition.claimed_since(rider, one) is not None]
            assert claimed == partition.members(rider, INF), rider
