"""Metrics of policies in the shadow: whom they would hold, and who worked on meanwhile."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from detectors.store import RiderStore
from stream.metrics.families import counter, gauge
from stream.metrics.hold_counts import holds_now
from stream.metrics.regulator import Counted, Judging, Platforms
from stream.metrics.rider_counts import head_at, orders_in_hand

Names = tuple[str, str]


class Held(NamedTuple):
    """By policy and limit, riders whom it would hold, and those of them with an order in hand."""

    riders: Counter[Names]
    working: Counter[Names]


def held(store: RiderStore) -> Held:
    """Count; a rider whom several limits would hold counts for each. Reads only, beside the worker."""
    memory = store.memory
    rows = memory.rows[: min(store.riders, len(memory.rows))]
    holding = holds_now(rows, memory.heap, len(store.limits.limits)).held
    found = Held(Counter(), Counter())
    for index, limit in enumerate(store.limits.limits):
        own, names = rows[holding[:, index]], (limit.policy, limit.name)
        found.riders[names] = len(own)
        found.working[names] = int(np.count_nonzero(orders_in_hand(store, own, head_at(store))[0]))
    return found


class ShadowCollector(Collector):
    """Turns the shadows of a worker's partitions into metric families when asked.

    Parameters
    ----------
    shadows
        Those of the partitions that the worker works on.
    past
        What was counted in those it has given up.
    """

    def __init__(self, shadows: Callable[[], Sequence[Judging]], past: Counted) -> None:
        self._shadows = shadows
        self._past = past
        self._platforms = Platforms()
        self._last: dict[int, tuple[RiderStore, int, Counter[Names]]] = {}
        self._worked: dict[Names, float] = defaultdict(float)
        self._lock = threading.Lock()

    def collect(self) -> Iterator[Metric]:
        """All families, read now."""
        with self._lock:
            families = list(self._collect())
        yield from families

    def _collect(self) -> Iterator[Metric]:
        shadows = list(self._shadows())
        riders: Counter[Names] = Counter()
        for one in shadows:
            found = held(one.store)
            riders.update(found.riders)
            # A limit that holds nobody has a line too: what is first seen at 1 has no rate.
            riders.update(dict.fromkeys(found.riders, 0))
            self._work(one, found.working)
        labels = ["policy", "limit"]
        text = "Riders whom a limit in the shadow would hold; one counts for each such limit."
        on_hold = gauge("respite_shadow_riders_on_hold", text, labels)
        for names, count in sorted(riders.items()):
            on_hold.add_metric(names, count)
        yield on_hold
        begun, accepted = _counted([*shadows, self._past])
        text = "Holds that limits in the shadow would have begun."
        yield _counters("respite_shadow_holds", text, {*riders, *begun}, begun)
        text = "Seconds with an order in hand in what a limit in the shadow would have made a hold."
        yield _counters("respite_shadow_hold_work_seconds", text, {*riders, *self._worked}, self._worked)
        text = "Orders accepted where a policy in the shadow would have held, each once per policy."
        orders = counter("respite_shadow_orders_accepted", text, ["platform"])
        for platform, seen in self._platforms.summed(accepted).items():
            orders.add_metric([platform], seen)
        yield orders

    def _work(self, one: Judging, working: Counter[Names]) -> None:
        """The mean of two counts holds between them."""
        if one.now_s is None:
            return
        before, now_s = self._last.get(one.number), one.now_s
        self._last[one.number] = one.store, now_s, working
        if before is not None and before[0] is one.store:
            for then in (before[2], working):
                for names, riders in then.items():
                    self._worked[names] += riders * (now_s - before[1]) / 2


def _counters(name: str, text: str, known: set[Names], counts: Mapping[Names, float]) -> Metric:
    family = counter(name, text, ["policy", "limit"])
    for names in sorted(known):
        family.add_metric(names, counts.get(names, 0))
    return family


def _counted(found: Sequence[Counted]) -> tuple[Counter[Names], dict[str, float]]:
    begun: Counter[Names] = Counter()
    accepted: dict[str, float] = defaultdict(float)
    for one in found:
        for (kind, label), count in list(one.counts.items()):
            if kind == "holds":
                policy, _, limit = label.partition("/")
                begun[policy, limit] += count
            elif kind == "breaches":
                accepted[label] += count
    return begun, accepted
