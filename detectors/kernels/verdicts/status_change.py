"""A rider's dispatch status, told where the contract asks for it (CONTRACT 8)."""

from __future__ import annotations

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import codes, misc as Misc, record as Record, row as Row
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.layout.values import NONE
from detectors.kernels.verdicts.output import begin
from detectors.kernels.verdicts.status import Status, nearest, not_before


@inlined
def write_status(mem: Memory, row: int, limits: Limits, now: int, again: bool, status: Status) -> None:
    """Write the rider's status where the contract asks for it.

    ``again`` writes it whatever was told before.
    """
    code, naming, fixed, moving, _ = status
    rows = mem.rows
    told = rows[row, Row.STATUS]
    if mem.misc[Misc.LIVE] == 0 or (
        told == NONE and rows[row, Row.FLAGS] & Row.FLAG_SEEN == 0 and code == codes.CLEAR
    ):
        return
    moves, until = not_before(fixed, moving, now)
    old_moves, old_until = not_before(rows[row, Row.STATUS_FIXED], rows[row, Row.STATUS_MOVING], now)
    changed = code != told or again
    if code == codes.HELD and not changed:
        changed = naming != rows[row, Row.STATUS_LIMIT] or moves != old_moves or until != old_until
    rows[row, Row.STATUS_FIXED] = fixed
    rows[row, Row.STATUS_MOVING] = moving
    joined = rows[row, Row.FLAGS] & Row.FLAG_JOINED != 0
    rows[row, Row.FLAGS] &= ~Row.FLAG_JOINED
    if not changed and not joined:
        return
    rows[row, Row.STATUS] = code
    if changed:
        rows[row, Row.STATUS_LIMIT] = naming
    emit_status(mem, row, limits, now, code, naming, now + until if moves else until, not changed)


@kernel
def emit_status(
    mem: Memory, row: int, limits: Limits, now: int, code: int, naming: int, until: int, only_joined: bool
) -> None:
    """Append a status to the output; ``only_joined``: it is news just to a platform new to the rider."""
    left = 0
    if code != codes.HELD:
        until = NONE
        naming, left = nearest(mem, row, mem.state, limits, now, False)
        if naming == NONE:
            left = NONE
    place = begin(mem, row, Record.STATUS, Record.STATUS_WORDS)
    mem.out[place + Record.STATUS_CODE] = code
    mem.out[place + Record.STATUS_UNTIL] = until
    mem.out[place + Record.STATUS_LIMIT] = naming
    mem.out[place + Record.STATUS_LEFT] = left
    mem.out[place + Record.STATUS_AS_OF] = now
    mem.out[place + Record.STATUS_ONLY_JOINED] = 1 if only_joined else 0
