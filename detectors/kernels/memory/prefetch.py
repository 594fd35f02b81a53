"""Bring the cache lines of coming riders near, many at a time.

Riders of a batch lie anywhere in memory. Judged one after another each waits for its own dozen of cache
misses; read in a tight loop before, the misses of many riders are under way at once. Measured with
100,000 riders: see benchmarks/bench_throughput.py.
"""

from __future__ import annotations

from detectors.kernels.jit import kernel
from detectors.kernels.layout import (
    C_SPANS,
    EVENT_WORDS,
    I64,
    M_WARM,
    R_EVENTS,
    R_EVENTS_N,
    R_HEAD_OPEN,
    R_SPANS,
    S_CLOCKS,
    SPAN_WORDS,
    U64,
    Memory,
)
from detectors.kernels.memory.lookup import home_of

BLOCK = 64
LINE_WORDS = 8


@kernel
def warm_riders(mem: Memory, first: int, last: int, head: int) -> None:
    """Read the rows of the touched riders ``first..last`` and where their blocks end."""
    seen = 0
    words = mem.rows.shape[1]
    for index in range(first, last):
        row = mem.touched[index]
        for word in range(0, words, LINE_WORDS):
            seen += mem.rows[row, word]
    for index in range(first, last):
        row = mem.touched[index]
        seen += mem.heap[mem.rows[row, R_EVENTS] + max(0, mem.rows[row, R_EVENTS_N] - 1) * EVENT_WORDS]
        seen += mem.heap[mem.rows[row, R_HEAD_OPEN]]
        spans = mem.rows[row, R_SPANS] + mem.rows[row, head + S_CLOCKS + C_SPANS] * SPAN_WORDS
        if spans < mem.heap.shape[0]:
            seen += mem.heap[spans]
    mem.misc[M_WARM] = seen


@kernel
def warm_lookups(mem: Memory, hashes: U64, first: int, last: int, rows: I64, base: int, head: int) -> None:
    """Read the table slots, names and rows of the riders of events ``first..last``."""
    mask = mem.table.shape[0] - 1
    seen = 0
    for i in range(first, last):
        slot = home_of(hashes[i], mask)
        rows[i - first] = mem.table[slot] - 1
        seen += mem.table_hash[slot]
    for i in range(last - first):
        row = max(0, rows[i])
        seen += mem.ids[row, 0] + mem.rows[row, 0] + mem.rows[row, 20]
        seen += mem.rows[row, base] + mem.rows[row, head] + mem.rows[row, head + LINE_WORDS]
    for i in range(last - first):
        row = max(0, rows[i])
        seen += mem.heap[mem.rows[row, R_EVENTS] + max(0, mem.rows[row, R_EVENTS_N] - 1) * EVENT_WORDS]
    mem.misc[M_WARM] = seen
