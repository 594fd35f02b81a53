"""Bring the cache lines of coming riders near, many at a time.

Riders of a batch lie anywhere in memory. Judged one after another each waits for its own dozen of cache
misses; read in a tight loop before, the misses of many riders are under way at once. Measured with
100,000 riders: see benchmarks/bench_throughput.py.
"""

from __future__ import annotations

import numpy as np

from detectors.kernels.jit import kernel
from detectors.kernels.layout import event as Event, misc as Misc, row as Row, state as State
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.layout.values import LINE_WORDS, U64
from detectors.kernels.memory.lookup import home_of

#: Riders whose cache misses are under way together.
BLOCK = 64


@kernel
def prefetch_riders(mem: Memory, first: int, last: int, limits: Limits) -> None:
    """Read the rows of the touched riders ``first..last`` and where their blocks end."""
    seen = 0
    head = Row.head_at(limits)
    words = mem.rows.shape[1]
    for index in range(first, last):
        row = mem.touched[index]
        for word in range(0, words, LINE_WORDS):
            seen += mem.rows[row, word]
    for index in range(first, last):
        row = mem.touched[index]
        seen += mem.heap[mem.rows[row, Row.EVENTS] + max(0, mem.rows[row, Row.EVENTS_N] - 1) * Event.WORDS]
        seen += mem.heap[mem.rows[row, Row.HEAD_OPEN]]
        # Of the first clock: most limits are of it.
        count = mem.rows[row, head + State.clock_at(0) + State.CLOCK_SPANS]
        spans = mem.rows[row, Row.SPANS] + count * State.SPAN_WORDS
        if spans < mem.heap.shape[0]:
            seen += mem.heap[spans]
    mem.misc[Misc.PREFETCHED] = seen


@kernel
def prefetch_lookups(mem: Memory, hashes: U64, first: int, last: int, limits: Limits) -> None:
    """Read the table slots, names and rows of the riders of events ``first..last``, at most BLOCK of them."""
    # Nobody is being judged: an array that is free then notes the rows.
    rows = mem.breaches
    base, head = Row.base_at(limits), Row.head_at(limits)
    mask = mem.table.shape[0] - 1
    seen = 0
    for i in range(first, last):
        slot = home_of(hashes[i], mask)
        rows[i - first] = mem.table[slot] - 1
        seen ^= np.int64(mem.table_hash[slot])
    for i in range(last - first):
        row = max(0, rows[i])
        seen += mem.ids[row, 0] + mem.rows[row, Row.EVENTS] + mem.rows[row, Row.FLAGS]
        seen += mem.rows[row, base] + mem.rows[row, head] + mem.rows[row, head + LINE_WORDS]
    for i in range(last - first):
        row = max(0, rows[i])
        seen += mem.heap[mem.rows[row, Row.EVENTS] + max(0, mem.rows[row, Row.EVENTS_N] - 1) * Event.WORDS]
    mem.misc[Misc.PREFETCHED] = seen
