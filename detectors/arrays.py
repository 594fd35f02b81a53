"""The arrays of a store: made, and doubled when a kernel says which are too small."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from detectors.errors import CapacityError
from detectors.kernels.layout import (
    brief as Brief,
    codes,
    event as Event,
    misc as Misc,
    open as Open,
    row as Row,
)
from detectors.kernels.layout.arrays import Memory
from detectors.kernels.layout.values import I64, ID_BYTES, PAGES, PAST, U8
from detectors.kernels.memory import blocks
from detectors.kernels.memory.lookup import grow_table
from detectors.kernels.memory.names import reenter_names
from detectors.kernels.memory.own_index import is_full

Array = TypeVar("Array", bound=npt.NDArray[Any])
MAX_PLATFORMS = 1 << 20
MAX_ZONES = Event.ZONE_MASK - 1
#: Names of platforms or zones that there is room for at first.
NAMES = 256
#: Things of one rider that may be open at first.
OPEN = 1024
#: Slots of a table for each thing entered in it: riders, names.
SLOTS = 4


def grown(mem: Memory, need: int) -> Memory:
    """The memory with those arrays doubled that a kernel asks for.

    Raises
    ------
    CapacityError
        More names of platforms or zones than any feed of them has.
    """
    if need == codes.NEED_HEAP:
        return mem._replace(heap=_longer(mem.heap))
    if need == codes.NEED_VERDICTS:
        return mem._replace(verdicts=_longer(mem.verdicts), out=_longer(mem.out))
    if need == codes.NEED_OUT:
        return mem._replace(out=_longer(mem.out))
    if need == codes.NEED_OPEN:
        return mem._replace(
            orders=_longer(mem.orders),
            open_platforms=_longer(mem.open_platforms),
            ended=_longer(mem.ended),
            breaches=_longer(mem.breaches),
        )
    assert need == codes.NEED_ROWS, need
    return _more_tables(mem)


def _more_tables(mem: Memory) -> Memory:
    if mem.misc[Misc.ROWS] >= len(mem.rows):
        capacity = 2 * len(mem.rows)
        table = np.zeros(SLOTS * capacity, dtype=np.int64)
        table_hash = np.zeros(SLOTS * capacity, dtype=np.uint64)
        grow_table(mem.table, mem.table_hash, table, table_hash)
        return mem._replace(
            rows=_longer(mem.rows),
            wake=_longer(mem.wake),
            ids=_longer(mem.ids),
            id_lengths=_longer(mem.id_lengths),
            touched=_longer(mem.touched),
            seq=_longer(mem.seq),
            briefs=_longer(mem.briefs),
            table=table,
            table_hash=table_hash,
        )
    if is_full(mem):
        own, own_hash = np.zeros(2 * len(mem.own), np.int64), np.zeros(2 * len(mem.own), np.uint64)
        grow_table(mem.own, mem.own_hash, own, own_hash)
        return mem._replace(own=own, own_hash=own_hash)
    if mem.misc[Misc.PLATFORMS] >= len(mem.platforms):
        names, lengths, entries = _more_names(mem.platforms, mem.platform_lengths, MAX_PLATFORMS, "platforms")
        return mem._replace(platforms=names, platform_lengths=lengths, platform_table=entries)
    if mem.misc[Misc.ZONES] >= len(mem.zones):
        names, lengths, entries = _more_names(mem.zones, mem.zone_lengths, MAX_ZONES, "zones")
        return mem._replace(zones=names, zone_lengths=lengths, zone_table=entries)
    return mem


def _longer(array: Array) -> Array:
    """The array with twice the first dimension; what is new is zero."""
    grown = np.zeros((2 * array.shape[0], *array.shape[1:]), dtype=array.dtype)
    grown[: array.shape[0]] = array
    return grown  # type: ignore[return-value]


def _more_names(names: U8, lengths: U8, most: int, what: str) -> tuple[U8, U8, I64]:
    """Twice the room for names, and the table of them made anew."""
    if len(names) >= most:
        message = (
            f"{len(names)} {what} seen, at most {most}: the names in the feed are not administrative codes"
        )
        raise CapacityError(message)
    table = np.zeros(SLOTS * 2 * len(names), dtype=np.int64)
    reenter_names(names, lengths, table)
    return _longer(names), _longer(lengths), table


def new_memory(limits: int, capacity: int = 1024, names: int = NAMES) -> Memory:
    """The arrays of a store without riders, under so many limits."""
    row_words = Row.row_words_for(limits)
    heap_meta = np.zeros(blocks.META_WORDS, dtype=np.int64)
    heap_meta[blocks.TOP] = blocks.SMALLEST
    return Memory(
        rows=np.zeros((capacity, row_words), dtype=np.int64),
        wake=np.zeros(capacity, dtype=np.int64),
        ids=np.zeros((capacity, ID_BYTES), dtype=np.uint8),
        id_lengths=np.zeros(capacity, dtype=np.uint8),
        table=np.zeros(SLOTS * capacity, dtype=np.int64),
        table_hash=np.zeros(SLOTS * capacity, dtype=np.uint64),
        own=np.zeros(SLOTS * capacity, dtype=np.int64),
        own_hash=np.zeros(SLOTS * capacity, dtype=np.uint64),
        platforms=np.zeros((names, ID_BYTES), dtype=np.uint8),
        platform_lengths=np.zeros(names, dtype=np.uint8),
        zones=np.zeros((names, ID_BYTES), dtype=np.uint8),
        zone_lengths=np.zeros(names, dtype=np.uint8),
        platform_table=np.zeros(SLOTS * names, dtype=np.int64),
        zone_table=np.zeros(SLOTS * names, dtype=np.int64),
        heap=np.zeros(1 << 16, dtype=np.int64),
        heap_meta=heap_meta,
        state=np.zeros(row_words, dtype=np.int64),
        orders=np.zeros((OPEN, Open.ORDER_WORDS), dtype=np.int64),
        open_platforms=np.zeros((OPEN, Open.PLATFORM_WORDS), dtype=np.int64),
        verdicts=np.zeros(1 << 14, dtype=np.int64),
        ended=np.zeros(2 * OPEN, dtype=np.int64),
        breaches=np.zeros(OPEN, dtype=np.int64),
        out=np.zeros(1 << 17, dtype=np.int64),
        touched=np.zeros(capacity, dtype=np.int64),
        misc=np.zeros(Misc.WORDS, dtype=np.int64),
        seq=np.zeros(capacity, dtype=np.int64),
        briefs=np.zeros((capacity, Brief.WORDS), dtype=np.int64),
        page_head=np.zeros(PAGES, dtype=np.int64),
        page_dirty=np.zeros(PAGES, dtype=np.uint8),
        page_from=np.zeros(PAGES, dtype=np.int64),
        page_estimated=np.full(PAGES, PAST, dtype=np.int64),
    )
