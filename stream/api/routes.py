"""The routes; what they answer is described in `schemas.api` and `schemas.eligibility`."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from schemas import api as documents
from schemas.eligibility import LONGEST_ORDER_MINUTES, MOST_CANDIDATES, Eligibilities, Eligibility
from schemas.faults.field import json_fault
from schemas.instants import parse_instant
from schemas.names import is_id
from schemas.overview import Overview
from schemas.rest_stops import RestStopGaps, RestStops
from schemas.reviews import Me
from stream.api import list_routes, review_routes
from stream.api.access.authentication import Access, counts_only
from stream.api.access.roles import Caller
from stream.api.answers import InPieces, written
from stream.api.documents.eligibility_answers import InvalidBatch
from stream.api.documents.views import policies_document
from stream.api.event_stream import EventStream
from stream.api.list_routes import AlertId, CaseNumber, RiderId, Zone
from stream.api.problems import documented, forbidden, invalid
from stream.api.queries.peers import FORWARDED, Claimed, Since
from stream.api.queries.query_service import QueryService

Minutes = Annotated[
    int,
    Query(
        ge=1,
        le=LONGEST_ORDER_MINUTES,
        description="How long the order will be in hand, in minutes, from its acceptance to its delivery.",
    ),
]
OpenAt = Annotated[
    str | None,
    Query(
        description="An instant like 2026-11-28T12:00:00+08:00 (%2B for +): who is open then.",
        json_schema_extra={"format": "date-time"},
    ),
]


def router(service: QueryService, access: Access) -> APIRouter:
    """All routes of the API."""
    made = APIRouter()
    caller = Depends(access.caller)
    _eligibility(made, service, caller)
    _persons(made, service, access, caller)
    _everyone(made, service, caller)
    _access(made, service, caller)
    _rest_stops(made, service, caller)
    _live(made, service, caller)
    _peers(made, service, caller)
    list_routes.add_to(made, service, access, caller)
    review_routes.add_to(made, service, access, caller)
    return made


def _asks_for_orders(who: Caller) -> None:
    if who.role not in ("platform", "dispatcher"):
        raise forbidden(who.role, "only those who dispatch orders ask this")


def _eligibility(made: APIRouter, service: QueryService, caller: Any) -> None:  # noqa: ANN401 - FastAPI's Depends
    @made.get(
        "/v1/riders/{rider_id}/eligibility",
        response_model=Eligibility,
        responses=documented(401, 403, 422, 429),
        response_description="The verdict, and how it came about.",
        summary="May this rider take an order now?",
        tags=["dispatch"],
    )
    async def eligibility(
        rider_id: RiderId, request: Request, minutes: Minutes = 25, who: Caller = caller
    ) -> Response:
        """Whether this rider may take an order of so many minutes now; ask before every order is pushed."""
        _asks_for_orders(who)
        answer = await service.eligibility(who, rider_id, minutes, request.headers)
        return Response(answer, media_type="application/json")

    @made.post(
        "/v1/eligibility",
        response_model=Eligibilities,
        responses=documented(401, 403, 413, 422, 429),
        response_description="A verdict for every candidate.",
        summary="Which of these riders may take an order now? A whole dispatch round.",
        tags=["dispatch"],
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Candidates"}}},
            }
        },
    )
    async def eligibilities(request: Request, who: Caller = caller) -> Response:
        """The same question for a whole dispatch round at once, answered in the order of the candidates."""
        _asks_for_orders(who)
        body = await request.body()
        try:
            answers = await service.round(who, body, request.headers)
        except InvalidBatch as error:
            raise invalid(str(error)) from error
        return InPieces(answers)


def _persons(made: APIRouter, service: QueryService, access: Access, caller: Any) -> None:  # noqa: ANN401 - Depends
    @made.get(
        "/v1/riders/{rider_id}",
        response_model=documents.RiderState | documents.RiderSummary,
        responses=documented(401, 403, 404, 422, 429, 503),
        tags=["riders"],
    )
    async def rider(
        rider_id: RiderId, request: Request, x_case_number: CaseNumber = None, who: Caller = caller
    ) -> Response:
        """One rider: limits under all clocks, his day, his holds; for a platform its riders' status only.

        A rider's key sees himself. Any other id is answered as one that nobody has.
        """
        access.person(who, rider_id, x_case_number)
        return JSONResponse(_plain(await service.rider(who, rider_id, request.headers)))

    @made.get(
        "/v1/riders/{rider_id}/alerts",
        response_model=documents.ToldAlerts,
        responses=documented(401, 403, 422, 429, 503),
        tags=["riders"],
    )
    async def alerts(
        rider_id: RiderId, request: Request, x_case_number: CaseNumber = None, who: Caller = caller
    ) -> Response:
        """The recent alerts of a rider; a platform gets its own riders', and its own breaches only."""
        access.person(who, rider_id, x_case_number)
        return await written(await service.alerts_of(who, rider_id, request.headers))

    @made.get(
        "/v1/alerts/{alert_id}/explanation",
        response_model=documents.Explained,
        responses=documented(401, 403, 404, 422, 429),
        tags=["riders"],
    )
    async def explanation(
        alert_id: AlertId,
        request: Request,
        lang: Literal["zh", "en"] = "zh",
        x_case_number: CaseNumber = None,
        who: Caller = caller,
    ) -> Response:
        """Why an alert was told, in words and figures; a platform sees neither intervals nor window."""
        access.person(who, f"of alert {alert_id}", x_case_number)
        document = await service.explanation(who, alert_id, lang, request.headers)
        return JSONResponse(_plain(document))


def _everyone(made: APIRouter, service: QueryService, caller: Any) -> None:  # noqa: ANN401 - FastAPI's Depends
    @made.get(
        "/v1/policies",
        response_model=documents.Policies,
        responses=documented(401, 429),
        tags=["policies"],
    )
    async def policies(who: Caller = caller) -> Any:  # noqa: ANN401, ARG001 - the response model says it
        """The policies that judge here."""
        return policies_document(service.policies)

    @made.get(
        "/v1/overview",
        response_model=Overview,
        responses=documented(401, 403, 429),
        tags=["overview"],
    )
    async def overview(who: Caller = caller) -> Response:
        """Counts, holds and health; the regulator's with cells under k riders suppressed."""
        counts_only(who)
        return await written(await service.overview(who))

    @made.get("/healthz", response_model=documents.Health, tags=["health"])
    async def healthz() -> dict[str, str]:
        """Alive."""
        return {"status": "ok"}

    @made.get("/metrics", response_class=Response, include_in_schema=False)
    async def metrics() -> Response:
        """Totals for Prometheus."""
        return Response(await service.metrics(), media_type="text/plain; version=0.0.4")

    @made.get(
        "/readyz",
        response_model=documents.Ready,
        responses={503: {"model": documents.Ready, "description": "Not ready."}},
        tags=["health"],
    )
    async def readyz() -> Response:
        """Whether answers other than UNKNOWN can be expected."""
        reason = service.ready()
        return JSONResponse({"ready": reason is None, "reason": reason}, 200 if reason is None else 503)


def _access(made: APIRouter, service: QueryService, caller: Any) -> None:  # noqa: ANN401 - FastAPI's Depends
    @made.get(
        "/v1/me",
        response_model=Me,
        responses=documented(401, 429),
        tags=["access"],
    )
    async def me(who: Caller = caller) -> Any:  # noqa: ANN401 - the response model says it
        """Whose key asks."""
        return {
            "role": who.role,
            "platform": who.platform,
            "rider": who.rider,
            "reviews": service.reviews is not None,
            "answers_reviews": who.answers_reviews,
        }


def _rest_stops(made: APIRouter, service: QueryService, caller: Any) -> None:  # noqa: ANN401 - FastAPI's Depends
    @made.get(
        "/v1/rest-stops",
        response_model=RestStops,
        responses=documented(401, 404, 422, 429),
        tags=["rest stops"],
    )
    async def rest_stops(zone: Zone = None, open_at: OpenAt = None, who: Caller = caller) -> Response:  # noqa: ARG001 - the role does not matter
        """Rest stops of a zone, or of all: with `open_at` those that are open then; and estates by access."""
        try:
            open_at_s = None if open_at is None else parse_instant(open_at)
        except ValueError as error:
            raise invalid(f"query.open_at: {error}") from error
        return await written(await service.rest_stops.stops(zone, open_at_s))

    @made.get(
        "/v1/rest-stops/gaps",
        response_model=RestStopGaps,
        responses=documented(401, 403, 404, 429),
        tags=["rest stops"],
    )
    async def gaps(who: Caller = caller) -> Response:
        """Zones with riders on hold and no open rest stop; the regulator's with cells under k suppressed."""
        counts_only(who)
        return await written(await service.rest_stops.gaps(await service.overview(who)))


def _live(made: APIRouter, service: QueryService, caller: Any) -> None:  # noqa: ANN401 - FastAPI's Depends
    @made.get(
        "/v1/alerts/stream",
        response_class=StreamingResponse,
        responses={
            200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}},
            **documented(401, 403, 422, 429),
        },
        tags=["alerts"],
    )
    async def stream(
        request: Request, last_event_id: Annotated[str | None, Header()] = None, who: Caller = caller
    ) -> StreamingResponse:
        """Alerts as they come (server-sent events). A slow client is dropped and resumes by Last-Event-ID.

        The event `alert` is one alert. While it cannot be said whose a rider is, alerts wait, in order; when
        that lasts, the event `resync` with `complete: false` says that some are left out from here on, and
        one with `complete: true` that all come again: open the stream anew with `since` as Last-Event-ID for
        those left out.
        """
        if not who.sees_persons:
            own = "GET /v1/riders/{id}/alerts has yours"
            raise forbidden(who.role, own if who.rider else "GET /v1/overview has what this role may see")
        events = EventStream(service, who, request.headers).events(last_event_id)
        return StreamingResponse(events, media_type="text/event-stream")


def _peers(made: APIRouter, service: QueryService, caller: Any) -> None:  # noqa: ANN401 - FastAPI's Depends
    @made.post("/v1/claims", include_in_schema=False)
    async def claims(request: Request, who: Caller = caller) -> Response:
        """Since when riders are the asker's own: what APIs of one installation ask each other."""
        if who.rider is not None:
            raise forbidden(who.role, "APIs of one installation ask each other this for platforms")
        try:
            asked, are_ids = await asyncio.to_thread(_claimed, await request.body())
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise invalid(f"body: {json_fault(error)}") from error
        if not are_ids:
            raise invalid("riders: ids, no more than in a round")
        found = await service.claims(who, asked.riders, {FORWARDED: "1"})
        return Response(msgspec.json.encode(Since([found[one] for one in asked.riders])))


def _claimed(body: bytes) -> tuple[Claimed, bool]:
    """What a peer asks, and whether it is ids, no more than in a round."""
    asked = msgspec.json.decode(body, type=Claimed)
    return asked, len(asked.riders) <= MOST_CANDIDATES and all(map(is_id, asked.riders))


def _plain(document: Any) -> Any:  # noqa: ANN401 - what JSON can say
    return msgspec.to_builtins(document)
