"""Words of `Memory.misc`: counters, and what passes from one kernel to the next."""

from __future__ import annotations

from detectors.kernels.layout.codes import CLOCK_COUNT
from detectors.kernels.layout.words import Words

_misc = Words()
#: Words used of `verdicts`, whether it was too small, words used of `out`.
VERDICTS, OVERFLOW, OUT = _misc.each(3)
#: Riders, how many of them are touched.
ROWS, TOUCHED = _misc.each(2)
#: Used of `ended` and of `breaches`; whether the rider confirmed at the instant.
ENDED, BREACHES, CONFIRMED = _misc.each(3)
#: A bit for each limit whose hold an operator's review lifts at the instant.
LIFTED = _misc.one()
#: Of each clock: whether a maximum ended something that ran it at the instant; whether it ran before the
#: instant, and since when it did so; whether it runs after it.
BY_MAXIMUM = _misc.block(CLOCK_COUNT)
BEFORE_RUN = _misc.block(CLOCK_COUNT)
BEFORE_EDGE = _misc.block(CLOCK_COUNT)
RUNS = _misc.block(CLOCK_COUNT)
#: The instant at which the state stood before, and the rider's zone then.
BEFORE_AT, BEFORE_ZONE = _misc.each(2)
#: Names of platforms and zones.
PLATFORMS, ZONES = _misc.each(2)
#: Whether a rider is being sealed; whether differences are told; the wall clock's second that stamps them.
SEALING, LIVE, WALL = _misc.each(3)
#: Takes what is read only to bring it near.
PREFETCHED = _misc.one()
#: Odd while riders are being moved to other rows, or entries of `Memory.own` to other slots.
MOVES = _misc.one()
#: How many entries `Memory.own` has.
OWN = _misc.one()
WORDS = _misc.size
