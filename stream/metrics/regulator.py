"""The regulator's metrics: riders on hold and near a limit, holds, breaches, evidence by platform, zones."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from detectors.kernels.layout.codes import DOUBTS
from detectors.limits import Limit
from detectors.store import RiderStore
from detectors.verdicts import STATUSES
from stream.metrics.evidence_quality import OTHER
from stream.metrics.families import counter, gauge
from stream.metrics.rider_counts import RiderCounts, RiderCountsByPartition

#: Platforms with a label of their own, first come first served; the rest are `other`.
MOST_PLATFORMS = 50
#: Zones with a label of their own, those with most riders; the rest are `other`.
MOST_ZONES = 200


_PLATFORM_LIMIT = ("platform", "policy", "limit")


class Counted(Protocol):
    """What is read of a partition that was given up."""

    counts: Any


class Judging(Counted, Protocol):
    """What is read of a partition that is ours."""

    number: int
    store: RiderStore

    @property
    def now_s(self) -> int | None:
        """*now*, None while the state is being rebuilt."""


class Platforms:
    """Which platforms have a label: at most fifty, and none loses it again, or counters would go back."""

    def __init__(self, most: int = MOST_PLATFORMS) -> None:
        self._most = most
        self._known: set[str] = set()

    def summed(self, counts: Mapping[str, float]) -> dict[str, float]:
        """Counts by platform as counts by label; the greatest come first where not all find room.

        Every label that there ever was is in it: what is first seen at 1 has no rate.
        """
        labelled: dict[str, float] = dict.fromkeys(self._known, 0)
        for name, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
            if name not in self._known and len(self._known) < self._most:
                self._known.add(name)
            label = name if name in self._known else OTHER
            labelled[label] = labelled.get(label, 0) + count
        return dict(sorted(labelled.items()))


class Worked:
    """Time with an order in hand on a hold: the number of such riders, summed over *now* between scrapes."""

    def __init__(self) -> None:
        self._last: dict[int, tuple[RiderStore, int, RiderCounts]] = {}
        self.limits: dict[tuple[str, str], float] = defaultdict(float)
        self.platforms: dict[str, float] = defaultdict(float)

    def add(self, one: Judging, tally: RiderCounts) -> None:
        """Take a partition's tally at its *now*; the mean of two tallies holds between them."""
        if one.now_s is None:
            return
        now_s = one.now_s
        before = self._last.get(one.number)
        self._last[one.number] = one.store, now_s, tally
        if before is None or before[0] is not one.store:
            return
        half_s = (now_s - before[1]) / 2
        for then in (before[2], tally):
            for index, riders in then.working.items():
                self.limits[_names(one.store.limits.limits[index])] += riders * half_s
            for platform, riders in then.orders.items():
                self.platforms[platform] += riders * half_s


def _names(limit: Limit) -> tuple[str, str]:
    return limit.policy, limit.name


class RegulatorCollector(Collector):
    """Turns the stores of a worker's partitions into metric families when asked.

    Parameters
    ----------
    partitions
        The partitions that the worker works on.
    past
        What was counted in those it has given up.
    zone_digits
        How many characters of a zone's code become a label; 0: zones are not shown.
    """

    def __init__(
        self, partitions: Callable[[], Sequence[Judging]], past: Counted | None, zone_digits: int
    ) -> None:
        self._partitions = partitions
        self._past: Sequence[Counted] = [past] if past is not None else []
        self._zone_digits = zone_digits
        self._tallies = RiderCountsByPartition()
        self._platforms = Platforms()
        self._worked = Worked()
        #: Limits that hold, as counters name them.
        self._holding: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def collect(self) -> Iterator[Metric]:
        """All families, read now."""
        # Two scrapes at once would count the time between them twice.
        with self._lock:
            families = list(self._collect())
        yield from families

    def _collect(self) -> Iterator[Metric]:
        found = [(one, self._tally(one)) for one in self._partitions()]
        self._tallies.keep_only({one.number for one, _ in found})
        for one, tally in found:
            self._worked.add(one, tally)
            self._holding |= {_names(limit) for limit in one.store.limits.limits if limit.effect != "remind"}
        yield self._statuses([tally for _, tally in found])
        yield self._platform_riders([tally for _, tally in found])
        yield self._platform_working([tally for _, tally in found])
        yield self._unserved([tally for _, tally in found])
        yield from _by_limit(found)
        yield from self._by_platform_and_limit(found)
        yield from self._counted([*(one for one, _ in found), *self._past])
        yield from self._hold_work()
        if self._zone_digits:
            yield _by_zone(found, self._zone_digits)

    def _tally(self, one: Judging) -> RiderCounts:
        return self._tallies.of(one.number, one.store, zones=self._zone_digits > 0)

    def _statuses(self, tallies: Sequence[RiderCounts]) -> Metric:
        family = gauge("respite_riders", "Riders by their dispatch status.", ["status"])
        for index, status in enumerate(STATUSES):
            family.add_metric([status], sum(tally.statuses[index] for tally in tallies))
        return family

    def _platform_riders(self, tallies: Sequence[RiderCounts]) -> Metric:
        text = "Riders who are the platform's own, by dispatch status; a rider counts for each."
        family = gauge("respite_platform_riders", text, ["platform", "status"])
        sums: Counter[tuple[str, str]] = Counter()
        for tally in tallies:
            sums.update(tally.platforms)
        platforms = {platform for platform, _ in sums}
        for status in STATUSES:
            counts = {platform: sums[platform, status] for platform in platforms}
            for platform, count in self._platforms.summed(counts).items():
                family.add_metric([platform, status], count)
        return family

    def _platform_working(self, tallies: Sequence[RiderCounts]) -> Metric:
        text = "Riders on hold with an order of the platform in hand."
        family = gauge("respite_platform_riders_working_on_hold", text, ["platform"])
        counts: Counter[str] = Counter()
        for tally in tallies:
            counts.update(tally.orders)
        for platform, count in self._platforms.summed(counts).items():
            family.add_metric([platform], count)
        return family

    def _unserved(self, tallies: Sequence[RiderCounts]) -> Metric:
        text = "Riders whom the platform claims by sessions or breaks without an order of its within a day."
        family = gauge("respite_platform_riders_without_orders", text, ["platform"])
        counts: Counter[str] = Counter()
        for tally in tallies:
            counts.update(dict.fromkeys((platform for platform, _ in tally.platforms), 0))
            counts.update(tally.unserved)
        for platform, count in self._platforms.summed(counts).items():
            family.add_metric([platform], count)
        return family

    def _by_platform_and_limit(self, found: Sequence[tuple[Judging, RiderCounts]]) -> Iterator[Metric]:
        for field, name, text in (
            ("held_platforms", "respite_platform_riders_on_hold", "Riders on hold"),
            ("near_platforms", "respite_platform_riders_near_limit", "Riders approaching"),
        ):
            family = gauge(name, f"{text}, each for each of his platforms, by limit.", _PLATFORM_LIMIT)
            sums: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
            for one, tally in found:
                counts: Counter[tuple[str, int]] = getattr(tally, field)
                for limit in one.store.limits.limits:
                    sums[_names(limit)].update()
                for (platform, index), count in counts.items():
                    sums[_names(one.store.limits.limits[index])][platform] += count
            for names, by_platform in sorted(sums.items()):
                for platform, riders in self._platforms.summed(by_platform).items():
                    family.add_metric([platform, *names], riders)
            yield family

    def _counted(self, found: Sequence[Counted]) -> Iterator[Metric]:
        holds = counter("respite_holds", "Holds begun, each counted once.", ["policy", "limit"])
        begun = {f"{policy}/{limit}": 0.0 for policy, limit in self._holding} | _summed(found, "holds")
        for label, count in sorted(begun.items()):
            holds.add_metric(label.split("/", 1), count)
        yield holds
        for kind, name, text in (
            ("platform_holds", "respite_platform_holds", "Holds begun of riders of the platform."),
            ("breaches", "respite_breaches", "Orders accepted inside a hold, each once per policy."),
            ("taken", "respite_accepted_events", "Events accepted, by platform; late ones too."),
            ("late", "respite_late_events", "Events accepted more than 5 minutes after they happened."),
            ("refused", "respite_refused_events", "Events refused that name their platform."),
        ):
            family = counter(name, text, ["platform"])
            for platform, count in self._platforms.summed(_summed(found, kind)).items():
                family.add_metric([platform], count)
            yield family
        yield self._doubtful(found)

    def _doubtful(self, found: Sequence[Counted]) -> Metric:
        text = "Events accepted that may be wrong all the same, by platform and kind of doubt."
        family = counter("respite_doubtful_events", text, ["platform", "kind"])
        counts = _summed(found, "doubtful")
        for kind in DOUBTS:
            own = {
                name.removesuffix(f"/{kind}"): n for name, n in counts.items() if name.endswith(f"/{kind}")
            }
            # A platform is there with every kind, for what is first seen at 1 has no rate.
            known = dict.fromkeys(_summed(found, "taken"), 0.0)
            for platform, count in self._platforms.summed(known | own).items():
                family.add_metric([platform, kind], count)
        return family

    def _hold_work(self) -> Iterator[Metric]:
        family = counter(
            "respite_hold_work_seconds",
            "Seconds with an order in hand on a hold, by the limit that names the hold.",
            ["policy", "limit"],
        )
        for names in sorted(self._holding):
            family.add_metric(names, self._worked.limits.get(names, 0.0))
        yield family
        text = "Seconds with an order of the platform in hand on a hold."
        family = counter("respite_platform_hold_work_seconds", text, ["platform"])
        for platform, seconds in self._platforms.summed(self._worked.platforms).items():
            family.add_metric([platform], seconds)
        yield family


def _summed(found: Sequence[Counted], family: str) -> dict[str, float]:
    sums: dict[str, float] = defaultdict(float)
    for one in found:
        for (kind, label), count in list(one.counts.items()):
            if kind == family:
                sums[label] += count
    return dict(sorted(sums.items()))


def _by_limit(found: Sequence[tuple[Judging, RiderCounts]]) -> Iterator[Metric]:
    for field, name, text in (
        ("held", "respite_riders_on_hold", "Riders on hold, by the limit that names the hold."),
        ("near", "respite_riders_near_limit", "Riders approaching, by the limit they were warned of last."),
        ("working", "respite_riders_working_on_hold", "Riders on hold with an order in hand."),
    ):
        family = gauge(name, text, ["policy", "limit"])
        sums: Counter[tuple[str, str]] = Counter()
        for one, tally in found:
            counts: Counter[int] = getattr(tally, field)
            for index, limit in enumerate(one.store.limits.limits):
                sums[_names(limit)] += counts[index]
        for names, count in sorted(sums.items()):
            family.add_metric(names, count)
        yield family


def _by_zone(found: Sequence[tuple[Judging, RiderCounts]], digits: int) -> Metric:
    text = "Riders near a limit or on hold, by part of their zone."
    family = gauge("respite_zone_riders", text, ["zone", "status"])
    sums: Counter[tuple[str, str]] = Counter()
    riders: Counter[str] = Counter()
    for one, tally in found:
        for (number, status), count in tally.zones.items():
            zone = (one.store.zone(number) or "")[:digits]
            sums[zone, status] += count
            riders[zone] += count
    shown = {zone for zone, _ in riders.most_common(MOST_ZONES)}
    labelled: Counter[tuple[str, str]] = Counter()
    for (zone, status), count in sums.items():
        labelled[zone if zone in shown else OTHER, status] += count
    for labels, count in sorted(labelled.items()):
        family.add_metric(labels, count)
    return family
