"""What the routes ask: one place that knows riders, alerts, peers and policies together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from detectors.rider_view import RiderView
from schemas.platform_view import explanation_view
from schemas.policy import Policy
from stream.api.access.roles import Caller
from stream.api.documents.eligibility_answers import (
    read_batch,
    write_answers,
)
from stream.api.documents.explanation import Language
from stream.api.documents.rounding import Published
from stream.api.documents.suppression import for_regulator
from stream.api.documents.views import rider_document, summary_document
from stream.api.documents.week import week_document
from stream.api.http_metrics import Counts
from stream.api.problems import no_rider, not_found, unavailable
from stream.api.queries.eligibility import EligibilityQueries
from stream.api.queries.event_ids import EventIds
from stream.api.queries.history import HistoryQuery
from stream.api.queries.judged_by import JudgedBy, PlanFollower, looked_up
from stream.api.queries.listing import RiderList, told_line
from stream.api.queries.live import LiveQueries
from stream.api.queries.partitions import Unsure
from stream.api.queries.peers import FORWARDED, Peers
from stream.api.queries.read_alert import ReadAlert
from stream.api.queries.recent_alerts import RecentAlerts
from stream.api.queries.rest_stops import RestStopsQuery
from stream.api.queries.riders import BUSY, Riders
from stream.api.reviews.desk import ReviewDesk
from stream.policies.loader import load_all
from stream.settings import Settings

Document = dict[str, Any]
Found = TypeVar("Found")
_json = msgspec.json.Encoder()


class QueryService(EligibilityQueries, LiveQueries):
    """Answers for every route.

    Parameters
    ----------
    settings
        As the workers have them.
    wall
        The wall clock, epoch seconds.
    """

    def __init__(self, settings: Settings, wall: Callable[[], float] = time.time) -> None:
        self.history = HistoryQuery.of(settings, lambda: self.judged.riders, wall)
        recent = RecentAlerts(settings, self._owners_now, wall, self.history)
        self.judged = JudgedBy.of(settings, load_all(settings.policies), recent, wall)
        super().__init__(self._owners_now, recent, Peers(settings.peers))
        #: Ids of the live stream; the app puts in those of the file of keys.
        self.ids = EventIds(lambda: b"")
        self.counts = Counts()
        self.settings = settings
        self._wall = wall
        self._plans = PlanFollower(settings, wall)
        self.rest_stops = RestStopsQuery.of(settings, self.policies, wall)
        self._published = Published()
        #: None where no file of reviews is named.
        self.reviews = ReviewDesk.of(settings.reviews, settings.review_within, wall)

    def _owners_now(self, riders: Sequence[str]) -> list[Mapping[str, int] | None]:
        """Whose riders are; looked up anew each time, for the workers may go on with other policies."""
        return self.judged.riders.owners(riders)

    @property
    def policies(self) -> Sequence[Policy]:
        """The policies that judge here."""
        return self.judged.policies

    @property
    def riders(self) -> Riders:
        """The riders of this machine, as they are judged now."""
        return self.judged.riders

    @property
    def rider_list(self) -> RiderList:
        """All riders of this machine, page by page."""
        return self.judged.rider_list

    def warm_up(self) -> None:
        """Compile or load the kernels before the first question."""
        self.follow_plan()
        self.riders.warm_up()
        asked = read_batch(b'{"candidates":[{"rider_id":"nobody","minutes":25}]}')
        write_answers(asked, self.judged.limits, {}, 1, "closed")

    def follow_plan(self) -> bool:
        """Go on with the policies that the workers of this machine judge by; whether they are others."""
        policies = self._plans.other_than(self.judged.digest)
        if policies is None:
            return False
        judged = JudgedBy.of(self.settings, policies, self.recent, self._wall)
        judged.riders.warm_up()
        self.judged = judged
        return True

    # -- riders and alerts ---------------------------------------------------------------------

    async def rider(self, caller: Caller, rider: str, headers: Mapping[str, str]) -> Document:
        """One rider, as much as the caller may see.

        Raises
        ------
        Problem
            404 when he is not known, or not to the caller; 503 when that cannot be said.
        """
        judged = self.judged
        if not caller.may_ask_about(rider):
            raise no_rider()
        view = await self._viewed(judged, caller.platform, rider, "", headers)
        if not isinstance(view, RiderView):
            return view
        if caller.platform is not None:
            return summary_document(rider, view)
        rest_stops = await self.rest_stops.of_rider(view, judged.riders.zone_of(rider, view))
        return rider_document(rider, view, judged.limits, rest_stops)

    async def week(self, rider: str, headers: Mapping[str, str]) -> Document:
        """The days of a rider's last week; not for platforms. Raises as `rider` does."""
        judged = self.judged
        view = await self._viewed(judged, None, rider, "/week", headers)
        zones = sorted({one.time_zone for one in judged.limits})
        return week_document(rider, view, zones) if isinstance(view, RiderView) else view

    async def _viewed(
        self, judged: JudgedBy, platform: str | None, rider: str, what: str, headers: Mapping[str, str]
    ) -> RiderView | Document:
        """A rider of this machine; of another one, what its API answers."""
        try:
            view = await self._seen(judged.riders.rider, rider, platform)
        except Unsure as error:
            if str(error) == "elsewhere" and self.peers and FORWARDED not in headers:
                found = await self.peers.get(headers, f"/v1/riders/{rider}{what}")
                if found is not None:
                    return found
            raise unavailable(str(error)) from error
        if view is None:
            raise no_rider()
        return view

    async def _seen(self, look: Callable[..., Found], rider: str, platform: str | None) -> Found:
        """What a look at a rider finds; one who is being changed is looked at again beside the loop."""
        try:
            return look(rider, platform, patient=False)
        except Unsure as error:
            if str(error) != BUSY:
                raise
        return await asyncio.to_thread(look, rider, platform)

    async def alerts_of(self, caller: Caller, rider: str, headers: Mapping[str, str]) -> Document:
        """The recent alerts of a rider that the caller may see; none of a rider who is not the caller's.

        Raises
        ------
        Problem
            503 when it cannot be said whose the rider is.
        """
        since_s = None
        if not caller.may_ask_about(rider):
            return {"alerts": []}
        if caller.platform is not None:
            if self.riders.is_elsewhere(rider) and FORWARDED not in headers:
                found = await self.peers.get(headers, f"/v1/riders/{rider}/alerts")
                if found is not None:
                    return found
            try:
                since_s = await self._seen(self.riders.claimed_since, rider, caller.platform)
            except Unsure as error:
                raise unavailable("it cannot be said whose this rider is") from error
            if since_s is None:
                return {"alerts": []}
        told = self.recent.log.of_rider(rider, caller.platform, since_s)
        shown = await asyncio.to_thread(lambda: [told_line(one, retracted=gone) for one, gone in told])
        return {"alerts": shown}

    async def explanation(
        self, caller: Caller, identity: str, lang: Language, headers: Mapping[str, str]
    ) -> Document:
        """The explanation of an alert; a platform's question looks at its own alerts and at nothing else.

        Raises
        ------
        Problem
            404 when it is not among the recent ones, or not the caller's.
        """
        found = await self._own_alert(caller, identity)
        if found is None and caller.platform is not None and FORWARDED not in headers:
            there = await self.peers.get(headers, f"/v1/alerts/{identity}/explanation?lang={lang}")
            if there is not None:
                return there
        if found is None:
            raise not_found("this alert", "check the id; older alerts are in the topic of alerts")
        alert = found[0].document()
        judged = self.judged
        certain, doubts, ran = await asyncio.to_thread(looked_up, judged, alert, caller.platform)
        document = judged.explainer.explain(alert, certain, lang, retracted=found[1], doubts=doubts, ran=ran)
        if document is None:
            raise not_found("this alert", "its policy is no longer named here")
        if caller.platform is not None:
            return explanation_view(caller.platform, document)
        return {**document, "rest_stops": await self.rest_stops.of_alert(alert, retracted=found[1])}

    async def seen_alert(self, caller: Caller, identity: str, headers: Mapping[str, str]) -> Document:
        """An alert whose explanation the caller may see.

        Raises
        ------
        Problem
            404 as `explanation` does.
        """
        found = await self._own_alert(caller, identity)
        if found is None and caller.platform is not None:
            # Another machine may know that it is the caller's.
            await self.explanation(caller, identity, "en", headers)
            found = self.recent.log.alert(None, identity)
        if found is None:
            raise not_found("this alert", "check the id; older alerts are in the topic of alerts")
        return found[0].document()

    async def _own_alert(self, caller: Caller, identity: str) -> tuple[ReadAlert, bool] | None:
        found = self.recent.log.alert(caller.platform, identity)
        if found is not None and not await self._is_own(caller, found[0]):
            return None
        return found

    async def _is_own(self, caller: Caller, one: ReadAlert) -> bool:
        """Whether an alert that was the caller's when it was read is so still."""
        if caller.platform is None:
            return caller.may_ask_about(one.rider)
        try:
            since_s = await self._seen(self.riders.claimed_since, one.rider, caller.platform)
        except Unsure as error:
            raise unavailable("it cannot be said whose this alert is") from error
        return since_s is not None and since_s <= one.event_s

    async def overview(self, caller: Caller) -> Document:
        """What a console shows, as much as the caller may see."""
        document = await self.judged.overview.overview() | {"rest_stops_named": self.rest_stops.are_named}
        if caller.role == "regulator":
            shown = await asyncio.to_thread(for_regulator, document)
            return self._published.overview(self._wall(), shown)
        if not caller.sees_persons:
            return {**document, "persons_shown": False, "on_hold": [], "nearest": []}
        return document

    async def metrics(self) -> bytes:
        """Totals for Prometheus."""
        if self.reviews is not None:
            now_s = int(self._wall())
            self.counts.reviews = await asyncio.to_thread(self.reviews.store.counts, now_s)
        self.counts.rest_stops = await self.rest_stops.counts(self.judged.overview.overview)
        return self.counts.text()

    def ready(self) -> str | None:
        """Why answers other than UNKNOWN cannot be expected; None when they can."""
        if self.riders.partitions() is None and self.recent.partitions is not None:
            self.riders.learn_partitions(self.recent.partitions)
        if any(one.why_not is None for one in self.riders.healths()):
            return None
        if self.recent.topics_absent:
            return self.recent.trouble
        if self.peers:
            return None
        return "no partition of this machine is fresh, and no peers are named"
