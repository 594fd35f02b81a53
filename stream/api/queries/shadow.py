"""What policies in the shadow would do now, of the riders of this machine."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from detectors.kernels.layout import codes, record as Record, row as Row, state as State
from detectors.kernels.layout.values import EVIDENCE_SPANS, I64, NONE
from detectors.kernels.reading.columns import Shared
from detectors.limits import Limit, LimitTable
from schemas.policy import Policy
from stream.api.queries.partitions import Partitions
from stream.policies.calendars import window_starts
from stream.policies.limits import limits_of
from stream.policies.shadow import in_the_shadow
from stream.settings import Settings

Document = dict[str, Any]
_COUNTS = ("riders_on_hold", "working", "orders_accepted")


class ShadowQuery(Partitions):
    """Counts what is in the shadow of this machine's workers."""

    @classmethod
    def of(
        cls, settings: Settings, in_force: Sequence[Policy], wall: Callable[[], float] = time.time
    ) -> ShadowQuery | None:
        """What asks the shadow; None where there is none."""
        policies = in_the_shadow(settings.shadow_policies, in_force)
        if not policies:
            return None
        table = LimitTable(limits_of(policies), window_starts)
        return cls(settings.in_the_shadow(), table, settings.store(0), wall)

    def rows(self) -> list[Document]:
        """By limit, riders whom it would hold, those with an order in hand, and orders they accepted.

        Orders are counted while they are not final: for the allowed lateness and an hour. Nothing where no
        partition may be believed: a nought would read as nobody.
        """
        sums: Counter[tuple[int, str]] = Counter()
        seen = False
        for health in self.healths():
            partition = self._of_thread(health.partition)
            shared = partition.arrays() if health.why_not is None else None
            if shared is None:
                continue
            found = count(shared, min(health.riders, len(shared.rows)), self.limits.limits)
            if partition.is_current():
                sums.update(found)
                seen = True
        if not seen:
            return []
        return [
            {"policy": limit.policy, "limit": limit.name, **{name: sums[index, name] for name in _COUNTS}}
            for index, limit in enumerate(self.limits.limits)
        ]


def count(shared: Shared, riders: int, limits: Sequence[Limit]) -> Counter[tuple[int, str]]:
    """The counts of one partition, by place of the limit."""
    rows = shared.rows[:riders]
    head = Row.head_for(len(limits))
    found: Counter[tuple[int, str]] = Counter()
    for index in range(len(limits)):
        held = rows[:, head + State.limit_at(index) + State.LIMIT_HOLD_FROM] != NONE
        held &= rows[:, Row.STATUS] != NONE
        found[index, "riders_on_hold"] = int(np.count_nonzero(held))
        found[index, "working"] = int(np.count_nonzero(held & (rows[:, head + State.ORDERS] > 0)))
    for index, orders in _breaches(rows, shared.heap, len(limits)).items():
        found[index, "orders_accepted"] = orders
    return found


def _breaches(rows: I64, heap: I64, limits: int) -> Counter[int]:
    """Breaches among what was told and is not final; every place that is followed is looked at first."""
    found: Counter[int] = Counter()
    at = rows[:, Row.TOLD].copy()
    end = at + rows[:, Row.TOLD_WORDS]
    walking = np.flatnonzero((at > 0) & (end <= len(heap)))
    while len(walking := walking[at[walking] + Record.WORDS <= end[walking]]):
        place = at[walking]
        key, spans = heap[place + Record.KEY], heap[place + Record.SPANS]
        limit = (key >> Record.KEY_LIMIT_SHIFT) & Record.KEY_LIMIT_MASK
        breach = (key >> Record.KEY_KIND_SHIFT == codes.HOLD_BREACHED) & (limit < limits)
        found.update(limit[breach].tolist())
        at[walking] += Record.WORDS + 2 * spans
        walking = walking[(spans >= 0) & (spans <= EVIDENCE_SPANS)]
    return found
