"""What the workers of this machine judge by, and what answers by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from detectors.limits import Limit, LimitTable
from schemas.policy import Policy
from stream.api.documents.explanation import Explainer
from stream.api.queries.listing import RiderList
from stream.api.queries.overview import OverviewQuery
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
