"""A rider's dispatch status, told where the contract asks for it (CONTRACT 8)."""

from __future__ import annotations

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import (
    CLEAR,
    HELD,
    M_LIVE,
    M_OUT,
    NONE,
    OUT_WORDS,
    R_FLAGS,
    R_STATUS,
    R_STATUS_FIXED,
    R_STATUS_LIMIT,
    R_STATUS_MOVING,
    ROW_JOINED,
    ROW_SEEN,
    STATUS,
    STATUS_WORDS,
    Limits,
    Memory,
)
from detectors.kernels.verdicts.status import Status, nearest, not_before


@inlined
def write_status(mem: Memory, row: int, limits: Limits, now: int, again: bool, status: Status) -> None:
    """Write the rider's status where the contract asks for it.

    ``again`` writes it whatever was told before.
    """
    code, naming, fixed, moving, _ = status
    rows = mem.rows
    told = rows[row, R_STATUS]
    if mem.misc[M_LIVE] == 0 or (told == NONE and rows[row, R_FLAGS] & ROW_SEEN == 0 and code == CLEAR):
        return
    moves, until = not_before(fixed, moving, now)
    old_moves, old_until = not_before(rows[row, R_STATUS_FIXED], rows[row, R_STATUS_MOVING], now)
    changed = code != told or again
    if code == HELD and not changed:
        changed = naming != rows[row, R_STATUS_LIMIT] or moves != old_moves or until != old_until
    rows[row, R_STATUS_FIXED] = fixed
    rows[row, R_STATUS_MOVING] = moving
    joined = rows[row, R_FLAGS] & ROW_JOINED != 0
    rows[row, R_FLAGS] &= ~ROW_JOINED
    if not changed and not joined:
        return
    rows[row, R_STATUS] = code
    if changed:
        rows[row, R_STATUS_LIMIT] = naming
    emit_status(mem, row, limits, now, code, naming, now + until if moves else until, not changed)


@kernel
def emit_status(
    mem: Memory, row: int, limits: Limits, now: int, code: int, naming: int, until: int, only_joined: bool
) -> None:
    """Append a status to the output; ``only_joined``: it is news just to a platform new to the rider."""
    left = 0
    if code != HELD:
        until = NONE
        naming, left = nearest(mem, row, mem.state, limits, now)
        if naming == NONE:
            left = NONE
    place = mem.misc[M_OUT]
    mem.out[place] = row
    mem.out[place + 1] = STATUS
    mem.out[place + 2] = STATUS_WORDS
    mem.out[place + OUT_WORDS] = code
    mem.out[place + OUT_WORDS + 1] = until
    mem.out[place + OUT_WORDS + 2] = naming
    mem.out[place + OUT_WORDS + 3] = left
    mem.out[place + OUT_WORDS + 4] = now
    mem.out[place + OUT_WORDS + 5] = 1 if only_joined else 0
    mem.misc[M_OUT] = place + OUT_WORDS + STATUS_WORDS
