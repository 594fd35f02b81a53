"""Riders to ask about, as columns for `detectors.reading`; apart, for that loads more than judging does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detectors.kernels.layout.values import I64
from detectors.kernels.reading.columns import Asked
from detectors.reading import blank_asked
from schemas.decode.hashing import hash_ids


def asked_of(riders: Sequence[str]) -> tuple[Asked, I64]:
    """Columns over riders' ids, and the hashes that say which partitions are theirs."""
    joined = "".join(riders).encode()
    asked = blank_asked(np.frombuffer(joined or b"\0", dtype=np.uint8), len(riders))
    asked.length[:] = np.fromiter(map(len, riders), dtype=np.int64, count=len(riders))
    asked.off[:] = np.cumsum(asked.length) - asked.length
    murmurs = np.zeros(len(riders), dtype=np.int64)
    hash_ids(asked.buf, asked.off, asked.length, asked.hash, murmurs)
    return asked, murmurs
