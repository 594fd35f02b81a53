"""Who contests what, and what an answer leads to."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec

from schemas.control import LiftHold, Outcome, ReviewNote
from schemas.instants import parse_instant
from schemas.overview import K
from schemas.reviews import ReviewAnswer
from schemas.work_state import Refused, read_event
from stream.api.access.roles import Caller
from stream.api.documents.rounding import Published
from stream.api.documents.suppression import SUPPRESSED, suppress
from stream.api.problems import Problem, invalid, not_found
from stream.api.reviews.store import AlreadyAnswered, Outgoing, ReviewStore, StoredReview
from stream.api.reviews.wanted import Condition, Order, WantedReviews, own
from stream.output.alert_json import utc

Document = dict[str, Any]
#: States that are counted.
STATES = ("in_time", "overdue", *get_args(Outcome))


class ReviewDesk:
    """Reviews as callers see them.

    Parameters
    ----------
    within_s
        How long a person has to answer.
    wall
        Epoch seconds.
    """

    def __init__(self, store: ReviewStore, within_s: int, wall: Callable[[], float]) -> None:
        self.store = store
        self._within_s = within_s
        self._wall = wall
        self._published = Published()

    @classmethod
    def of(cls, path: str, within_s: int, wall: Callable[[], float]) -> ReviewDesk | None:
        """The desk of a file; None without one.

        Raises
        ------
        ReviewsRefused
            The file cannot be used.
        """
        return cls(ReviewStore(Path(path)), within_s, wall) if path else None

    def contest(self, caller: Caller, alert: Mapping[str, Any], text: str) -> Document:
        """Open a review of an alert that the caller sees."""
        now_s = int(self._wall())
        hold = alert["hold"]
        review = StoredReview(
            review_id=uuid.uuid4().hex,
            alert_id=alert["alert_id"],
            rider_id=alert["rider_id"],
            platform=caller.platform,
            asked_by=caller.platform or caller.role,
            kind=alert["kind"],
            policy=alert["policy"],
            limit=alert["limit"],
            hold_from=hold["from"] if hold else None,
            hold_ended=int(alert["kind"] == "hold_released"),
            text=text,
            asked_s=now_s,
            due_s=now_s + self._within_s,
        )
        return self._shown(self.store.open(review, [_note(review)]))

    def of_alert(self, caller: Caller, alert_id: str) -> Document:
        """The reviews of an alert that the caller has asked for, or all."""
        return {"reviews": [self._shown(one) for one in self.store.of_alert(alert_id, own(caller))]}

    def one(self, caller: Caller, review_id: str) -> Document:
        """A review.

        Raises
        ------
        Problem
            404 when there is none, or none of the caller's.
        """
        found = self.store.one(review_id, own(caller))
        if found is None:
            raise _no_review()
        return self._shown(found)

    def page(self, caller: Caller, wanted: WantedReviews, order: Order, most: int) -> Document:
        """Some of the reviews wanted, how many there are in all, and the cursor of what follows."""
        count, found = self.store.page(self._wanted(caller, wanted), order, most + 1)
        more = None
        if len(found) > most:
            last = found[most - 1]
            more = order.cursor(last.due_s, last.asked_s, last.review_id, is_open=last.outcome is None)
        return {"count": count, "reviews": [self._shown(one) for one in found[:most]], "next": more}

    def every(self, caller: Caller, wanted: WantedReviews, order: Order) -> list[Document]:
        """All reviews wanted."""
        _, found = self.store.page(self._wanted(caller, wanted), order, -1)
        return [self._shown(one) for one in found]

    def _wanted(self, caller: Caller, wanted: WantedReviews) -> Condition:
        return own(caller).also(wanted.condition(int(self._wall())))

    def counts(self, *, for_regulator: bool) -> Document:
        """How many reviews are open, overdue, and answered how.

        For a regulator, cells that are about fewer than k riders are hidden, and as many more that no sum
        tells them; the others are rounded, and stand still for five minutes.
        """
        now_s = int(self._wall())
        found = {state: (count, riders) for state, count, riders in self.store.tally(now_s)}
        figures = {state: found.get(state, (0, 0)) for state in STATES}
        document: Document = {"as_of": utc(now_s), "within_s": self._within_s}
        if not for_regulator:
            return {**document, "k": None, **{state: count for state, (count, _) in figures.items()}}
        shown = suppress({state: riders for state, (_, riders) in figures.items()})
        cells = {
            state: SUPPRESSED if shown[state] == SUPPRESSED else count
            for state, (count, _) in figures.items()
        }
        return {**document, "k": K, **self._published.figures("reviews", now_s, None, cells)}

    def answer(self, review_id: str, answer: ReviewAnswer) -> Document:
        """Give a review its outcome, and send what follows from it.

        Raises
        ------
        Problem
            404 when there is none, 409 when it has one, 422 when the answer does not fit it.
        """
        review = self.store.one(review_id)
        if review is None:
            raise _no_review()
        now_s = int(self._wall())
        sends = [*self._follows(review, answer), _note(review, answer, now_s)]
        try:
            return self._shown(self.store.answer(review_id, answer.outcome, answer.reason, now_s, sends))
        except AlreadyAnswered as error:
            raise Problem(
                409, "Conflict", "this review has its outcome", "GET /v1/reviews shows it; open another one"
            ) from error

    def _follows(self, review: StoredReview, answer: ReviewAnswer) -> list[Outgoing]:
        if (answer.outcome == "evidence_wrong") != bool(answer.corrections):
            raise invalid("corrections: go with the outcome evidence_wrong, and it needs some")
        if answer.outcome == "evidence_wrong":
            return [_correction(number, one, review) for number, one in enumerate(answer.corrections)]
        if answer.outcome != "hold_lifted":
            return []
        if review.hold_from is None or review.hold_ended:
            raise invalid("outcome: hold_lifted: this alert is about no hold that is on")
        order = LiftHold(
            review.policy, review.limit, review.hold_from, review.review_id, _digest(answer.reason)
        )
        return [Outgoing("control", review.rider_id.encode(), msgspec.json.encode(order))]

    def _shown(self, one: StoredReview) -> Document:
        return {
            "review_id": one.review_id,
            "alert_id": one.alert_id,
            "rider_id": one.rider_id,
            "kind": one.kind,
            "policy": one.policy,
            "limit": one.limit,
            "asked_by": one.asked_by,
            "asked_at": utc(one.asked_s),
            "due_at": utc(one.due_s),
            "text": one.text,
            "outcome": one.outcome,
            "reason": one.reason,
            "answered_at": None if one.answered_s is None else utc(one.answered_s),
            "overdue": one.outcome is None and one.due_s < self._wall(),
        }


def _no_review() -> Problem:
    """There is none, or none that the caller may know of."""
    return not_found("this review", "GET /v1/reviews lists them")


def _correction(number: int, event: Mapping[str, Any], review: StoredReview) -> Outgoing:
    """An event of the rider's for the source."""
    value = json.dumps(event).encode()
    try:
        found = read_event(value)
    except Refused as error:
        raise invalid(f"corrections[{number}]: {error}") from error
    if found.rider_id != review.rider_id:
        raise invalid(f"corrections[{number}]: is of rider {found.rider_id}, the review of another")
    parse_instant(found.event_time)
    return Outgoing("source", review.rider_id.encode(), value)


def _note(review: StoredReview, answer: ReviewAnswer | None = None, at_s: int | None = None) -> Outgoing:
    """What the record of holds keeps: texts stay here, where they can be erased."""
    note = ReviewNote(
        review_id=review.review_id,
        alert_id=review.alert_id,
        asked_by=review.asked_by,
        asked_at=utc(review.asked_s),
        due_at=utc(review.due_s),
        text_sha256=_digest(review.text),
        outcome=answer.outcome if answer else None,
        answered_at=None if at_s is None else utc(at_s),
        reason_sha256=_digest(answer.reason) if answer else None,
    )
    return Outgoing("control", review.rider_id.encode(), msgspec.json.encode(note))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
