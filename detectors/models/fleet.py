"""What models say at one instant of all riders who are at work, read from a store's rows.

The arrays may be written meanwhile: every place that is followed is checked against the bounds of the array
it is followed into, and spans that are not in order end the rider. A value can be off for a moment.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from detectors.models import alertness, risk
from detectors.models.instants import F64, I64, Zone
from detectors.models.jit import kernel

_DAY_S = 86_400
#: What lies longer ago changes nothing that could be told apart: a night leaves an eighth of a difference.
LOOKS_BACK_S = 21 * _DAY_S
MOST_SPANS = 4_096


class Words(NamedTuple):
    """Where of a row a clock's words lie: whether it runs, since when, how many spans, their block."""

    run: int
    edge: int
    spans: int
    block: int
    span_words: int


class Scratch(NamedTuple):
    """Room for one rider."""

    spans: I64
    alertness: F64
    risk: F64
    instant: I64
    told_alertness: F64
    told_risk: F64


def new_scratch() -> Scratch:
    """Room for one rider."""
    return Scratch(
        np.zeros((MOST_SPANS, 2), dtype=np.int64),
        np.zeros(alertness.STATE_WORDS),
        np.zeros(risk.STATE_WORDS),
        np.zeros(1, dtype=np.int64),
        np.zeros((1, alertness.COLUMNS)),
        np.zeros((1, risk.COLUMNS)),
    )


@kernel
def at_work(
    rows: I64, heap: I64, words: Words, zone: Zone, now: int, scratch: Scratch, kss: F64, relative: F64
) -> None:
    """Write the KSS and the relative risk of each row at ``now``; NaN of who is not at work.

    The KSS is NaN within the nights of warm-up too: the spans that are kept do not reach back so far.
    """
    spans = scratch.spans
    for row in range(rows.shape[0]):
        kss[row] = np.nan
        relative[row] = np.nan
        edge, count, block = rows[row, words.edge], rows[row, words.spans], rows[row, words.block]
        if rows[row, words.run] != 1 or edge >= now or count < 0 or block < 0:
            continue
        if block + count * words.span_words > heap.shape[0]:
            continue
        found, former, sound = 0, -(1 << 60), True
        for index in range(max(0, count - MOST_SPANS + 1), count):
            word = block + index * words.span_words
            start, end = heap[word], heap[word + 1] >> 1
            if start < former or end <= start or end > edge:
                sound = False
                break
            former = end
            if end > now - LOOKS_BACK_S:
                spans[found, 0], spans[found, 1] = start, end
                found += 1
        if not sound:
            continue
        spans[found, 0], spans[found, 1] = edge, now
        scratch.instant[0] = now
        risk.predict(scratch.risk, zone, spans[: found + 1], scratch.instant, scratch.told_risk)
        relative[row] = scratch.told_risk[0, risk.RELATIVE]
        if spans[0, 0] <= now - alertness.WARM_UP_NIGHTS * _DAY_S:
            alertness.predict(
                scratch.alertness, zone, spans[: found + 1], scratch.instant, scratch.told_alertness
            )
            kss[row] = scratch.told_alertness[0, alertness.KSS]
