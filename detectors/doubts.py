"""Evidence that counts as the contract says and may be wrong all the same: what of it a verdict rests on.

Flags of quality, beside `certainty`: nothing here changes a verdict. Each names the interval it concerns, and
taking it out of a copy of the rider's evidence says what the verdict would be without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detectors.kernels.clocks.orders import DAY_BITS
from detectors.kernels.doubts.arrival import BRIEF_S, SILENT_S
from detectors.kernels.layout import event as Event, row as Row, state as State
from detectors.kernels.layout.arrays import Limits, Memory, Rules
from detectors.kernels.layout.codes import (
    ACCEPTED,
    BRIEF_SESSION,
    CANCELLED,
    CLOCKS,
    DOUBTS,
    OFFLINE,
    ONLINE,
    PICKED_UP,
    REPEATED_ONLINE,
    REUSED_ORDER,
    SHARED_ORDER,
)
from detectors.kernels.layout.values import INF
from detectors.pieces import (
    Happened,
    Piece,
    events_of,
    grouped,
    move_events,
    not_taken_back,
    open_at_seal,
    order_pieces,
    platform_of_key,
    session_key,
    session_pieces,
    set_events,
)

#: Of an explanation; whoever reads more than so many flags reads none.
MOST_DOUBTS = 16
#: Clocks that sessions run.
_OF_SESSIONS = frozenset({"online", "duty"})
#: By order, the stretches in which it was in two riders' hands, epoch seconds.
Shared = Mapping[int, Sequence[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Doubt:
    """A stretch that rests on doubtful evidence; half-open, epoch seconds.

    ``sealed``: what came before is merged, so it cannot be taken out.
    """

    kind: int
    platform: int
    start_s: int
    end_s: int
    sealed: bool
    piece: Piece
    #: Where the next order under the same id begins.
    until_s: int = INF

    @property
    def name(self) -> str:
        """The kind in a word."""
        return DOUBTS[self.kind]


@dataclass(frozen=True, slots=True)
class DoubtQuestion:
    """Of which verdict it is asked what is doubtful.

    Parameters
    ----------
    limit
        Of the limit table.
    span
        From where the limit counts to the instant of the verdict.
    shared
        Orders that two riders have had at once.
    only
        A platform, which alone is told of this: by nothing but what it has sent itself, and within the time
        in which nothing can be sealed, for that depends on what others send.
    """

    limit: int
    span: tuple[int, int]
    shared: Shared
    only: int | None = None


def find_doubts(mem: Memory, limits: Limits, rules: Rules, now_s: int, asked: DoubtQuestion) -> list[Doubt]:
    """What is doubtful of what a limit counts of the copied rider: the last of it, by time.

    Precondition: row 0 of the memory is a rider copied whole.
    """
    base = mem.rows[0, Row.base_at(limits) :]
    sealed_s = int(base[State.AT])
    words = events_of(mem)
    real = not_taken_back(words)
    orders, sessions = grouped(words, real)
    open_orders, open_sessions = open_at_seal(mem, base)
    platforms = {
        one[Event.ORDER]: one[Event.PACKED] >> Event.PLATFORM_SHIFT for one in words if one[Event.ORDER]
    }
    block, count = int(mem.rows[0, Row.ENDED]), int(mem.rows[0, Row.ENDED_N])
    ended = {word >> DAY_BITS for word in mem.heap[block : block + count].tolist()}
    found: list[Doubt] = []
    clocks = {CLOCKS[int(limits.clock[asked.limit])], CLOCKS[int(limits.reset_clock[asked.limit])]}
    if clocks <= {"driving"}:
        return []
    if not clocks & _OF_SESSIONS:
        sessions = {}
    for key, events in orders.items():
        ended_s = sealed_s if key >> DAY_BITS in ended else None
        pieces = order_pieces(key, events, rules.max_open_order, open_orders.get(key), ended_s)
        found += _of_order(list(pieces), platforms[key], open_orders.get(key), asked.shared.get(key, ()))
    times = _times_by_platform(words, real)
    for key, events in sessions.items():
        begun_s = open_sessions.get(key)
        pieces = session_pieces(key, events, rules.max_open_session, begun_s)
        found += _of_sessions(list(pieces), events, times.get(platform_of_key(key), []), begun_s, sealed_s)
    within = [one for one in found if one.start_s < asked.span[1] and one.end_s > asked.span[0]]
    if asked.only is not None:
        since_s = now_s - rules.lateness + rules.max_open_order
        within = [one for one in within if one.platform == asked.only and one.start_s >= since_s]
    return sorted(within, key=lambda one: (one.start_s, one.kind, one.platform))[-MOST_DOUBTS:]


def _of_order(
    pieces: Sequence[Piece], platform: int, begun_s: int | None, shared: Sequence[tuple[int, int]]
) -> list[Doubt]:
    found = []
    for index, piece in enumerate(pieces):
        following_s = pieces[index + 1].start_s if index + 1 < len(pieces) else INF
        sealed = piece.start_s == begun_s
        both = any(first < piece.end_s and last > piece.start_s for first, last in shared)
        found += [
            Doubt(kind, platform, piece.start_s, piece.end_s, sealed, piece, following_s)
            for kind, holds in ((REUSED_ORDER, piece.reused), (SHARED_ORDER, both))
            if holds
        ]
    return found


def _of_sessions(
    pieces: Sequence[Piece],
    events: Sequence[Happened],
    times: Sequence[int],
    begun_s: int | None,
    sealed_s: int,
) -> list[Doubt]:
    """Of one platform's sessions; ``times`` are those of all its events of the rider."""
    found = []
    onlines = sorted({one.at_s for one in events if one.kind == ONLINE})
    for piece in pieces:
        platform = platform_of_key(piece.key)
        if piece.sure and piece.end_s - piece.start_s <= BRIEF_S:
            sealed = piece.start_s == begun_s
            found.append(Doubt(BRIEF_SESSION, platform, piece.start_s, piece.end_s, sealed, piece))
        for at_s in onlines:
            if not piece.start_s < at_s < piece.end_s:
                continue
            before = [one for one in times if one < at_s]
            last_s = max(before) if before else sealed_s
            if at_s - last_s >= SILENT_S:
                found.append(Doubt(REPEATED_ONLINE, platform, last_s, at_s, not before, piece))
    return found


def _times_by_platform(words: Sequence[Sequence[int]], real: Sequence[bool]) -> dict[int, list[int]]:
    found: dict[int, set[int]] = {}
    for one, stands in zip(words, real, strict=True):
        if stands:
            found.setdefault(one[Event.PACKED] >> Event.PLATFORM_SHIFT, set()).add(one[Event.AT])
    return {platform: sorted(times) for platform, times in found.items()}


def leave_out(mem: Memory, limits: Limits, doubt: Doubt) -> bool:
    """Take doubtful evidence out of the copied rider's events, as if the platform had not sent it.

    Of an ``online`` after a silence it is the silence: as if ``offline`` had come with the last event.
    False where it cannot be taken out: it is sealed.

    Precondition: row 0 of the memory is the rider it was found of, copied whole.
    """
    if doubt.sealed:
        return False
    words = events_of(mem)
    if doubt.kind == REPEATED_ONLINE:
        return move_events(mem, limits, _with_an_end(words, doubt))
    set_events(mem, [one for one in words if not _belongs(one, doubt)])
    return True


def _belongs(event: Sequence[int], doubt: Doubt) -> bool:
    """Whether an event begins what is doubtful, or ends the order that it begins."""
    kind, at_s = (event[Event.PACKED] >> Event.TYPE_SHIFT) & Event.TYPE_MASK, event[Event.AT]
    if doubt.kind == BRIEF_SESSION:
        within = doubt.start_s <= at_s < doubt.end_s
        return kind == ONLINE and session_key(event) == doubt.piece.key and within
    if not ACCEPTED <= kind <= CANCELLED or event[Event.ORDER] != doubt.piece.key:
        return False
    if kind in (ACCEPTED, PICKED_UP):
        return doubt.start_s <= at_s < doubt.until_s
    # Left behind, the end would be that of what begins anew at this very instant.
    return doubt.start_s < at_s <= doubt.end_s


def _with_an_end(words: Sequence[list[int]], doubt: Doubt) -> list[list[int]]:
    """The events with an ``offline`` where the silence begins, in the place of what the session had there."""

    def stays(event: Sequence[int]) -> bool:
        kind = (event[Event.PACKED] >> Event.TYPE_SHIFT) & Event.TYPE_MASK
        here = event[Event.AT] == doubt.start_s and session_key(event) == doubt.piece.key
        return not (here and kind in (ONLINE, OFFLINE))

    packed = doubt.platform << Event.PLATFORM_SHIFT | OFFLINE << Event.TYPE_SHIFT | 1 << Event.REAL_SHIFT
    return sorted([*(event for event in words if stays(event)), [doubt.start_s, 0, packed, 0]])


def shared_of_pairs(pairs: np.ndarray) -> dict[int, list[tuple[int, int]]]:
    """Lines (order, begin, end) of orders in two riders' hands, by order."""
    found: dict[int, list[tuple[int, int]]] = {}
    for order, first, last in pairs.tolist():
        found.setdefault(order, []).append((first, last))
    return found
