"""One rider as values to be shown: status, stretches of the clocks, what each limit says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.kernels.layout import codes, row as Row, state as State
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.layout.values import I64, NONE, PAST
from detectors.kernels.reading.columns import (
    D_AMOUNT,
    D_COUNTED,
    D_FIRED,
    D_HOLD_FROM,
    D_HOLD_UNTIL,
    D_IN_FORCE,
    D_RESUME,
    D_START,
    DESCRIPTION_WORDS,
    Shared,
)
from detectors.kernels.reading.description import describe
from detectors.kernels.verdicts.status import status_of
from detectors.verdicts import STATUSES


@dataclass(frozen=True, slots=True)
class Stretch:
    """A half-open stretch in which a clock ran, epoch seconds; ``end_s`` is None while it is open."""

    start_s: int
    end_s: int | None
    by_maximum: bool = False


@dataclass(frozen=True, slots=True)
class LimitView:
    """What one limit says of a rider; ``index`` is that of the limit table.

    ``start_s`` is where counting began: of the episode or the window; None where no episode is under way.
    ``resume_s`` is when the limit would count anew after a rest from now on; None where that is not known.
    ``in_force``: whether the limit's policy is.
    """

    index: int
    counted_s: int
    amount_s: int
    left_s: int
    start_s: int | None
    reached: bool
    hold_from_s: int | None
    hold_until_s: int | None
    resume_s: int | None
    in_force: bool = True


@dataclass(frozen=True, slots=True)
class RiderView:
    """One rider at ``now_s``; ``zone`` is the number of his zone, `NONE` where he has none."""

    now_s: int
    status: str
    orders_in_hand: int
    last_event_s: int
    limits: tuple[LimitView, ...]
    stretches: dict[str, tuple[Stretch, ...]]
    zone: int


def view_of(mem: Memory, packed: Limits, now_s: int) -> RiderView:
    """The rider of the first row, who is at ``now_s``."""
    out = np.zeros((len(packed.kind), DESCRIPTION_WORDS), dtype=np.int64)
    describe(mem, packed, now_s, out)
    views = tuple(
        LimitView(
            index=index,
            counted_s=int(line[D_COUNTED]),
            amount_s=int(line[D_AMOUNT]),
            left_s=max(0, int(line[D_AMOUNT]) - int(line[D_COUNTED])),
            start_s=int(line[D_START]) if PAST < line[D_START] < now_s else None,
            reached=bool(line[D_FIRED]),
            hold_from_s=_known(line[D_HOLD_FROM]),
            hold_until_s=_known(line[D_HOLD_UNTIL]),
            resume_s=_known(line[D_RESUME]),
            in_force=bool(line[D_IN_FORCE]),
        )
        for index, line in enumerate(out)
    )
    code = status_of(mem.state, packed, now_s).code
    return RiderView(
        now_s=now_s,
        status=STATUSES[code],
        orders_in_hand=int(mem.state[State.ORDERS]),
        last_event_s=int(mem.rows[0, Row.LAST_EVENT]),
        limits=views,
        stretches={
            clock: _stretches(mem, number) for number, clock in enumerate(codes.CLOCKS) if packed.kept[number]
        },
        zone=int(mem.state[State.ZONE]),
    )


def clocks_running(shared: Shared, count: int, limits: int) -> I64:
    """Of the riders of the first rows, by clock, 1 where it ran when they were judged; (count, clocks)."""
    head = Row.head_for(limits)
    words = [head + State.clock_at(clock) + State.CLOCK_RUN for clock in range(codes.CLOCK_COUNT)]
    running: I64 = shared.rows[:count][:, words]
    return running


def _known(word: np.int64) -> int | None:
    return None if word == NONE else int(word)


def _stretches(mem: Memory, clock: int) -> tuple[Stretch, ...]:
    base = State.CLOCKS + clock * State.CLOCK_WORDS
    block, count = int(mem.rows[0, Row.SPANS + clock]), int(mem.state[base + State.CLOCK_SPANS])
    words = mem.heap[block : block + count * State.SPAN_WORDS].reshape(count, State.SPAN_WORDS).tolist()
    found = [Stretch(start, end >> 1, by_maximum=bool(end & 1)) for start, end, _ in words]
    if mem.state[base + State.CLOCK_RUN] == 1:
        found.append(Stretch(int(mem.state[base + State.CLOCK_EDGE]), None))
    return tuple(found)
