"""What policies in the shadow would do now, of the riders of this machine."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from detectors.kernels.layout import row as Row, state as State
from detectors.kernels.reading.columns import Shared
from detectors.limits import Limit, LimitTable
from schemas.policy import Policy
from stream.api.queries.partitions import Partitions
from stream.metrics.hold_counts import holds_now
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
    holding, breaches = holds_now(rows, shared.heap, len(limits))
    working = rows[:, Row.head_for(len(limits)) + State.ORDERS] > 0
    found: Counter[tuple[int, str]] = Counter()
    for index in range(len(limits)):
        held = holding[:, index]
        found[index, "riders_on_hold"] = int(np.count_nonzero(held))
        found[index, "working"] = int(np.count_nonzero(held & working))
        found[index, "orders_accepted"] = breaches[index]
    return found
