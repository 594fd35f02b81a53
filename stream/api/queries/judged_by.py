"""What the workers of this machine judge by, and what answers by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from detectors.doubts import Doubt
from detectors.limits import Limit, LimitTable
from detectors.reading import Certain
from detectors.rider_view import Stretch
from schemas.instants import parse_instant
from schemas.policy import Policy
from stream.api.documents.explanation import Explainer
from stream.api.queries.listing import RiderList
from stream.api.queries.overview import OverviewQuery
from stream.api.queries.partitions import Unsure
from stream.api.queries.recent_alerts import RecentAlerts
from stream.api.queries.riders import Riders
from stream.api.queries.shadow import ShadowQuery
from stream.policies.calendars import window_starts
from stream.policies.limits import limits_of
from stream.policies.plan import read_plan
from stream.settings import Settings
from stream.state.shm_reader import SharedPartition
from stream.state.shm_writer import About, digest_of, read_about, shared_folder

log = structlog.get_logger()
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class JudgedBy:
    """Policies, and what answers by them. A question keeps to the one that it began with."""

    policies: Sequence[Policy]
    limits: Sequence[Limit]
    digest: str
    riders: Riders
    explainer: Explainer
    overview: OverviewQuery
    rider_list: RiderList

    @classmethod
    def of(
        cls,
        settings: Settings,
        policies: Sequence[Policy],
        recent: RecentAlerts,
        wall: Callable[[], float],
    ) -> JudgedBy:
        """What answers by these policies."""
        table, store = LimitTable(limits_of(policies), window_starts), settings.store(0)
        riders = Riders(settings, table, store, wall)
        shadow = ShadowQuery.of(settings, policies, wall)
        overview = OverviewQuery(riders, recent, table.limits, wall, shadow)
        return cls(
            policies,
            table.limits,
            digest_of(table, store),
            riders,
            Explainer(policies),
            overview,
            RiderList(riders, table.limits),
        )


class PlanFollower:
    """Looks at what the workers of this machine say that they judge by.

    Parameters
    ----------
    settings
        Where the workers' state lies, and what verdicts depend on beside policies.
    wall
        The wall clock, epoch seconds.
    """

    def __init__(self, settings: Settings, wall: Callable[[], float]) -> None:
        self._settings = settings
        self._wall = wall
        self._folder = shared_folder(settings.shared_dir, settings.group, settings.prefix)
        #: Digests whose plan cannot be followed here: said once.
        self._refused: set[str] = set()

    def other_than(self, digest: str) -> Sequence[Policy] | None:
        """The policies that most partitions here are judged by; None when they are those of the digest.

        Partitions that may be believed weigh more than all that may not: while one worker has gone on with
        another plan and is building its state, the others answer.
        """
        if self._folder is None:
            return None
        weights: Counter[str] = Counter()
        plans: dict[str, str] = {}
        for place in sorted(self._folder.glob("p[0-9]*")):
            about = read_about(place)
            if about is None or (about.digest != digest and not about.plan):
                continue
            plans[about.digest] = about.plan
            weights[about.digest] += 1 + 1_000_000 * self._is_believed(place, about)
        if not weights:
            return None
        # Of as many partitions each, those that answer now go on.
        best = max(weights, key=lambda one: (weights[one], one == digest, one))
        return None if best == digest or best in self._refused else self._read(best, plans[best])

    def _is_believed(self, place: Path, about: About) -> bool:
        partition = SharedPartition(place, 0, about.digest)
        return partition.health(int(self._wall() * 1000)).why_not is None

    def _read(self, digest: str, plan: str) -> Sequence[Policy] | None:
        assert self._folder is not None
        try:
            policies = read_plan(self._folder, plan)
        except ValueError as error:
            self._refuse(digest, f"the workers' policies cannot be read: {error}")
            return None
        if policies is None:
            return None
        table = LimitTable(limits_of(policies), window_starts)
        if digest_of(table, self._settings.store(0)) != digest:
            self._refuse(
                digest,
                "the workers judge by other settings than this API, like --max-open-order: name theirs",
            )
            return None
        return policies

    def _refuse(self, digest: str, why: str) -> None:
        self._refused.add(digest)
        log.error("riders are UNKNOWN here", why=why)


def looked_up(
    judged: JudgedBy, alert: Document, platform: str | None
) -> tuple[Certain | None, Sequence[tuple[Doubt, str, Certain]], Sequence[Stretch]]:
    """What the alert's limit said at its instant by what is certain alone, and what of it is doubtful.

    Also when the clock ran that resets it, where it is another than its own. None, and nothing, where that
    cannot be said.
    """
    named = [(one.policy, one.name) for one in judged.limits]
    if (alert["policy"], alert["limit"]) not in named:
        return None, (), ()
    index = named.index((alert["policy"], alert["limit"]))
    at_s, since_s = parse_instant(alert["event_time"]), parse_instant(alert["window"]["start"])
    try:
        certain = judged.riders.certain(alert["rider_id"], index, at_s, since_s)
        doubts = judged.riders.doubts(alert["rider_id"], index, at_s, since_s, platform)
        ran: Sequence[Stretch] = ()
        if clock := judged.limits[index].reset_clock:
            view = judged.riders.rider(alert["rider_id"], None)
            ran = () if view is None else view.stretches.get(clock, ())
    except Unsure:
        return None, (), ()
    return certain, doubts or (), ran
