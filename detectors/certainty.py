"""What limits would say of a rider if everything uncertain had not been: the reading that is best for him.

Uncertain are orders and sessions that are open still, or that a maximum has ended: of these nobody has said
when they ended. They are taken out of a copy of the rider's evidence, and the same transition function judges
what is left. What is sealed lies in merged spans; where one of these is uncertain nothing can be taken out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from detectors.kernels.layout import event as Event, open as Open, row as Row, state as State
from detectors.kernels.layout.arrays import Limits, Memory, Rules
from detectors.kernels.layout.codes import (
    ACCEPTED,
    CANCELLED,
    CLOCKS,
    DELIVERED,
    OFFLINE,
    ONLINE,
    PICKED_UP,
)
from detectors.kernels.layout.values import I64

_ENDS = frozenset({DELIVERED, CANCELLED})
#: Clocks that duty status runs: what of it is uncertain is not taken out.
_OF_DUTY = frozenset({"driving", "duty"})
_BEGINS = frozenset({ACCEPTED, PICKED_UP})


@dataclass(frozen=True, slots=True)
class Happened:
    """An event that has not been taken back."""

    at_s: int
    key: int
    kind: int


@dataclass(frozen=True, slots=True)
class Piece:
    """An order in hand or a session, ``sure`` where an event has ended it; half-open, epoch seconds."""

    key: int
    start_s: int
    end_s: int
    sure: bool


def order_pieces(key: int, events: Sequence[Happened], most_s: int, begun_s: int | None) -> Iterator[Piece]:
    """The stretches in which one order was in hand (CONTRACT 4.2, 4.4).

    Parameters
    ----------
    events
        Of the order, by time.
    begun_s
        Since when it is in hand before the first of them; None when it is not.
    """
    start_s, ever = begun_s, begun_s is not None
    for at_s, kinds in _by_second(events):
        ends = bool(kinds & _ENDS)
        if start_s is not None and (at_s > start_s + most_s or (at_s == start_s + most_s and not ends)):
            yield Piece(key, start_s, start_s + most_s, sure=False)
            start_s = None
        if start_s is not None and ends:
            yield Piece(key, start_s, at_s, sure=True)
            start_s = at_s if ACCEPTED in kinds else None
        elif start_s is None and (ACCEPTED in kinds or (PICKED_UP in kinds and not ever)):
            ever = True
            start_s = None if ends else at_s
    if start_s is not None:
        yield Piece(key, start_s, start_s + most_s, sure=False)


def session_pieces(key: int, events: Sequence[Happened], most_s: int, begun_s: int | None) -> Iterator[Piece]:
    """The sessions of one platform (CONTRACT 4.3, 4.4); see `order_pieces`."""
    start_s = begun_s
    for at_s, kinds in _by_second(events):
        ends = OFFLINE in kinds
        if start_s is not None and (at_s > start_s + most_s or (at_s == start_s + most_s and not ends)):
            yield Piece(key, start_s, start_s + most_s, sure=False)
            start_s = None
        if start_s is not None and ends:
            yield Piece(key, start_s, at_s, sure=True)
            start_s = None
        if start_s is None and ONLINE in kinds:
            start_s = at_s
    if start_s is not None:
        yield Piece(key, start_s, start_s + most_s, sure=False)


def _by_second(events: Sequence[Happened]) -> Iterator[tuple[int, set[int]]]:
    found: dict[int, set[int]] = defaultdict(set)
    for one in events:
        found[one.at_s].add(one.kind)
    return iter(sorted(found.items()))


def leave_out_uncertain(
    mem: Memory, limits: Limits, rules: Rules, limit: int, span: tuple[int, int]
) -> bool | None:
    """Take what is uncertain out of the copied rider's events; whether any of it counts within ``span``.

    None when that cannot be done: it is sealed, or it is a matter of duty status or of two clocks.

    Precondition: row 0 of the memory is a rider copied whole.
    """
    base = mem.rows[0, Row.base_at(limits) :]
    clock = int(limits.clock[limit])
    if CLOCKS[clock] in _OF_DUTY or int(limits.reset_clock[limit]) != clock:
        return None
    if _sealed_by_maximum(mem, base, clock, span[0]):
        return None
    words = _events(mem)
    real = _not_taken_back(words)
    orders, sessions = _grouped(words, real)
    open_orders, open_sessions = _open_at_seal(mem, base)
    pieces = [
        piece
        for key in {*orders, *open_orders}
        for piece in order_pieces(key, orders.get(key, ()), rules.max_open_order, open_orders.get(key))
    ]
    if CLOCKS[clock] == "online":
        pieces += [
            piece
            for key in {*sessions, *open_sessions}
            for piece in session_pieces(
                key, sessions.get(key, ()), rules.max_open_session, open_sessions.get(key)
            )
        ]
    unsure = [one for one in pieces if not one.sure]
    begun = {**open_orders, **open_sessions}
    if any(begun.get(one.key) == one.start_s for one in unsure):
        return None
    _drop(mem, words, pieces, unsure)
    if CLOCKS[clock] == "loaded":
        picked = {key: [one.at_s for one in of if one.kind == PICKED_UP] for key, of in orders.items()}
        unsure = [
            one
            for one in unsure
            if any(one.start_s <= at < min(one.end_s, span[1]) for at in picked.get(one.key, ()))
        ]
    return any(one.start_s < span[1] and one.end_s > span[0] for one in unsure)


def _events(mem: Memory) -> list[list[int]]:
    block, count = int(mem.rows[0, Row.EVENTS]), int(mem.rows[0, Row.EVENTS_N])
    found: list[list[int]] = (
        mem.heap[block : block + count * Event.WORDS].reshape(count, Event.WORDS).tolist()
    )
    return found


def _not_taken_back(words: Sequence[Sequence[int]]) -> list[bool]:
    keys = [(one[Event.AT], one[Event.ORDER], one[Event.PACKED] >> Event.VOID_KEY_SHIFT) for one in words]
    voids = {
        key for key, one in zip(keys, words, strict=True) if (one[Event.PACKED] >> Event.REAL_SHIFT) & 1 == 0
    }
    return [key not in voids for key in keys]


def _grouped(
    words: Sequence[Sequence[int]], real: Sequence[bool]
) -> tuple[dict[int, list[Happened]], dict[int, list[Happened]]]:
    """Events by order and, of sessions, by platform."""
    orders, sessions = defaultdict[int, list[Happened]](list), defaultdict[int, list[Happened]](list)
    for one, stands in zip(words, real, strict=True):
        kind = (one[Event.PACKED] >> Event.TYPE_SHIFT) & Event.TYPE_MASK
        if stands and ACCEPTED <= kind <= CANCELLED:
            orders[one[Event.ORDER]].append(Happened(one[Event.AT], one[Event.ORDER], kind))
        elif stands and kind in (ONLINE, OFFLINE):
            sessions[_session_key(one)].append(Happened(one[Event.AT], _session_key(one), kind))
    return orders, sessions


def _session_key(event: Sequence[int]) -> int:
    """A platform as a key that is no order's."""
    return -(1 << 70) - (event[Event.PACKED] >> Event.PLATFORM_SHIFT)


def _open_at_seal(mem: Memory, base: I64) -> tuple[Mapping[int, int], Mapping[int, int]]:
    """Orders and sessions that were open at the sealed point, each with its beginning."""
    at, orders, platforms = (
        int(mem.rows[0, Row.BASE_OPEN]),
        int(base[State.ORDERS]),
        int(base[State.PLATFORMS]),
    )
    lines = mem.heap[at : at + orders * Open.ORDER_WORDS].reshape(orders, Open.ORDER_WORDS).tolist()
    at += orders * Open.ORDER_WORDS
    others = (
        mem.heap[at : at + platforms * Open.PLATFORM_WORDS].reshape(platforms, Open.PLATFORM_WORDS).tolist()
    )
    # A platform of which only a break is open has no session.
    sessions = {
        -(1 << 70) - one[Open.PLATFORM_ID]: one[Open.PLATFORM_SESSION]
        for one in others
        if one[Open.PLATFORM_SESSION] >= 0
    }
    return {one[Open.ORDER_HASH]: one[Open.ORDER_START] for one in lines}, sessions


def _sealed_by_maximum(mem: Memory, base: I64, clock: int, since_s: int) -> bool:
    block, count = int(mem.rows[0, Row.SPANS + clock]), int(base[State.clock_at(clock) + State.CLOCK_SPANS])
    spans = mem.heap[block : block + count * State.SPAN_WORDS].reshape(count, State.SPAN_WORDS).tolist()
    return any(end & 1 and end >> 1 > since_s for _, end, _ in spans)


def _drop(mem: Memory, words: Sequence[list[int]], pieces: Sequence[Piece], unsure: Sequence[Piece]) -> None:
    """Leave out the events that begin what is uncertain, and pick-ups that would begin something then."""
    starts = defaultdict[int, list[int]](list)
    for one in pieces:
        starts[one.key].append(one.start_s)
    spans = defaultdict[int, list[tuple[int, float]]](list)
    for one in unsure:
        following = min((at for at in starts[one.key] if at > one.start_s), default=float("inf"))
        spans[one.key].append((one.start_s, following))

    def stays(event: Sequence[int]) -> bool:
        kind = (event[Event.PACKED] >> Event.TYPE_SHIFT) & Event.TYPE_MASK
        if kind not in _BEGINS and kind != ONLINE:
            return True
        key = _session_key(event) if kind == ONLINE else event[Event.ORDER]
        return not any(first <= event[Event.AT] < after for first, after in spans.get(key, ()))

    kept = [word for event in words if stays(event) for word in event]
    block = int(mem.rows[0, Row.EVENTS])
    mem.heap[block : block + len(kept)] = kept
    mem.rows[0, Row.EVENTS_N] = len(kept) // Event.WORDS
    # What stood after his newest event says nothing of what is left.
    mem.rows[0, Row.FLAGS] |= Row.FLAG_DIRTY
