"""What the store reads: records of verdicts and statuses, appended to `Memory.out` (`layout.record`)."""

from __future__ import annotations

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import misc as Misc, record as Record, row as Row
from detectors.kernels.layout.arrays import Memory
from detectors.kernels.layout.values import I64, NONE

#: Room that is asked for each word of the records that may be written, what goes with them included.
ROOM_PER_WORD = 4


@inlined
def has_room(mem: Memory, words: int) -> bool:
    """Whether a rider's records of so many words, and a status, can be written."""
    return mem.misc[Misc.OUT] + ROOM_PER_WORD * words + Record.OUT_SPARE <= mem.out.shape[0]


@inlined
def begin(mem: Memory, row: int, action: int, size: int) -> int:
    """Begin an output of ``size`` words of a rider; where they go."""
    place = mem.misc[Misc.OUT]
    mem.out[place + Record.OUT_ROW] = row
    mem.out[place + Record.OUT_ACTION] = action
    mem.out[place + Record.OUT_SIZE] = size
    mem.misc[Misc.OUT] = place + Record.OUT_WORDS + size
    return place + Record.OUT_WORDS


@kernel
def emit(mem: Memory, row: int, action: int, source: I64, at: int) -> None:
    """Append a record to the output; room was made."""
    size = Record.size_at(source, at)
    place = begin(mem, row, action, size)
    for word in range(size):
        mem.out[place + word] = source[at + word]


@kernel
def stamp(mem: Memory, row: int, record: I64, at: int) -> None:
    """Give a record with a hold the second at which the hold's first alert was published."""
    if record[at + Record.HOLD_FROM] == NONE or mem.misc[Misc.WALL] == NONE:
        return
    word = Row.hold_at(Record.limit_of(record[at + Record.KEY]))
    if mem.rows[row, word + Row.HOLD_FROM] != record[at + Record.HOLD_FROM]:
        mem.rows[row, word + Row.HOLD_FROM] = record[at + Record.HOLD_FROM]
        mem.rows[row, word + Row.HOLD_TOLD_AT] = mem.misc[Misc.WALL]
    record[at + Record.TOLD_AT] = mem.rows[row, word + Row.HOLD_TOLD_AT]
