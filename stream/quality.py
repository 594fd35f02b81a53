"""How good the evidence of each platform is: what came late and what was refused, per fetched chunk."""

from __future__ import annotations

from collections import Counter

import numpy as np

from detectors.kernels.layout import FORGOTTEN, MISPLACED, REFUSED_BEFORE, REPEATED
from schemas.decode import Decoded

#: Accepted, but so long after it happened that a dispatcher had to decide without it; seconds.
LATE_S = 300
#: Of FNV-1a; 64 bits tell platforms apart, whose names nobody chooses with that in mind.
_FACTOR = np.uint64(0x100000001B3)


def by_platform(decoded: Decoded, codes: np.ndarray, *, measured: bool) -> Counter[tuple[str, str]]:
    """Counts ``("late", platform)`` and ``("refused", platform)`` of a chunk that was ingested.

    ``measured``: arrivals are Kafka's, so lateness is known (it is not under the event clock). What is no
    event at all names no platform and is not counted here.
    """
    columns = decoded.columns
    found: Counter[tuple[str, str]] = Counter()
    if measured:
        late = columns.arrival_ms - columns.event_s * 1000 > LATE_S * 1000
        _count(found, "late", decoded, np.flatnonzero(late & (codes <= REPEATED)))
    refused = (codes > REFUSED_BEFORE) & (codes != MISPLACED) & (codes != FORGOTTEN)
    _count(found, "refused", decoded, np.flatnonzero(refused))
    return found


def _count(found: Counter[tuple[str, str]], what: str, decoded: Decoded, indices: np.ndarray) -> None:
    """Count the platforms of some events: a pass for each platform, which are few."""
    if not len(indices):
        return
    begins, lengths = decoded.columns.platform_off[indices], decoded.columns.platform_len[indices]
    keys = lengths.astype(np.uint64)
    for place in range(int(lengths.max())):
        inside = place < lengths
        letters = decoded.buf[np.where(inside, begins + place, 0)]
        keys = np.where(inside, keys * _FACTOR + letters, keys)
    while len(keys):
        same = keys == keys[0]
        begin = int(begins[0])
        name = decoded.buf[begin : begin + int(lengths[0])].tobytes().decode("ascii")
        found[what, name] += int(same.sum())
        keys, begins, lengths = keys[~same], begins[~same], lengths[~same]
