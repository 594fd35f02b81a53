"""Types of arrays, the values that stand for none, never and since ever, and how much there may be."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
U8 = npt.NDArray[np.uint8]

NONE = -1
INF = 1 << 60
PAST = -(1 << 60)

MAX_LIMITS = 32
MAX_WARNINGS = 24
MAX_PARTS = 4
#: Merged intervals that a verdict shows, the last ones (CONTRACT 7).
EVIDENCE_SPANS = 50
#: Distinct events of one rider that may be not final at once (CONTRACT 3, `flood`).
FLOOD_EVENTS = 4096
#: Platforms remembered per rider; a new one takes the place of the one that was silent longest.
MOST_MEMBERS = 64
#: The longest id, in bytes (CONTRACT 3).
ID_BYTES = 64
#: Pages of a partition's checkpoint; a rider's page is the top bits of the hash of the id.
PAGES = 4096
PAGE_SHIFT = 52
#: Words of a cache line.
LINE_WORDS = 8

DAY_S = 86_400
WEEK_S = 7 * DAY_S
#: Verdicts are final when now is later by more than the allowed lateness and this (CONTRACT 1).
FINALITY_SLACK_S = 3600
