"""What evidence each platform sends, per fetched chunk: how much, how much of it late, how much refused.

Counted with numpy over the columns of a chunk, some 10 ns per event (`benchmarks/bench_scrape.py`).
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt

from detectors.kernels.layout.codes import DOUBTS, FORGOTTEN, MISPLACED, REFUSED_BEFORE, REPEATED
from schemas.decode import Decoded
from schemas.work_state import platform_of

#: Accepted, but so long after it happened that a dispatcher had to decide without it; seconds.
LATE_S = 300
#: Platforms told apart in one partition; whoever invents names must not fill the memory with them.
MOST_PLATFORMS = 256
OTHER = "other"
#: Refused, but JSON: most of them say whose they are.
_READABLE = frozenset({"invalid", "unsupported_schema"})
#: Of FNV-1a; 64 bits tell platforms apart, whose names nobody chooses with that in mind.
_FACTOR = np.uint64(0x100000001B3)
_WORD = 8
#: By bytes that are left of a name, those of a word that belong to it.
_INSIDE = np.array([(1 << 8 * min(left, _WORD)) - 1 for left in range(65)], dtype=np.uint64)

U64 = npt.NDArray[np.uint64]


class Evidence:
    """Counts the evidence of one partition by platform."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        #: The keys that were met, ascending.
        self._known: U64 = np.zeros(0, dtype=np.uint64)

    def of(self, decoded: Decoded, codes: np.ndarray, *, measured: bool) -> Counter[tuple[str, str]]:
        """Counts ``("taken" | "late" | "refused", platform)`` of a chunk that was ingested.

        Taken are all that were accepted, late those of them that came late. ``measured``: arrivals are
        Kafka's, so lateness is known (it is not under the event clock). What names no platform, or cannot be
        read, is not counted here.
        """
        found: Counter[tuple[str, str]] = Counter()
        columns = decoded.columns
        keys = _keys(decoded)
        taken = codes <= REPEATED
        self._count(found, "taken", decoded, keys, taken)
        if measured:
            late = columns.arrival_ms - columns.event_s * 1000 > LATE_S * 1000
            self._count(found, "late", decoded, keys, late & taken)
        if int(codes.max(initial=0)) > REFUSED_BEFORE:
            refused = (codes > REFUSED_BEFORE) & (codes != MISPLACED) & (codes != FORGOTTEN)
            self._count(found, "refused", decoded, keys, refused)
        for one in decoded.rejects:
            name = platform_of(decoded.value(one.index)) if one.reason in _READABLE else None
            if name is not None:
                found["refused", self._name(_key(name), name)] += 1
        return found

    def doubtful(self, decoded: Decoded, doubts: np.ndarray) -> Counter[tuple[str, str]]:
        """Counts ``("doubtful", "platform/kind")`` of a chunk's doubts (`RiderStore.doubts`)."""
        found: Counter[tuple[str, str]] = Counter()
        if not doubts.any():
            return found
        keys = _keys(decoded)
        for bit, kind in enumerate(DOUBTS):
            each: Counter[tuple[str, str]] = Counter()
            self._count(each, kind, decoded, keys, doubts & 1 << bit != 0)
            found.update({("doubtful", f"{platform}/{kind}"): count for (_, platform), count in each.items()})
        return found

    def _count(
        self,
        found: Counter[tuple[str, str]],
        what: str,
        decoded: Decoded,
        keys: U64,
        which: npt.NDArray[np.bool_],
    ) -> None:
        chosen = keys[which]
        if not len(chosen):
            return
        places = np.searchsorted(self._known, chosen)
        if not len(self._known) or (self._known[np.minimum(places, len(self._known) - 1)] != chosen).any():
            if len(self._known) >= MOST_PLATFORMS:
                self._known = np.unique(chosen)
            self._known = np.union1d(self._known, chosen)
            places = np.searchsorted(self._known, chosen)
        counts = np.bincount(places)
        for place in np.flatnonzero(counts).tolist():
            key = int(self._known[place])
            found[what, self._names.get(key) or self._read(decoded, keys, key)] += int(counts[place])

    def _read(self, decoded: Decoded, keys: U64, key: int) -> str:
        """The name behind a key that is new."""
        if len(self._names) >= MOST_PLATFORMS:
            return OTHER
        index = int(np.argmax(keys == key))
        begin = int(decoded.columns.platform_off[index])
        end = begin + int(decoded.columns.platform_len[index])
        return self._name(key, decoded.buf[begin:end].tobytes().decode("ascii"))

    def _name(self, key: int, name: str) -> str:
        if key not in self._names:
            if len(self._names) >= MOST_PLATFORMS:
                return OTHER
            self._names[key] = name
        return name


def _key(name: str) -> int:
    """The number of `_keys` for one name."""
    text, key = name.encode(), len(name)
    for place in range(0, len(text), _WORD):
        key = key * int(_FACTOR) % (1 << 64) ^ int.from_bytes(text[place : place + _WORD], "little")
    return key


def _keys(decoded: Decoded) -> U64:
    """A number for each record's platform, from eight bytes of the name at a time."""
    begins, lengths = decoded.columns.platform_off, decoded.columns.platform_len
    keys = lengths.astype(np.uint64)
    last = len(decoded.buf) - _WORD
    if last < 0:
        return keys
    # A word at every byte of the buffer, without a copy.
    words = np.ndarray((last + 1,), dtype="<u8", buffer=decoded.buf.data, strides=(1,))
    for place in range(0, int(lengths.max(initial=0)), _WORD):
        at = begins + place
        word = words[np.minimum(at, last)]
        if int(at.max()) > last:
            # Names at the very end: the word that was read begins before them.
            word >>= (8 * np.minimum(np.maximum(at - last, 0), _WORD - 1)).astype(np.uint64)
        if place == 0:
            keys = keys * _FACTOR ^ (word & _INSIDE[lengths])
        else:
            left = np.maximum(lengths.astype(np.int64) - place, 0)
            # A name's number must not depend on the longest name beside it.
            keys = np.where(left > 0, keys * _FACTOR ^ (word & _INSIDE[left]), keys)
    return keys
