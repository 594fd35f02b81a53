"""Reading beside a writer: a rider is seen whole or not at all."""

from __future__ import annotations

import json
import random
import threading
import time
from typing import Any

import numpy as np
import pytest

from detectors import pages
from detectors.kernels.evidence.arrivals import Place
from detectors.kernels.layout import event as Event, misc as Misc, row as Row
from detectors.kernels.reading.columns import A_KNOWN, A_VERDICT, PASSES, UNSURE, Shared
from detectors.limits import Limit, LimitTable
from detectors.reading import Busy, Reader, shared_of
from detectors.settings import StoreSettings
from detectors.store import RiderStore
from schemas.decode import decode_lines
from stream.columns import arrivals_of
from stream.output.alert_json import utc
from stream.policies.calendars import window_starts
from tests.detectors.test_reading import asked_of

BEGIN_S = 1_790_000_000
RIDERS = 8
WORK_S, REST_S = 50, 10
CYCLES = 600
END_S = BEGIN_S + CYCLES * (WORK_S + REST_S)
LOOKS = 2000
COMPILING_S = 600
DEADLINE_S = 60.0
SHIFTED_S = 5.0


def table() -> LimitTable:
    limits = [
        Limit("p@1", "c", "continuous", "order", 100_000, "UTC", "hold", "rest", reset_s=86_400),
        Limit("p@1", "r", "rolling", "order", 80_000, "UTC", "remind", window_s=86_400),
    ]
    return LimitTable(limits, window_starts)


def events(cycle: int, riders: range = range(RIDERS)) -> list[bytes]:
    """Every rider accepts an order, which ends by its maximum: one event, so that a state has it or not."""
    found = []
    for rider in riders:
        event = {
            "schema": "work-state/1", "event_id": f"e-{cycle}", "rider_id": f"r{rider}", "platform": "A",
            "event_time": utc(BEGIN_S + cycle * (WORK_S + REST_S)), "type": "order_accepted",
            "order_id": f"o{cycle}",
        }  # fmt: skip
        found.append(json.dumps(event).encode())
    return found


def take(store: RiderStore, values: list[bytes]) -> None:
    store.ingest(arrivals_of(decode_lines(values)), Place(0, 1, 1, 0))


class Writer(threading.Thread):
    """Judges a rider's cycles in disorder, so that each time he is judged from the start."""

    def __init__(self, store: RiderStore) -> None:
        super().__init__()
        self._store = store
        self.stopping = threading.Event()
        self.rider = 0

    def run(self) -> None:
        rng = random.Random(1)
        while not self.stopping.is_set():
            order = list(range(CYCLES))
            rng.shuffle(order)
            for cycle in order:
                take(self._store, events(cycle, range(self.rider, self.rider + 1)))
                self._store.judge(END_S)
                if self.stopping.is_set():
                    return
            self.rider += 1


def test_a_reader_sees_every_rider_whole_while_he_is_being_judged() -> None:
    store = RiderStore(table(), StoreSettings(seal_events=16, max_open_order_s=WORK_S))
    reader = Reader(store.limits, store.settings)
    writer = Writer(store)
    writer.start()
    looks = 0
    seen: set[tuple[int, int]] = set()
    # On a new machine the kernels are compiled first, which takes minutes.
    deadline = time.monotonic() + COMPILING_S
    try:
        while (looks < LOOKS or len(seen) < LOOKS // 4) and time.monotonic() < deadline:
            if looks == 1:
                deadline = time.monotonic() + DEADLINE_S
            memory, rider = store.memory, writer.rider
            asked = asked_of([f"r{rider}"], [60])
            try:
                view = reader.rider(shared_of(memory), END_S, asked)
            except Busy:
                continue
            if view is None or store.memory is not memory:
                # What was read from arrays that have grown is thrown away, as `stream.state.shm_writer` does.
                continue
            stretches = view.stretches["order"]
            starts = [one.start_s for one in stretches]
            assert [one.end_s for one in stretches] == [start + WORK_S for start in starts]
            assert starts == sorted(set(starts))
            assert all((start - BEGIN_S) % (WORK_S + REST_S) == 0 for start in starts)
            assert view.limits[0].counted_s == WORK_S * len(starts)
            looks += 1
            seen.add((rider, len(starts)))
    finally:
        writer.stopping.set()
        writer.join()
    assert looks >= LOOKS
    assert len(seen) >= LOOKS // 4, "the writer did not write while riders were read"
    assert not (store.memory.seq & 1).any()


class Shifter(threading.Thread):
    """Moves all events of a rider a cycle on, again and again, as a writer that changes his row does."""

    def __init__(self, store: RiderStore) -> None:
        super().__init__()
        self._store = store
        self.stopping = threading.Event()

    def run(self) -> None:
        mem = self._store.memory
        block, count = mem.rows[0, Row.EVENTS], mem.rows[0, Row.EVENTS_N]
        times = mem.heap[block : block + count * Event.WORDS].reshape(count, Event.WORDS)[:, Event.AT]
        # Between two changes there is time for a look; without it no copy would ever be whole.
        while not self.stopping.wait(0.0002):
            for step in (WORK_S + REST_S, -WORK_S - REST_S):
                mem.seq[0] += 1
                # One by one, so that a look may well fall between two of them.
                for index in range(count):
                    times[index] += step
                mem.seq[0] += 1


def torn_looks(store: RiderStore, shared: Shared, enough: int) -> tuple[int, int]:
    """Looks at the rider while he is shifted, until so many were torn or the time is over: torn, all."""
    reader = Reader(store.limits, store.settings)
    # On a new machine the kernels are compiled first, which takes minutes.
    reader.rider(shared, END_S + 3600, asked_of(["r0"], [60]))
    shifter = Shifter(store)
    shifter.start()
    torn = looks = 0
    deadline = time.monotonic() + SHIFTED_S
    try:
        while torn < enough and time.monotonic() < deadline:
            try:
                view = reader.rider(shared, END_S + 3600, asked_of(["r0"], [60]))
            except Busy:
                continue
            assert view is not None
            looks += 1
            starts = [one.start_s for one in view.stretches["order"]]
            torn += starts != list(range(starts[0], starts[0] + CYCLES * (WORK_S + REST_S), WORK_S + REST_S))
    finally:
        shifter.stopping.set()
        shifter.join()
    return torn, looks


def test_copies_are_whole_while_a_rider_is_shifted_word_by_word() -> None:
    store = RiderStore(table(), StoreSettings(seal_events=0, max_open_order_s=WORK_S))
    for cycle in range(CYCLES):
        take(store, events(cycle, range(1)))
    store.memory.rows[0, Row.FLAGS] |= Row.FLAG_DIRTY  # his state is what his events say
    shared = shared_of(store.memory)
    torn, looks = torn_looks(store, shared, 1)
    assert looks > 0
    assert torn == 0


def test_riders_are_found_after_others_have_been_forgotten() -> None:
    store = RiderStore(table(), StoreSettings(lateness_s=600, seal_events=4, keep_s=86_400))
    take(store, events(0, range(500)))
    store.judge(BEGIN_S + WORK_S)
    take(store, events(1440, range(0, 500, 3)))
    store.judge(BEGIN_S + 86_400 + 300)
    before = store.memory.misc[Misc.MOVES]
    told = pages.forget_silent(store, 0)
    assert len(told) == 500 - len(range(0, 500, 3))
    assert store.memory.misc[Misc.MOVES] == before + 2 * len(told)
    asked = asked_of([f"r{rider}" for rider in range(500)], [60] * 500)
    Reader(store.limits, store.settings).answer(shared_of(store.memory), store.now_s, asked, np.arange(500))
    assert [bool(known) for known in asked.answers[:, A_KNOWN]] == [rider % 3 == 0 for rider in range(500)]
    assert not (asked.answers[:, A_VERDICT] == UNSURE).any()


@pytest.mark.parametrize("what", ["rider", "moves"])
def test_what_is_being_changed_is_not_answered(what: str) -> None:
    store = RiderStore(table(), StoreSettings())
    take(store, events(0))
    store.judge(BEGIN_S + WORK_S)
    array: Any = store.memory.seq if what == "rider" else store.memory.misc
    array[0 if what == "rider" else Misc.MOVES] += 1
    asked = asked_of(["r0", "r1", "nobody"], [60] * 3)
    Reader(store.limits, store.settings).answer(shared_of(store.memory), store.now_s, asked, np.arange(3))
    unsure = (asked.answers[:, A_VERDICT] == UNSURE).tolist()
    # A rider who is not found may just have been moved.
    assert unsure == ([True, False, False] if what == "rider" else [False, False, True])


def test_nothing_is_said_from_arrays_that_have_been_replaced() -> None:
    store = RiderStore(table(), StoreSettings())
    take(store, events(0))
    store.judge(BEGIN_S + WORK_S)
    turns = np.array([2])
    seen = turns.view()
    seen.flags.writeable = False
    shared = shared_of(store.memory)._replace(turn=seen, at_turn=2)
    reader = Reader(store.limits, store.settings)
    riders = [f"r{rider}" for rider in range(RIDERS)]
    asked = asked_of(riders, [10] * RIDERS)
    reader.answer(shared, store.now_s, asked, np.arange(RIDERS))
    assert set(asked.answers[:, A_VERDICT].tolist()) == {PASSES}
    # Its rows now name blocks that lie elsewhere: what is read by them here is no rider, and may never end.
    store.memory.rows[:RIDERS, Row.EVENTS] = 8
    store.memory.rows[:RIDERS, Row.FLAGS] |= Row.FLAG_DIRTY
    store.memory.briefs[:] = 0
    turns[0] = 4
    asked = asked_of(riders, [10] * RIDERS)
    reader.answer(shared, store.now_s, asked, np.arange(RIDERS))
    assert set(asked.answers[:, A_VERDICT].tolist()) == {UNSURE}
    with pytest.raises(Busy):
        reader.rider(shared, store.now_s, asked_of(["r0"], [10]))


def test_a_reader_cannot_write() -> None:
    store = RiderStore(table(), StoreSettings())
    shared = shared_of(store.memory)
    with pytest.raises(ValueError, match="read-only"):
        shared.rows[0, 0] = 1
