"""What the routes ask: one place that knows riders, alerts, peers and policies together."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from detectors.limits import LimitTable
from schemas.api import ToldAlert
from schemas.platform_view import alert_view, concerns, explanation_view
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
from stream.api.queries.overview import OverviewQuery
from stream.api.queries.peers import FORWARDED, Peers
from stream.api.queries.recent_alerts import QUEUE, Offered, PublishedAlert, RecentAlerts
from stream.api.queries.riders import Riders, Unsure
from stream.policies.calendars import window_starts
from stream.policies.limits import limits_of
from stream.policies.loader import load_all
from stream.settings import Settings

Document = dict[str, Any]
_LOOKED_AT_ONCE = 10_000
_json = msgspec.json.Encoder()


class Missed(NamedTuple):
    """What a client has missed of the live stream, and whether there was more before that."""

    alerts: list[Offered]
    older: bool


class QueryService:
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
        self.riders = Riders(settings, table, settings.store(0), wall)
        self.recent = RecentAlerts(settings, wall)
        self.peers = Peers(settings.peers)
        self.counts = Counts()
        self._explainer = Explainer(self.policies)
        self._wall = wall
        self._overview = OverviewQuery(self.riders, self.recent, self.limits, wall)

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
        unsure = self.riders.answer(batch, caller.platform)
        (answer,) = await self._with_peers(batch, unsure, caller, headers)
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
        answers = await self._with_peers(batch, unsure, caller, headers)
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

    async def _with_peers(
        self, batch: Batch, unsure: Mapping[int, str], caller: Caller, headers: Mapping[str, str]
    ) -> list[EligibilityAnswer]:
        answers = answers_of(batch, self.limits, unsure, self.riders.partitions(), caller.if_unknown)
        missing = [i for i, one in enumerate(answers) if one.reason == "unreachable"]
        if not missing or not self.peers or FORWARDED in headers:
            return answers
        asked = [(answers[i].rider_id, answers[i].minutes) for i in missing]
        for index, answer in (await self.peers.ask(headers, asked)).items():
            answers[missing[index]] = answer
        return answers

    # -- riders and alerts ---------------------------------------------------------------------

    async def rider(self, caller: Caller, rider: str, headers: Mapping[str, str]) -> Document:
        """One rider, as much as the caller may see.

        Raises
        ------
        Problem
            404 when he is not known, or not to the caller; 503 when that cannot be said.
        """
        try:
            view = self.riders.rider(rider, caller.platform)
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
        return rider_document(rider, view, self.limits)

    def alert_for(self, caller: Caller, alert: Document) -> Document | None:
        """An alert as the caller may see it: a platform its own riders', cut down, and its own breaches."""
        seen = self.offered(caller, alert)
        return seen[0] if seen is not None and seen[1] else None

    def offered(self, caller: Caller, alert: Document) -> tuple[Document, bool] | None:
        """`alert_for`, and whether that is certain; where it is not, ask `owners` before it is shown."""
        cut = self._cut(caller, alert)
        own = self._owns(caller, alert["rider_id"]) if cut is not None else False
        return None if cut is None or own is False else (cut, own is True)

    def _owns(self, caller: Caller, rider: str) -> bool | None:
        return True if caller.platform is None else self.riders.owns(rider, caller.platform)

    def _cut(self, caller: Caller, alert: Document) -> Document | None:
        if caller.platform is None:
            return alert
        return alert_view(alert) if concerns(caller.platform, alert) else None

    async def owners(
        self, caller: Caller, riders: Sequence[str], headers: Mapping[str, str]
    ) -> dict[str, bool | None]:
        """By rider, whether he is the caller's, by what all machines know; None where none can say."""
        if caller.platform is None or not riders:
            return dict.fromkeys(riders, True)
        batch = Batch.of(riders, [1] * len(riders))
        unsure = await asyncio.to_thread(self.riders.answer, batch, caller.platform)
        answers = await self._with_peers(batch, unsure, caller, headers)
        return {one.rider_id: one.known for one in answers}

    async def missed(
        self, caller: Caller, told: Sequence[PublishedAlert], headers: Mapping[str, str]
    ) -> Missed:
        """The newest of these alerts that may be the caller's, as many as a client may be behind."""
        newest: list[Offered] = []
        for end in range(len(told), 0, -_LOOKED_AT_ONCE):
            newer = told[max(0, end - _LOOKED_AT_ONCE) : end]
            part = [(event, msgspec.json.decode(packed)) for event, packed in newer]
            cut = [(event, seen) for event, alert in part if (seen := self._cut(caller, alert)) is not None]
            own = await self.owners(caller, sorted({alert["rider_id"] for _, alert in cut}), headers)
            offered = [(event, seen, own[seen["rider_id"]]) for event, seen in cut]
            newest = [
                *((event, seen, mine is True) for event, seen, mine in offered if mine is not False),
                *newest,
            ]
            if len(newest) > QUEUE:
                break
        return Missed(newest[-QUEUE:], older=len(newest) > QUEUE)

    async def alerts_of(self, caller: Caller, rider: str, headers: Mapping[str, str]) -> Document:
        """The recent alerts of a rider that the caller may see; none of a rider who is not the caller's.

        Raises
        ------
        Problem
            503 when it cannot be said whose the rider is.
        """
        if caller.platform is not None and self.riders.is_elsewhere(rider) and FORWARDED not in headers:
            found = await self.peers.get(headers, f"/v1/riders/{rider}/alerts")
            if found is not None:
                return found
        shown = []
        own = self._owns(caller, rider)
        if own is None:
            raise unavailable("it cannot be said whose this rider is")
        for alert, retracted in self.recent.of_rider(rider) if own else ():
            if self._cut(caller, alert) is not None:
                told = {name: alert[name] for name in ToldAlert.model_fields if name != "retracted"}
                shown.append({**told, "retracted": retracted})
        return {"alerts": shown}

    async def explanation(
        self, caller: Caller, identity: str, lang: Language, headers: Mapping[str, str]
    ) -> Document:
        """The explanation of an alert.

        Raises
        ------
        Problem
            404 when it is not among the recent ones, or not the caller's.
        """
        found = self.recent.alert(identity)
        seen = self.alert_for(caller, found[0]) if found else None
        if seen is None and caller.platform is not None and FORWARDED not in headers:
            # Whether there is such an alert here does not show: the others are asked either way.
            there = await self.peers.get(headers, f"/v1/alerts/{identity}/explanation?lang={lang}")
            if there is not None:
                return there
        if found is None or seen is None:
            raise not_found("this alert", "check the id; older alerts are in the topic of alerts")
        document = self._explainer.explain(found[0], lang, retracted=found[1])
        if document is None:
            raise not_found("this alert", "its policy is no longer named here")
        if caller.platform is not None:
            return explanation_view(document)
        return document

    async def overview(self, caller: Caller) -> Document:
        """What a console shows, as much as the caller may see."""
        document = await self._overview.overview()
        if caller.role == "regulator":
            return for_regulator(document)
        if not caller.sees_persons:
            return {**document, "on_hold": [], "nearest": []}
        return document

    def ready(self) -> str | None:
        """Why answers other than UNKNOWN cannot be expected; None when they can."""
        if self.riders.partitions() is None and self.recent.partitions is not None:
            self.riders.learn_partitions(self.recent.partitions)
        if self.peers or any(one.why_not is None for one in self.riders.healths()):
            return None
        return "no partition of this machine is fresh, and no peers are named"
