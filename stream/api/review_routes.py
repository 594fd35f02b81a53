"""The routes about reviews; who may contest an alert is who may see its explanation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from schemas.reviews import Review, ReviewAnswer, ReviewCounts, ReviewPage, ReviewRequest, Reviews
from stream.api.access.authentication import Access, counts_only
from stream.api.access.roles import Caller
from stream.api.answers import csv_file, no_formula
from stream.api.documents.cursor import InvalidCursor
from stream.api.list_routes import CSV, AlertId, CaseNumber, Format, Kind, LimitName, Most, Part, Text
from stream.api.problems import documented, forbidden, invalid, not_found
from stream.api.queries.query_service import QueryService
from stream.api.reviews.desk import ReviewDesk
from stream.api.reviews.wanted import Order, Sort, State, WantedReviews

ReviewId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
Desk = Callable[[], ReviewDesk]
ReviewState = Annotated[
    State | None,
    Query(description="`open` with those overdue, or these alone; else `open_only` says it."),
]
AskedBy = Annotated[
    str | None,
    Query(pattern=r"^[A-Za-z0-9_.:-]{1,64}$", description="A platform, or the role that asked."),
]
_COLUMNS = (
    "review_id", "due_at", "overdue", "outcome", "asked_at", "asked_by", "answered_at", "kind", "rider_id",
    "policy", "limit", "alert_id", "text", "reason",
)  # fmt: skip


def add_to(made: APIRouter, service: QueryService, access: Access, caller: Any) -> None:  # noqa: ANN401 - Depends
    """Add the routes."""

    def desk() -> ReviewDesk:
        if service.reviews is None:
            raise not_found("a desk for reviews", "the operator names a file with RESPITE_REVIEWS")
        return service.reviews

    _of_alerts(made, service, access, caller, desk)
    _listed(made, caller, desk)
    _single(made, caller, access, desk)


def _of_alerts(made: APIRouter, service: QueryService, access: Access, caller: Any, desk: Desk) -> None:  # noqa: ANN401 - Depends
    @made.post(
        "/v1/alerts/{alert_id}/reviews",
        response_model=Review,
        status_code=201,
        responses=documented(401, 403, 404, 422, 429),
        tags=["reviews"],
    )
    async def contest(
        alert_id: AlertId,
        asked: ReviewRequest,
        request: Request,
        x_case_number: CaseNumber = None,
        who: Caller = caller,
    ) -> Response:
        """Ask for a review of an alert; a person of the operator's answers, until `due_at` at the latest.

        A rider can do this for alerts about him, a platform for its own. Asked again while it is open, the
        same review is answered.
        """
        if not who.answers_reviews:
            # The operator's people take reviews for riders who come to them.
            access.person(who, f"of alert {alert_id}", x_case_number)
        alert = await service.seen_alert(who, alert_id, request.headers)
        return JSONResponse(await asyncio.to_thread(desk().contest, who, alert, asked.text), 201)

    @made.get(
        "/v1/alerts/{alert_id}/reviews",
        response_model=Reviews,
        responses=documented(401, 403, 404, 422, 429),
        tags=["reviews"],
    )
    async def of_alert(
        alert_id: AlertId, request: Request, x_case_number: CaseNumber = None, who: Caller = caller
    ) -> Response:
        """The reviews of an alert: those that a platform or a rider has asked for itself, or all."""
        if not who.answers_reviews:
            access.person(who, f"of alert {alert_id}", x_case_number)
        await service.seen_alert(who, alert_id, request.headers)
        return JSONResponse(await asyncio.to_thread(desk().of_alert, who, alert_id))


def _listed(made: APIRouter, caller: Any, desk: Desk) -> None:  # noqa: ANN401 - Depends
    @made.get(
        "/v1/reviews",
        response_model=ReviewPage,
        responses={200: {"content": CSV}, **documented(401, 403, 404, 422, 429)},
        tags=["reviews"],
    )
    async def reviews(  # noqa: PLR0913 - a parameter for each way to find
        state: ReviewState = None,
        asked_by: AskedBy = None,
        kind: Kind | None = None,
        limit: LimitName = None,
        text: Part = "",
        sort: Sort = "due",
        cursor: Text = None,
        most: Most = 50,
        format: Format = "json",
        who: Caller = caller,
        *,
        open_only: bool = True,
    ) -> Response:
        """Reviews, those that are due first in front; platforms and riders get those they have asked for."""
        if who.role == "regulator":
            raise forbidden(who.role, "GET /v1/reviews/counts; GET /v1/alerts/{id}/reviews for one alert")
        wanted = WantedReviews(state or ("open" if open_only else "all"), text, asked_by, kind, limit)
        try:
            order = Order.of(sort, None if format == "csv" else cursor)
        except InvalidCursor as error:
            raise invalid(str(error), "take `next` as it is, or begin without a cursor") from error
        if format == "csv":
            return _file(await asyncio.to_thread(desk().every, who, wanted, order))
        return JSONResponse(await asyncio.to_thread(desk().page, who, wanted, order, most))

    @made.get(
        "/v1/reviews/counts",
        response_model=ReviewCounts,
        responses=documented(401, 403, 404, 429),
        tags=["reviews"],
    )
    async def review_counts(who: Caller = caller) -> Response:
        """How many reviews are open, overdue and answered how; the regulator's with small cells hidden."""
        counts_only(who)
        counted = desk().counts
        found = await asyncio.to_thread(lambda: counted(for_regulator=who.role == "regulator"))
        return JSONResponse(found)


def _file(found: list[dict[str, Any]]) -> Response:
    for one in found:
        # What is written by others must not become a formula where the file is opened.
        one |= {name: no_formula(one[name]) for name in ("text", "reason")}
    return csv_file("reviews", _COLUMNS, found)


def _single(made: APIRouter, caller: Any, access: Access, desk: Desk) -> None:  # noqa: ANN401 - Depends
    @made.get(
        "/v1/reviews/{review_id}",
        response_model=Review,
        responses=documented(401, 403, 404, 422, 429),
        tags=["reviews"],
    )
    async def review(review_id: ReviewId, x_case_number: CaseNumber = None, who: Caller = caller) -> Response:
        """One review; one of others is answered as one that there is not."""
        if not who.answers_reviews:
            access.person(who, f"of review {review_id}", x_case_number)
        return JSONResponse(await asyncio.to_thread(desk().one, who, review_id))

    @made.post(
        "/v1/reviews/{review_id}/answer",
        response_model=Review,
        responses=documented(401, 403, 404, 409, 422, 429),
        tags=["reviews"],
    )
    async def answer(review_id: ReviewId, given: ReviewAnswer, who: Caller = caller) -> Response:
        """Answer a review: it stands, the evidence was wrong, or the hold is lifted; each with its reason."""
        if not who.answers_reviews:
            raise forbidden(who.role, "a key of the role operator answers reviews")
        return JSONResponse(await asyncio.to_thread(desk().answer, review_id, given))
