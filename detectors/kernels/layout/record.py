"""Words of a verdict's record, and of what is written for the store to read: records and statuses."""

from __future__ import annotations

from detectors.kernels.jit import inlined
from detectors.kernels.layout.values import I64
from detectors.kernels.layout.words import Words

_record = Words()
#: When it is said, and its key (below): records are sorted by the two.
INSTANT, KEY = _record.each(2)
#: Seconds counted, and the window that they were counted in.
COUNTED, START, END = _record.each(3)
HOLD_FROM, HOLD_UNTIL, ZONE = _record.each(3)
#: Merged intervals that follow the record, two words each.
SPANS = _record.one()
#: Words from here on are no contents: a record that differs only in them has not changed.
CONTENT_END = _record.size
TOLD_AT, META = _record.each(2)
WORDS = _record.size
SPAN_WORDS = 2

#: `HOLD_UNTIL` of a hold that a review has ended; of any other that has ended, it is the instant.
BY_REVIEW = -1

# The key: kind of verdict, limit, platform + 1.
KEY_KIND_SHIFT, KEY_LIMIT_SHIFT = 48, 40
KEY_LIMIT_MASK = (1 << KEY_KIND_SHIFT - KEY_LIMIT_SHIFT) - 1
KEY_PLATFORM_MASK = (1 << KEY_LIMIT_SHIFT) - 1
# Bits of META: held back while the state is rebuilt; rests on what is open or was ended by a maximum.
META_PENDING, META_ESTIMATED = 1, 2
#: Pending, and what was told under the same id before has other contents.
META_CHANGED = 4

_out = Words()
#: What is written: of whom, what (below), how many words follow.
OUT_ROW, OUT_ACTION, OUT_SIZE = _out.each(3)
OUT_WORDS = _out.size
TELL, RETRACT, STATUS = 1, 2, 3

_status = Words()
STATUS_CODE, STATUS_UNTIL, STATUS_LIMIT, STATUS_LEFT, STATUS_AS_OF, STATUS_ONLY_JOINED = _status.each(6)
STATUS_WORDS = _status.size
#: Room that a rider's status and what goes with it takes at most.
OUT_SPARE = 64
assert OUT_WORDS + STATUS_WORDS <= OUT_SPARE


@inlined
def size_at(words: I64, at: int) -> int:
    """Words of the record at ``at``, its intervals included."""
    return WORDS + SPAN_WORDS * words[at + SPANS]


@inlined
def key_of(kind: int, limit: int, platform: int) -> int:
    """The key of a verdict; ``platform`` is NONE where it names none."""
    return (kind << KEY_KIND_SHIFT) | (limit << KEY_LIMIT_SHIFT) | (platform + 1)


@inlined
def limit_of(key: int) -> int:
    """The limit's index."""
    return (key >> KEY_LIMIT_SHIFT) & KEY_LIMIT_MASK


@inlined
def kind_of(key: int) -> int:
    """The kind of verdict."""
    return key >> KEY_KIND_SHIFT
