"""Records appended to the output."""

from __future__ import annotations

from detectors.kernels.jit import kernel
from detectors.kernels.layout import (
    CONTROL_WORDS,
    I64,
    KEY_LIMIT,
    M_OUT,
    M_WALL,
    NONE,
    OUT_WORDS,
    V_HOLD_FROM,
    V_KEY,
    V_SPANS,
    V_TOLD_AT,
    VERDICT_WORDS,
    Memory,
)


@kernel
def emit(mem: Memory, row: int, action: int, source: I64, at: int) -> None:
    """Append a record to the output; room was made."""
    out = mem.out
    place = mem.misc[M_OUT]
    size = VERDICT_WORDS + 2 * source[at + V_SPANS]
    out[place] = row
    out[place + 1] = action
    out[place + 2] = size
    for word in range(size):
        out[place + OUT_WORDS + word] = source[at + word]
    mem.misc[M_OUT] = place + OUT_WORDS + size


@kernel
def stamp(mem: Memory, row: int, record: I64, at: int) -> None:
    """Give a record with a hold the second at which the hold's first alert was published."""
    if record[at + V_HOLD_FROM] == NONE or mem.misc[M_WALL] == NONE:
        return
    word = CONTROL_WORDS + 2 * ((record[at + V_KEY] >> KEY_LIMIT) & 255)
    if mem.rows[row, word] != record[at + V_HOLD_FROM]:
        mem.rows[row, word] = record[at + V_HOLD_FROM]
        mem.rows[row, word + 1] = mem.misc[M_WALL]
    record[at + V_TOLD_AT] = mem.rows[row, word + 1]
