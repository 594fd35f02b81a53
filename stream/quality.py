"""How good the evidence of each platform is: what came late and what was refused, per fetched chunk."""

from __future__ import annotations

from collections import Counter

import numpy as np

from detectors.kernels.layout import FORGOTTEN, MISPLACED, REFUSED_BEFORE, REPEATED
from schemas.decode import Decoded

#: Accepted, but so long after it happened that a dispatcher had to decide without it; seconds.
LATE_S = 300


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
    if not len(indices):
        return
    begins, lengths = decoded.columns.platform_off[indices], decoded.columns.platform_len[indices]
    width = np.arange(int(lengths.max()))
    inside = width < lengths[:, None]
    letters = np.where(inside, decoded.buf[np.where(inside, begins[:, None] + width, 0)], 0).astype(np.uint8)
    names, counts = np.unique(letters.view(f"S{len(width)}").ravel(), return_counts=True)
    for name, count in zip(names.tolist(), counts.tolist(), strict=True):
        found[what, name.decode("ascii")] += count
