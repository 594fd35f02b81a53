"""Routes of lists and of the past: found, filtered, sorted, page by page, as JSON or CSV."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from schemas.history import HistoryDocument
from schemas.lists import AlertPage, RiderPage, RiderWeek
from stream.api.access.authentication import Access, counts_only
from stream.api.access.roles import Caller
from stream.api.answers import csv_file
from stream.api.documents.cursor import InvalidCursor
from stream.api.history.tables import HOURS
from stream.api.problems import documented, forbidden, invalid
from stream.api.queries.listing import AlertList, Wanted
from stream.api.queries.query_service import QueryService

_ID = r"^[A-Za-z0-9_.:-]{1,64}$"
_LIMIT = r"^([A-Za-z0-9_.:-]{1,64}@[0-9]{1,9}/)?[A-Za-z0-9_.:-]{1,64}$"
AlertId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
RiderId = Annotated[str, Path(pattern=_ID, description="The rider's id, the same on every platform.")]
CaseNumber = Annotated[str | None, Header(description="The regulator's, to look at a single person; logged.")]
Zone = Annotated[str | None, Query(pattern=_ID, description="A zone as events name it.")]
Platform = Annotated[str | None, Query(pattern=_ID, description="Only what is this platform's own.")]
LimitName = Annotated[
    str | None, Query(pattern=_LIMIT, description="A limit's name, or `policy@version/name`.")
]
Part = Annotated[
    str, Query(pattern=r"^[A-Za-z0-9_.:-]{0,64}$", description="Only ids of riders with this in them.")
]
Text = Annotated[str | None, Query(max_length=300, description="`next` of the page before.")]
Most = Annotated[int, Query(ge=1, le=1000, description="Lines of a page.")]
Format = Annotated[
    Literal["json", "csv"], Query(description="`csv`: everything that is wanted, in one file without pages.")
]
Hours = Annotated[int, Query(ge=1, le=HOURS, description="How far back alerts are counted.")]
Kind = Literal["approaching", "limit_reached", "reminder", "hold_released", "hold_breached"]
_RIDER_COLUMNS = ("rider_id", "status", "policy", "limit", "remaining_s", "hold_until", "zone")
_ALERT_COLUMNS = (
    "alert_id", "event_time", "kind", "rider_id", "policy", "limit", "clock", "counted_s", "limit_s",
    "platform", "zone", "retracted",
)  # fmt: skip
CSV = {"text/csv": {"schema": {"type": "string"}}}


def add_to(made: APIRouter, service: QueryService, access: Access, caller: Any) -> None:  # noqa: ANN401 - Depends
    """Add these routes."""
    _riders(made, service, caller)
    _alerts(made, service, caller)
    _week(made, service, access, caller)
    _history(made, service, caller)


def _sees_everybody(who: Caller) -> None:
    counts_only(who)
    if not who.sees_persons:
        raise forbidden(who.role, "it names riders of all platforms; GET /v1/overview has the counts")


def _riders(made: APIRouter, service: QueryService, caller: Any) -> None:  # noqa: ANN401 - Depends
    @made.get(
        "/v1/riders",
        response_model=RiderPage,
        responses={200: {"content": CSV}, **documented(401, 403, 422, 429)},
        tags=["riders"],
    )
    async def riders(  # noqa: PLR0913 - a parameter for each way to find
        status: Literal["clear", "approaching", "hold"] | None = None,
        limit: LimitName = None,
        platform: Platform = None,
        zone: Zone = None,
        text: Part = "",
        sort: Literal["rider", "-rider", "left", "until"] = "rider",
        cursor: Text = None,
        most: Most = 50,
        format: Format = "json",
        who: Caller = caller,
    ) -> Response:
        """Riders of this machine: found, filtered, sorted, page by page."""
        _sees_everybody(who)
        wanted = Wanted(text, status, None, limit, platform, zone)
        if format == "csv":
            found = await asyncio.to_thread(service.rider_list.every, wanted, sort)
            return csv_file("riders", _RIDER_COLUMNS, found)
        try:
            page = await asyncio.to_thread(service.rider_list.page, wanted, sort, cursor, most)
        except InvalidCursor as error:
            raise invalid(str(error), "take `next` as it is, or begin without a cursor") from error
        return JSONResponse(msgspec.to_builtins(page))


def _alerts(made: APIRouter, service: QueryService, caller: Any) -> None:  # noqa: ANN401 - Depends
    @made.get(
        "/v1/alerts",
        response_model=AlertPage,
        responses={200: {"content": CSV}, **documented(401, 403, 422, 429)},
        tags=["alerts"],
    )
    async def recent_alerts(  # noqa: PLR0913 - a parameter for each way to find
        kind: Kind | None = None,
        limit: LimitName = None,
        platform: Platform = None,
        zone: Zone = None,
        rider: Annotated[str | None, Query(pattern=_ID, description="Only this rider's.")] = None,
        text: Part = "",
        cursor: Text = None,
        most: Most = 50,
        format: Format = "json",
        who: Caller = caller,
    ) -> Response:
        """The recent alerts, the newest instant first: filtered, page by page."""
        _sees_everybody(who)
        wanted = Wanted(text, None, kind, limit, platform, zone, rider)
        found = AlertList(service.recent.log)
        if format == "csv":
            return csv_file("alerts", _ALERT_COLUMNS, await asyncio.to_thread(found.every, wanted))
        try:
            page = await asyncio.to_thread(found.page, wanted, cursor, most)
        except InvalidCursor as error:
            raise invalid(str(error), "take `next` as it is, or begin without a cursor") from error
        return JSONResponse(page)


def _week(made: APIRouter, service: QueryService, access: Access, caller: Any) -> None:  # noqa: ANN401 - Depends
    @made.get(
        "/v1/riders/{rider_id}/week",
        response_model=RiderWeek,
        responses=documented(401, 403, 404, 422, 429, 503),
        tags=["riders"],
    )
    async def week(
        rider_id: RiderId, request: Request, x_case_number: CaseNumber = None, who: Caller = caller
    ) -> Response:
        """A rider's last seven days, how long each clock ran; not for platforms."""
        if who.platform is not None:
            raise forbidden(who.role, "it would show his work elsewhere; GET /v1/riders/{id} is yours")
        if who.rider is not None:
            raise forbidden(who.role, "GET /v1/riders/{id} has today and yesterday")
        access.person(who, rider_id, x_case_number)
        return JSONResponse(msgspec.to_builtins(await service.week(rider_id, request.headers)))


def _history(made: APIRouter, service: QueryService, caller: Any) -> None:  # noqa: ANN401 - Depends
    @made.get(
        "/v1/history",
        response_model=HistoryDocument,
        responses={200: {"content": CSV}, **documented(401, 403, 422, 429)},
        tags=["overview"],
    )
    async def history(hours: Hours = 24, format: Format = "json", who: Caller = caller) -> Response:
        """The last hours in counts; a regulator's: hours that are over, with small cells suppressed."""
        counts_only(who)
        found = await service.history.document(hours, for_regulator=who.role == "regulator")
        if format == "csv":
            return csv_file("history", ("time", "table", "name", "column", "count"), _long(found))
        return JSONResponse(found)


def _long(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A history as lines of one count each."""

    def line(time: str, table: str, name: str, column: str, count: int) -> dict[str, Any]:
        return {"time": time, "table": table, "name": name, "column": column, "count": count}

    for sample in found["samples"]:
        for status in ("clear", "approaching", "hold"):
            yield line(sample["at"], "riders", status, "riders", sample[status])
    for hour in found["hours"]:
        for kind, count in hour["kinds"].items():
            yield line(hour["start"], "alerts", kind, "alerts", count)
        for zone, count in hour["zones"].items():
            yield line(hour["start"], "zones", zone, "holds", count)
        for platform, columns in hour["platforms"].items():
            for column, count in columns.items():
                yield line(hour["start"], "platforms", platform, column, count)
    for limit in found["usage"]["limits"]:
        for tenth, count in enumerate(limit["tenths"]):
            name = f"{limit['policy']}/{limit['limit']}"
            yield line(found["as_of"], "usage", name, "reached" if tenth == 10 else f"{tenth * 10}%", count)
