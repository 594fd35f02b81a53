"""Riders asked about together, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detectors.kernels.layout.values import I64
from detectors.kernels.reading.columns import ANSWER_WORDS, Asked, Shared
from detectors.reading import blank_asked
from schemas.decode.hashing import hash_ids
from schemas.decode.rounds import Candidates
from stream.asked_columns import asked_of


@dataclass(frozen=True, slots=True)
class Batch:
    """Riders asked about together: what is asked, and the hashes that say which partitions are theirs."""

    asked: Asked
    murmurs: I64

    @classmethod
    def of(cls, riders: Sequence[str], minutes: Sequence[float]) -> Batch:
        """Columns over the riders' ids."""
        asked, murmurs = asked_of(riders)
        asked.seconds[:] = np.fromiter(minutes, dtype=np.int64, count=len(riders)) * 60
        return cls(asked, murmurs)

    @classmethod
    def of_candidates(cls, read: Candidates) -> Batch:
        """Columns over the body that they were read from."""
        asked = Asked(
            buf=read.buf,
            off=read.off,
            length=read.length,
            hash=read.hashes,
            seconds=read.minutes * 60,
            answers=np.zeros((len(read.off), ANSWER_WORDS), dtype=np.int64),
        )
        return cls(asked, read.murmurs)

    @classmethod
    def of_rows(cls, shared: Shared, count: int) -> Batch:
        """The riders of the first rows, for an order of no length; those who move meanwhile are left out."""
        ids = shared.ids[:count].copy().ravel()
        # As the bytes of a question are: kernels are compiled for each kind of array.
        ids.flags.writeable = False
        asked = blank_asked(ids, count)
        asked.length[:] = shared.id_lengths[:count]
        asked.off[:] = np.arange(count) * shared.ids.shape[1]
        murmurs = np.zeros(count, dtype=np.int64)
        hash_ids(asked.buf, asked.off, asked.length, asked.hash, murmurs)
        return cls(asked, murmurs)

    def __len__(self) -> int:
        return len(self.murmurs)

    def riders(self) -> list[str]:
        """The ids of all riders asked about."""
        text = self.asked.buf.tobytes().decode("ascii")
        ends = (self.asked.off + self.asked.length).tolist()
        return [text[off:end] for off, end in zip(self.asked.off.tolist(), ends, strict=True)]

    def rider(self, index: int) -> str:
        """The id of a rider asked about."""
        off = int(self.asked.off[index])
        return bytes(self.asked.buf[off : off + int(self.asked.length[index])]).decode("ascii")
