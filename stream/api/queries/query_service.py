"""What the routes ask: one place that knows riders, alerts, peers and policies together."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from detectors.doubts import Doubt
from detectors.limits import LimitTable
from detectors.reading import Certain
from schemas.api import ToldAlert
from schemas.instants import parse_instant
from schemas.platform_view import explanation_view
from schemas.policy import Policy
from stream.api.access.keys import Caller
from stream.api.documents.batch import Batch
from stream.api.documents.eligibility_answers import (
    Answers,
    EligibilityAnswer,
    answers_of,
    read_batch,
    verdicts_of,
    write_answers,
)
from stream.api.documents.explanation import Explainer, Language
from stream.api.documents.views import for_regulator, rider_document, summary_document
from stream.api.http_metrics import Counts
from stream.api.problems import not_found, unavailable
from stream.api.queries.alert_log import ReadAlert
from stream.api.queries.event_ids import EventIds
from stream.api.queries.live import LiveQueries
from stream.api.queries.overview import OverviewQuery
from stream.api.queries.partitions import Unsure
from stream.api.queries.peers import FORWARDED, Peers
from stream.api.queries.recent_alerts import RecentAlerts
from stream.api.queries.rest_stops import RestStopsQuery
from stream.api.queries.riders import BUSY, Riders
from stream.policies.calendars import window_starts
from stream.policies.limits import limits_of
from stream.policies.loader import load_all
from stream.settings import Settings

Document = dict[str, Any]
Found = TypeVar("Found")
_json = msgspec.json.Encoder()


class QueryService(LiveQueries):
    """Answers for every route.

    Parameters
    ----------
    settings
        As the workers have them.
    wall
        The wall clock, epoch seconds.
    """

    def __init__(self, settings: Settings, wall: Callable[[], float] = time.time) -> None:
        self.policies: Sequence[Policy] = load_all(settings.policies)
        table = LimitTable(limits_of(self.policies), window_starts)
        self.limits = table.limits
        riders = Riders(settings, table, settings.store(0), wall)
        super().__init__(riders, RecentAlerts(settings, riders.owners, wall), Peers(settings.peers))
        #: Ids of the live stream; the app puts in those that the file of keys has the secret of.
        self.ids = EventIds(lambda: b"")
        self.counts = Counts()
        self._explainer = Explainer(self.policies)
        self._wall = wall
        self._overview = OverviewQuery(self.riders, self.recent, self.limits, wall)
        self.rest_stops = RestStopsQuery.of(settings, self.policies, wall)

    def warm_up(self) -> None:
        """Compile or load the kernels before the first question."""
        self.riders.warm_up()
        asked = read_batch(b'{"candidates":[{"rider_id":"nobody","minutes":25}]}')
        write_answers(asked, self.limits, {}, 1, "closed")

    # -- may he take this order ----------------------------------------------------------------

    async def eligibility(
        self, caller: Caller, rider: str, minutes: int, headers: Mapping[str, str]
    ) -> bytes:
        """The answer for one rider, written."""
        batch = Batch.of([rider], [minutes])
        unsure = self.riders.answer(batch, caller.platform, patient=False)
        if BUSY in unsure.values():
            unsure = await asyncio.to_thread(self.riders.answer, batch, caller.platform)
        (answer,) = await self._with_peers(self._answers(batch, unsure, caller), headers)
        self.counts.answered([(answer.verdict, 1)])
        return _json.encode(answer)

    async def round(self, caller: Caller, body: bytes, headers: Mapping[str, str]) -> bytes:
        """The answers to a round's body in the order of the candidates, written.

        Raises
        ------
        InvalidBatch
            When the body is none; the message says what is wrong.
        """
        here, batch, unsure = await asyncio.to_thread(self._round_here, caller, body)
        if here is not None:
            return here
        answers = await asyncio.to_thread(self._answers, batch, unsure, caller)
        answers = await self._with_peers(answers, headers)
        return await asyncio.to_thread(self._counted, answers)

    def _counted(self, answers: list[EligibilityAnswer]) -> bytes:
        self.counts.answered(Counter(one.verdict for one in answers).items())
        return _json.encode(Answers(answers))

    def _round_here(self, caller: Caller, body: bytes) -> tuple[bytes | None, Batch, dict[int, str]]:
        """The answers of this machine, None when others should be asked; the round, and what is unsure."""
        batch = read_batch(body)
        unsure = self.riders.answer(batch, caller.platform)
        if self.peers and "elsewhere" in unsure.values():
            return None, batch, unsure
        partitions = self.riders.partitions()
        self.counts.answered(verdicts_of(batch, unsure, partitions))
        return write_answers(batch, self.limits, unsure, partitions, caller.if_unknown), batch, unsure

    def _answers(self, batch: Batch, unsure: Mapping[int, str], caller: Caller) -> list[EligibilityAnswer]:
        return answers_of(batch, self.limits, unsure, self.riders.partitions(), caller.if_unknown)

    async def _with_peers(
        self, answers: list[EligibilityAnswer], headers: Mapping[str, str]
    ) -> list[EligibilityAnswer]:
        if not self.peers or FORWARDED in headers:
            return answers
        return await self.peers.complete(headers, answers)

    # -- riders and alerts ---------------------------------------------------------------------

    async def rider(self, caller: Caller, rider: str, headers: Mapping[str, str]) -> Document:
        """One rider, as much as the caller may see.

        Raises
        ------
        Problem
            404 when he is not known, or not to the caller; 503 when that cannot be said.
        """
        try:
            view = await self._seen(self.riders.rider, rider, caller.platform)
        except Unsure as error:
            if str(error) == "elsewhere" and self.peers and FORWARDED not in headers:
                found = await self.peers.get(headers, f"/v1/riders/{rider}")
                if found is not None:
                    return found
            raise unavailable(str(error)) from error
        if view is None:
            raise not_found("this rider", "check the id; riders are known from their first event on")
        if caller.platform is not None:
            return summary_document(rider, view)
        rest_stops = await self.rest_stops.of_rider(view, self.riders.zone_of(rider, view))
        return rider_document(rider, view, self.limits, rest_stops)

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
        return {"alerts": await asyncio.to_thread(_told, told)}

    async def explanation(
        self, caller: Caller, identity: str, lang: Language, headers: Mapping[str, str]
    ) -> Document:
        """The explanation of an alert; a platform's question looks at its own alerts and at nothing else.

        Raises
        ------
        Problem
            404 when it is not among the recent ones, or not the caller's.
        """
        found = self.recent.log.alert(caller.platform, identity)
        if found is not None and not await self._is_own(caller, found[0]):
            found = None
        if found is None and caller.platform is not None and FORWARDED not in headers:
            there = await self.peers.get(headers, f"/v1/alerts/{identity}/explanation?lang={lang}")
            if there is not None:
                return there
        if found is None:
            raise not_found("this alert", "check the id; older alerts are in the topic of alerts")
        alert = found[0].document()
        certain, doubts = await asyncio.to_thread(self._looked_up, alert, caller.platform)
        document = self._explainer.explain(alert, certain, lang, retracted=found[1], doubts=doubts)
        if document is None:
            raise not_found("this alert", "its policy is no longer named here")
        if caller.platform is not None:
            return explanation_view(caller.platform, document)
        return {**document, "rest_stops": await self.rest_stops.of_alert(alert, retracted=found[1])}

    def _looked_up(
        self, alert: Document, platform: str | None
    ) -> tuple[Certain | None, Sequence[tuple[Doubt, str, Certain]]]:
        """What the alert's limit said at its instant by what is certain alone, and what of it is doubtful.

        None, and nothing, where that cannot be said.
        """
        named = [(one.policy, one.name) for one in self.limits]
        if (alert["policy"], alert["limit"]) not in named:
            return None, ()
        index = named.index((alert["policy"], alert["limit"]))
        at_s, since_s = parse_instant(alert["event_time"]), parse_instant(alert["window"]["start"])
        try:
            certain = self.riders.certain(alert["rider_id"], index, at_s, since_s)
            doubts = self.riders.doubts(alert["rider_id"], index, at_s, since_s, platform)
        except Unsure:
            return None, ()
        return certain, doubts or ()

    async def _is_own(self, caller: Caller, one: ReadAlert) -> bool:
        """Whether an alert that was the caller's when it was read is so still."""
        if caller.platform is None:
            return True
        try:
            since_s = await self._seen(self.riders.claimed_since, one.rider, caller.platform)
        except Unsure as error:
            raise unavailable("it cannot be said whose this alert is") from error
        return since_s is not None and since_s <= one.event_s

    async def overview(self, caller: Caller) -> Document:
        """What a console shows, as much as the caller may see."""
        document = await self._overview.overview() | {"rest_stops_named": self.rest_stops.are_named}
        if caller.role == "regulator":
            return await asyncio.to_thread(for_regulator, document)
        if not caller.sees_persons:
            return {**document, "persons_shown": False, "on_hold": [], "nearest": []}
        return document

    async def metrics(self) -> bytes:
        """Totals for Prometheus."""
        self.counts.rest_stops = await self.rest_stops.counts(self._overview.overview)
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


def _told(found: Sequence[tuple[ReadAlert, bool]]) -> list[Document]:
    """Alerts, with whether they have been retracted, as a rider's list has them."""
    shown = []
    for one, retracted in found:
        alert = one.document()
        told = {name: alert[name] for name in ToldAlert.model_fields if name != "retracted"}
        shown.append({**told, "retracted": retracted})
    return shown
