"""A copied rider's orders and sessions as pieces of time, and what to take out so that one of them is not.

Unsealed events alone can be taken out; what is sealed lies in merged spans.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from detectors.kernels.layout import event as Event, open as Open, row as Row, state as State
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.layout.codes import ACCEPTED, CANCELLED, DELIVERED, OFFLINE, ONLINE, PICKED_UP
from detectors.kernels.layout.values import I64

_ENDS = frozenset({DELIVERED, CANCELLED})
_BEGINS = frozenset({ACCEPTED, PICKED_UP})
#: Keys of sessions lie below it, where no hash of an order does.
_SESSIONS = -(1 << 70)


@dataclass(frozen=True, slots=True)
class Happened:
    """An event that has not been taken back."""

    at_s: int
    key: int
    kind: int


@dataclass(frozen=True, slots=True)
class Piece:
    """An order in hand or a session, ``sure`` where an event has ended it; half-open, epoch seconds.

    ``reused``: of an order, begun anew although it had been delivered, or had ended too long ago to be the
    same order given to the rider once more.
    """

    key: int
    start_s: int
    end_s: int
    sure: bool
    reused: bool = False


def order_pieces(
    key: int, events: Sequence[Happened], most_s: int, begun_s: int | None, ended_s: int | None = None
) -> Iterator[Piece]:
    """The stretches in which one order was in hand (CONTRACT 4.2, 4.4).

    Parameters
    ----------
    events
        Of the order, by time.
    begun_s
        Since when it is in hand before the first of them; None when it is not.
    ended_s
        When it had ended at the latest before the first of them; None when it had not.
    """
    start_s, ever, delivered, reused = begun_s, begun_s is not None, False, False
    for at_s, kinds in _by_second(events):
        ends = bool(kinds & _ENDS)
        if start_s is not None and (at_s > start_s + most_s or (at_s == start_s + most_s and not ends)):
            ended_s, delivered = start_s + most_s, False
            yield Piece(key, start_s, ended_s, sure=False, reused=reused)
            start_s = None
        if start_s is not None and ends:
            yield Piece(key, start_s, at_s, sure=True, reused=reused)
            ended_s, delivered = at_s, DELIVERED in kinds
            start_s, reused = (at_s, delivered) if ACCEPTED in kinds else (None, False)
        elif start_s is None and (ACCEPTED in kinds or (PICKED_UP in kinds and not ever)):
            ever = True
            long_ago = ended_s is not None and at_s - ended_s > most_s
            reused = ACCEPTED in kinds and (delivered or long_ago)
            if ends:
                ended_s, delivered = at_s, DELIVERED in kinds
            else:
                start_s = at_s
    if start_s is not None:
        yield Piece(key, start_s, start_s + most_s, sure=False, reused=reused)


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


def events_of(mem: Memory) -> list[list[int]]:
    """The copied rider's unsealed events, each as its words."""
    block, count = int(mem.rows[0, Row.EVENTS]), int(mem.rows[0, Row.EVENTS_N])
    found: list[list[int]] = (
        mem.heap[block : block + count * Event.WORDS].reshape(count, Event.WORDS).tolist()
    )
    return found


def not_taken_back(words: Sequence[Sequence[int]]) -> list[bool]:
    """Of each event whether it stands: it is no void, and none takes it back."""
    keys = [(one[Event.AT], one[Event.ORDER], one[Event.PACKED] >> Event.VOID_KEY_SHIFT) for one in words]
    voids = {
        key for key, one in zip(keys, words, strict=True) if (one[Event.PACKED] >> Event.REAL_SHIFT) & 1 == 0
    }
    return [key not in voids for key in keys]


def grouped(
    words: Sequence[Sequence[int]], real: Sequence[bool]
) -> tuple[dict[int, list[Happened]], dict[int, list[Happened]]]:
    """Events by order and, of sessions, by platform."""
    orders, sessions = defaultdict[int, list[Happened]](list), defaultdict[int, list[Happened]](list)
    for one, stands in zip(words, real, strict=True):
        kind = (one[Event.PACKED] >> Event.TYPE_SHIFT) & Event.TYPE_MASK
        if stands and ACCEPTED <= kind <= CANCELLED:
            orders[one[Event.ORDER]].append(Happened(one[Event.AT], one[Event.ORDER], kind))
        elif stands and kind in (ONLINE, OFFLINE):
            sessions[session_key(one)].append(Happened(one[Event.AT], session_key(one), kind))
    return orders, sessions


def session_key(event: Sequence[int]) -> int:
    """A platform as a key that is no order's."""
    return _SESSIONS - (event[Event.PACKED] >> Event.PLATFORM_SHIFT)


def platform_of_key(key: int) -> int:
    """The platform's number of `session_key`."""
    return _SESSIONS - key


def open_at_seal(mem: Memory, base: I64) -> tuple[Mapping[int, int], Mapping[int, int]]:
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
        _SESSIONS - one[Open.PLATFORM_ID]: one[Open.PLATFORM_SESSION]
        for one in others
        if one[Open.PLATFORM_SESSION] >= 0
    }
    return {one[Open.ORDER_HASH]: one[Open.ORDER_START] for one in lines}, sessions


def drop(mem: Memory, words: Sequence[list[int]], pieces: Sequence[Piece], unsure: Sequence[Piece]) -> None:
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
        key = session_key(event) if kind == ONLINE else event[Event.ORDER]
        return not any(first <= event[Event.AT] < after for first, after in spans.get(key, ()))

    set_events(mem, [event for event in words if stays(event)])


def set_events(mem: Memory, words: Sequence[Sequence[int]]) -> None:
    """Let the copied rider have these events, no more of them than the block has room for."""
    flat = [word for event in words for word in event]
    block = int(mem.rows[0, Row.EVENTS])
    mem.heap[block : block + len(flat)] = flat
    mem.rows[0, Row.EVENTS_N] = len(words)
    # What stood after his newest event says nothing of what is left.
    mem.rows[0, Row.FLAGS] |= Row.FLAG_DIRTY


def move_events(mem: Memory, limits: Limits, words: Sequence[Sequence[int]]) -> bool:
    """As `set_events`, at the end of the heap; False when there is no room behind the rider's blocks."""
    head = mem.rows[0, Row.head_at(limits) :]
    # It was copied last.
    used = int(mem.rows[0, Row.HEAD_OPEN] + Open.open_words(head))
    block = len(mem.heap) - len(words) * Event.WORDS
    if block < used:
        return False
    mem.rows[0, Row.EVENTS] = block
    set_events(mem, words)
    return True
