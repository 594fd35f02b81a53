"""Which ids came before, as far back as some ten thousand: a set of fixed size."""

from __future__ import annotations

import numpy as np

from schemas.encode.columns import U8, U64
from schemas.encode.jit import kernel

_SETS, _WAYS = 16_384, 4


@kernel
def mark_first(ids: U64, known: U64, first: U8) -> None:
    """Set ``first`` where an id is not known yet, and know it from then on, in place of an old one."""
    for index in range(ids.shape[0]):
        place = np.int64(ids[index] % np.uint64(known.shape[0]))
        first[index] = 1
        for way in range(known.shape[1]):
            if known[place, way] == ids[index]:
                first[index] = 0
        if first[index] == 1:
            for way in range(known.shape[1] - 1, 0, -1):
                known[place, way] = known[place, way - 1]
            known[place, 0] = ids[index]


class KnownIds:
    """Ids by their first 64 bits; of those in one place the oldest is forgotten first."""

    def __init__(self) -> None:
        self._known = np.zeros((_SETS, _WAYS), dtype=np.uint64)

    def first(self, ids: U64) -> U8:
        """By id, 1 when it comes for the first time."""
        first = np.empty(len(ids), dtype=np.uint8)
        mark_first(ids, self._known, first)
        return first
