"""Where everything lies: words of a rider's row, of his state, of a verdict record.

All state is int64 words. Times are epoch seconds; amounts are seconds. Spans are half-open.

A rider's row is ``[control words | told times of holds | base state | head state]``. *Base* is the state
at the rider's sealed point, *head* the state after his newest event; both have the same layout, so the
one transition function works on a copy of either.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
U8 = npt.NDArray[np.uint8]

NONE = -1
INF = 1 << 60
PAST = -(1 << 60)
#: A break that ended at the instant being judged: it still kept its session from counting just before.
JUST_ENDED = -2

MAX_LIMITS = 32
MAX_WARNINGS = 24
EVIDENCE_SPANS = 50
#: Distinct events of one rider that may be not final at once.
FLOOD_EVENTS = 4096
#: Verdicts are final when now is later by more than the allowed lateness and this.
FINALITY_SLACK_S = 3600

CLOCKS = ("order", "online", "loaded")
ORDER_CLOCK, ONLINE_CLOCK, LOADED_CLOCK = 0, 1, 2
EFFECTS = ("remind", "confirm", "hold")
REMIND, CONFIRM, HOLD = 0, 1, 2
RELEASES = ("", "rest", "elapsed", "window", "confirm")
BY_NOTHING, BY_REST, BY_ELAPSED, BY_WINDOW, BY_CONFIRM = 0, 1, 2, 3, 4
CONTINUOUS, CALENDAR, ROLLING, SPAN = 0, 1, 2, 3

# Event types as the decoder codes them.
ONLINE, OFFLINE, ACCEPTED, PICKED_UP, DELIVERED, CANCELLED = 0, 1, 2, 3, 4, 5
BREAK_STARTED, BREAK_ENDED, HEARTBEAT = 6, 7, 8
FLAG_CONFIRMED, FLAG_VOID = 1, 2

# State.
S_T, S_NEXT, S_ZONE, S_ORDERS, S_PLATFORMS, S_CLOCKS = 0, 1, 2, 3, 4, 5
C_RUN, C_EDGE, C_TOTAL, C_SPANS, CLOCK_WORDS = 0, 1, 2, 3, 4
S_LIMITS = S_CLOCKS + 3 * CLOCK_WORDS
L_COUNT0, L_EPISODE, L_WINDOW_END, L_FLAGS, L_REMINDED = 0, 1, 2, 3, 4
L_HOLD_FROM, L_HOLD_NEWEST, L_HOLD_COUNTED, L_HOLD_WINDOW, LIMIT_WORDS = 5, 6, 7, 8, 9
# Bits of L_FLAGS: the limit has fired; from bit 1 the warnings have; from bit 32 they have been told.
FIRED = 1
WARN_FIRED_BIT = 1
WARN_TOLD_BIT = 32

# Control words of a row.
R_EVENTS, R_EVENTS_CLASS, R_EVENTS_N, R_APPLIED = 0, 1, 2, 3
R_SPANS, R_SPANS_CLASS = 4, 7  # three clocks each
R_TOLD, R_TOLD_CLASS, R_TOLD_WORDS = 10, 11, 12
R_ENDED, R_ENDED_CLASS, R_ENDED_N = 13, 14, 15
R_BASE_OPEN, R_BASE_OPEN_CLASS, R_HEAD_OPEN, R_HEAD_OPEN_CLASS = 16, 17, 18, 19
R_FLAGS, R_STATUS, R_STATUS_LIMIT, R_STATUS_FIXED, R_STATUS_MOVING, R_LAST_EVENT = 20, 21, 22, 23, 24, 25
# Platforms whose own the rider is, `MEMBER_WORDS` each.
R_MEMBERS, R_MEMBERS_CLASS, R_MEMBERS_N = 26, 27, 28
# The page of the checkpoint he lies in, the next rider of that page (row + 1), the hash he is looked up by.
R_PAGE, R_PAGE_NEXT, R_HASH = 29, 30, 31
# What arrived before this (epoch milliseconds) has been forgotten; verdicts before that (epoch seconds)
# rest on a history that may lack its beginning.
R_FORGOTTEN_MS, R_ESTIMATED_UNTIL = 32, 33
CONTROL_WORDS = 34
ROW_TOUCHED, ROW_DIRTY, ROW_SEEN = 1, 2, 4
# Judged while nothing was told; all of him is to be told again; a platform is new to him.
ROW_BEHIND, ROW_AGAIN, ROW_JOINED = 8, 16, 32
# A platform of a rider: its number, the last event time by which it claims him, whether it has been told his
# status, the first such event time since it claims him without a pause of `keep`, the last of an order.
MEMBER_PLATFORM, MEMBER_LAST, MEMBER_TOLD, MEMBER_FIRST, MEMBER_ORDER, MEMBER_WORDS = range(6)
#: Platforms remembered per rider; a new one takes the place of the one that was silent longest.
MOST_MEMBERS = 64

#: Pages of a partition's checkpoint; a rider's page is the top bits of his hash.
PAGES = 4096
PAGE_SHIFT = 52

# An unsealed event: time, order hash, packed fields, hash of event_id; sorted by the four words.
EVENT_WORDS = 4
E_T, E_ORDER, E_PACKED, E_ID = 0, 1, 2, 3
# Packed: platform, type, "is not void" (a void sorts before what it takes back), confirmed, zone + 1.
PACK_PLATFORM, PACK_TYPE, PACK_REAL, PACK_CONFIRMED = 32, 28, 27, 26
ZONE_MASK = (1 << 24) - 1
# What a void and the events it takes back have in common, within one second and order.
PACK_VOID_KEY = PACK_TYPE

# A merged span: start, end * 2 + (a maximum ended it), clock time before it.
SPAN_WORDS = 3
ORDER_WORDS, PLATFORM_WORDS = 4, 3
O_HASH, O_PLATFORM, O_START, O_LOADED = 0, 1, 2, 3
P_ID, P_SESSION, P_BREAK = 0, 1, 2

# A brief (`kernels.verdicts.brief`): the number it belongs to; from when and until when it holds; the
# fewest seconds left of all that hold, where they run out with time and where not; the nearest of those not
# reached.
B_STAMP, B_FROM, B_UNTIL, B_RUN_FAR, B_STILL_FAR, B_RUN, B_STILL, B_TOLD, BRIEF_WORDS = range(9)
# B_TOLD: the status, the zone + 1, and a bit for each of the first platforms that lately sent events for him.
B_TOLD_ZONE, B_TOLD_PLATFORMS, B_PLATFORMS = 2, 28, 32
#: How long before the brief's beginning "lately" began, in seconds.
LATELY_S = 86_400
# Of a rider on hold instead: "not before", as `status_of` has it, and the limit that names it.
B_FIXED, B_MOVING, B_NAMING = 3, 4, 5

# Verdict records.
V_INSTANT, V_KEY, V_COUNTED, V_START, V_END, V_HOLD_FROM, V_HOLD_UNTIL, V_ZONE = 0, 1, 2, 3, 4, 5, 6, 7
V_SPANS, V_CONTENT_END, V_TOLD_AT, V_META, VERDICT_WORDS = 8, 9, 9, 10, 11
APPROACHING, LIMIT_REACHED, REMINDER, HOLD_RELEASED, HOLD_BREACHED = 0, 1, 2, 3, 4
KEY_KIND, KEY_LIMIT = 48, 40
META_PENDING, META_ESTIMATED = 1, 2
#: Pending, and what was told under the same id before has other contents.
META_CHANGED = 4

# What a judge writes: row, action, words that follow.
OUT_WORDS = 3
TELL, RETRACT, STATUS = 1, 2, 3
STATUS_WORDS = 6
CLEAR, NEAR, HELD = 0, 1, 2

# Results of a pass over riders.
DONE, NEED_HEAP, NEED_VERDICTS, NEED_OUT, NEED_ROWS, NEED_OPEN = 0, 1, 2, 3, 4, 5

# Codes of an ingested event.
NEW, REPEATED, REFUSED_BEFORE, FUTURE, TOO_LATE, FLOOD, MISPLACED, MISPLACED_TWICE, SEALED, FORGOTTEN = range(
    10
)

# Words of Memory.misc.
M_VERDICTS, M_OVERFLOW, M_OUT, M_ROWS, M_TOUCHED, M_ENDED, M_BREACHES, M_CONFIRMED, M_BYMAX = range(9)
M_PRE_RUN, M_PRE_EDGE, M_PLATFORMS, M_ZONES, M_SEALING, M_LIVE, M_WALL, M_WARM = (
    12,
    15,
    18,
    19,
    20,
    21,
    22,
    23,
)
#: Odd while riders are being moved to other rows, or entries of `Memory.own` to other slots; and how many
#: entries that has.
M_MOVES, M_OWN = 24, 25
MISC_WORDS = 26


class Limits(NamedTuple):
    """Packed limits, one entry per limit in the order (policy, name); seconds, 0 where there is none."""

    kind: I64
    clock: I64
    amount: I64
    reset: I64
    window: I64
    effect: I64
    release: I64
    hold_for: I64
    remind: I64
    warnings: I64
    warn: I64  # (limits, MAX_WARNINGS): amounts, largest first
    policy: I64
    calendar: I64  # (limits, 2): first index and count of the window starts in `bounds`
    bounds: I64
    since: I64  # nothing before this instant is told: the policy was named later


class Rules(NamedTuple):
    """Settings that verdicts depend on; seconds."""

    max_open_order: int
    max_open_session: int
    max_open_break: int
    breach_grace: int
    lateness: int
    keep: int
    seal_events: int


class Memory(NamedTuple):
    """All arrays of one partition's rider store."""

    rows: I64  # (capacity, row words)
    wake: I64  # (capacity,): the next instant at which a rider must be judged although no event came
    ids: U8  # (capacity, 64)
    id_lengths: U8
    table: I64  # open addressing: row + 1, 0 is free
    table_hash: U64
    own: I64  # the same by rider and platform (`kernels.memory.own_index`)
    own_hash: U64
    platforms: U8  # (capacity, 64)
    platform_lengths: U8
    zones: U8
    zone_lengths: U8
    platform_table: I64
    zone_table: I64
    heap: I64
    heap_meta: I64  # top, then heads of the free lists by class
    state: I64  # scratch: the state being advanced
    orders: I64  # scratch (n, ORDER_WORDS)
    open_platforms: I64  # scratch (n, PLATFORM_WORDS)
    verdicts: I64  # scratch: records made in this pass
    ended: I64  # scratch: orders that ended while sealing
    breaches: I64  # scratch: platforms whose acceptance began an order at this instant
    out: I64
    touched: I64
    misc: I64
    page_head: I64  # (PAGES,): first rider of a page (row + 1), 0 for none
    page_dirty: U8  # (PAGES,): changed since it was last packed
    page_from: I64  # (PAGES,): source offset below which everything is in the page already
    page_estimated: I64  # (PAGES,): `R_ESTIMATED_UNTIL` of the riders who are new in the page
    seq: I64  # (capacity,): odd while the rider of the row is being changed (`kernels.memory.seqlock`)
    briefs: I64  # (capacity, BRIEF_WORDS)
