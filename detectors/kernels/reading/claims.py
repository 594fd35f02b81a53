"""Whose own a rider is, and since when (CONTRACT 2)."""

from __future__ import annotations

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import row as Row
from detectors.kernels.layout.values import I64, INF, MOST_MEMBERS, NONE
from detectors.kernels.memory.seqlock import fence
from detectors.kernels.reading.columns import EVERYONE, Asked, Asker, Shared
from detectors.kernels.reading.snapshot import TRIES, find_settled, is_asked, is_replaced

#: Columns of what is written of each platform of a rider.
CLAIM_PLATFORM, CLAIM_FIRST, CLAIM_WORDS = range(3)


@inlined
def copy_claims(shared: Shared, row: int, since: int, out: I64) -> int:
    """The platforms that have claimed the rider of a row since ``since``, into ``out``; how many."""
    members, count = shared.rows[row, Row.MEMBERS], shared.rows[row, Row.MEMBERS_N]
    if members < 0 or count > MOST_MEMBERS or members + count * Row.MEMBER_WORDS > shared.heap.shape[0]:
        return 0
    found = 0
    for index in range(count):
        word = members + index * Row.MEMBER_WORDS
        if shared.heap[word + Row.MEMBER_LAST] >= since:
            out[found, CLAIM_PLATFORM] = shared.heap[word + Row.MEMBER_PLATFORM]
            out[found, CLAIM_FIRST] = shared.heap[word + Row.MEMBER_FIRST]
            found += 1
    return found


@inlined
def claims_of(shared: Shared, asked: Asked, index: int, asker: Asker, out: I64) -> int:
    """How many platforms claim a rider, these in ``out``; NONE when that cannot be said now."""
    row, settled = find_settled(
        shared, asker, asked.buf, asked.off[index], asked.length[index], asked.hash[index]
    )
    if row == NONE:
        return 0 if settled else NONE
    for _ in range(TRIES):
        if is_replaced(shared):
            return NONE
        before = shared.seq[row]
        if before & 1 == 1:
            continue
        fence()
        here = is_asked(shared, row, asked, index)
        found = copy_claims(shared, row, asker.since, out)
        fence()
        if shared.seq[row] == before and here and not is_replaced(shared):
            return found
    return NONE


@kernel
def read_claims(shared: Shared, asked: Asked, which: I64, since: int, out: I64, counts: I64) -> None:
    """`claims_of` of the riders ``which``, for nobody in particular, into ``out`` and ``counts``."""
    for place in range(which.shape[0]):
        asker = Asker(EVERYONE, since)
        counts[place] = claims_of(shared, asked, which[place], asker, out[place])


@kernel
def claimed_since(shared: Shared, asked: Asked, asker: Asker, out: I64) -> int:
    """Since when the one rider asked about is the asker's own; INF: is not, NONE: cannot be said now."""
    count = claims_of(shared, asked, 0, asker, out)
    if count == NONE:
        return NONE
    for index in range(count):
        if out[index, CLAIM_PLATFORM] == asker.platform:
            return out[index, CLAIM_FIRST]
    return INF
