"""Codes that stand in words: event types, clocks, effects, releases, kinds of verdicts, results.

The tables of event types and of clocks are those of `schemas.work_state` and `schemas.policy`, which this
package may not import: tests/detectors/test_layout.py holds them equal. What a clock or a type is comes
from its place in the table, so that a further one is a line here and the rule that runs it.
"""

from __future__ import annotations

#: Event types in the order of the decoder's codes.
EVENT_TYPES = (
    "online",
    "offline",
    "order_accepted",
    "order_picked_up",
    "order_delivered",
    "order_cancelled",
    "break_started",
    "break_ended",
    "heartbeat",
    "duty_status",
)
ONLINE = EVENT_TYPES.index("online")
OFFLINE = EVENT_TYPES.index("offline")
ACCEPTED = EVENT_TYPES.index("order_accepted")
PICKED_UP = EVENT_TYPES.index("order_picked_up")
DELIVERED = EVENT_TYPES.index("order_delivered")
CANCELLED = EVENT_TYPES.index("order_cancelled")
BREAK_STARTED = EVENT_TYPES.index("break_started")
BREAK_ENDED = EVENT_TYPES.index("break_ended")
HEARTBEAT = EVENT_TYPES.index("heartbeat")
#: The last type, for it goes on with the place of what the duty is (`DUTIES`); a void has the first place.
DUTY = EVENT_TYPES.index("duty_status")
#: In the order in which those of one instant are applied.
DUTIES = ("off", "sleeper", "on_duty", "driving")
OFF, SLEEPER, ON_DUTY, DRIVING = range(4)
# Sets of event types, a bit for each.
OF_ORDERS = 1 << ACCEPTED | 1 << PICKED_UP | 1 << DELIVERED | 1 << CANCELLED
END_ORDERS = 1 << DELIVERED | 1 << CANCELLED
END_BREAKS = 1 << ACCEPTED | 1 << BREAK_ENDED | 1 << OFFLINE
BEGIN_ON_PLATFORMS = 1 << ONLINE | 1 << BREAK_STARTED
#: An alert shows the zone of the last of these (CONTRACT 7).
GIVE_ZONE = OF_ORDERS | 1 << ONLINE | 1 << OFFLINE
# Bits of an event's flags, as the decoder sets them.
FLAG_CONFIRMED, FLAG_VOID = 1, 2

#: What is counted (CONTRACT 1), in the order of their words in rows and states.
CLOCKS = ("order", "online", "loaded", "driving", "duty")
CLOCK_COUNT = len(CLOCKS)
ORDER_CLOCK = CLOCKS.index("order")
ONLINE_CLOCK = CLOCKS.index("online")
LOADED_CLOCK = CLOCKS.index("loaded")
DRIVING_CLOCK = CLOCKS.index("driving")
DUTY_CLOCK = CLOCKS.index("duty")
#: Kept of every rider, whatever is judged; the others only where a limit looks at them.
ALWAYS_KEPT = ("order", "online", "loaded")

EFFECTS = ("remind", "confirm", "hold")
REMIND, CONFIRM, HOLD = range(3)
RELEASES = ("", "rest", "elapsed", "window", "confirm")
BY_NOTHING, BY_REST, BY_ELAPSED, BY_WINDOW, BY_CONFIRM = range(5)

#: Kinds of verdicts.
VERDICTS = ("approaching", "limit_reached", "reminder", "hold_released", "hold_breached")
APPROACHING, LIMIT_REACHED, REMINDER, HOLD_RELEASED, HOLD_BREACHED = range(5)
#: Dispatch statuses.
STATUSES = ("clear", "approaching", "hold")
CLEAR, NEAR, HELD = range(3)

# What a pass over riders comes to: done, or an array that is too small (`detectors.arrays.grown`); of a rider
# looked for by readers also: not there (or not to be seen), or being changed all the while.
DONE, NEED_HEAP, NEED_VERDICTS, NEED_OUT, NEED_ROWS, NEED_OPEN, ABSENT, BUSY = range(8)

# What became of an event.
NEW, REPEATED, REFUSED_BEFORE, FUTURE, TOO_LATE, FLOOD = range(6)
MISPLACED, MISPLACED_TWICE, SEALED, FORGOTTEN = range(6, 10)

#: Kinds of evidence that counts and may be wrong all the same; of each event a bit for each.
DOUBTS = ("repeated_online", "brief_session", "reused_order", "shared_order")
REPEATED_ONLINE, BRIEF_SESSION, REUSED_ORDER, SHARED_ORDER = range(4)
