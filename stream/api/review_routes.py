"""The routes about reviews; who may contest an alert is who may see its explanation."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse

from schemas.reviews import Review, ReviewAnswer, ReviewRequest, Reviews
from stream.api.access.authentication import Access
from stream.api.access.keys import Caller
from stream.api.list_routes import CaseNumber
from stream.api.problems import documented, forbidden, not_found
from stream.api.queries.query_service import QueryService
from stream.api.reviews.desk import ReviewDesk

AlertId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
ReviewId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


def add_to(made: APIRouter, service: QueryService, access: Access, caller: Any) -> None:  # noqa: ANN401 - Depends
    """Add the routes."""

    def desk() -> ReviewDesk:
        if service.reviews is None:
            raise not_found("a desk for reviews", "the operator names a file with RESPITE_REVIEWS")
        return service.reviews

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

        A platform can do this for its own alerts. Asked again while it is open, the same review is answered.
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
        """The reviews of an alert: those that a platform has asked for itself, or all."""
        if not who.answers_reviews:
            access.person(who, f"of alert {alert_id}", x_case_number)
        await service.seen_alert(who, alert_id, request.headers)
        return JSONResponse(await asyncio.to_thread(desk().of_alert, who, alert_id))

    @made.get(
        "/v1/reviews",
        response_model=Reviews,
        responses=documented(401, 403, 404, 429),
        tags=["reviews"],
    )
    async def reviews(who: Caller = caller, *, open_only: bool = True) -> Response:
        """Reviews, those that are due first in front; a platform gets those that it has asked for."""
        if who.role == "regulator":
            raise forbidden(who.role, "GET /v1/alerts/{id}/reviews has those of an alert")
        return JSONResponse(await asyncio.to_thread(lambda: desk().listed(who, only_open=open_only)))

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
