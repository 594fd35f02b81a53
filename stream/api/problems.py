"""Errors as problem+json (RFC 9457), each with a remedy."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as RoutingError

from schemas.faults.field import field_fault, written

_REMEDIES = {
    404: "see /openapi.json for what there is",
    405: "see /openapi.json for the methods of this path",
}


class Problem(Exception):
    """An answer other than what was asked for."""

    def __init__(
        self, status: int, title: str, detail: str, remedy: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail
        self.remedy = remedy
        self.headers = headers or {}

    def response(self) -> JSONResponse:
        """The answer."""
        content = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "remedy": self.remedy,
        }
        return JSONResponse(content, self.status, self.headers, media_type="application/problem+json")


def unauthorized() -> Problem:
    """No key, or none that is known."""
    return Problem(
        401,
        "Unauthorized",
        "no valid key in the header Authorization",
        "send `Authorization: Bearer ID.SECRET`; `respite keys add` makes a key",
        {"WWW-Authenticate": "Bearer"},
    )


def forbidden(role: str, remedy: str) -> Problem:
    """The role may not ask this."""
    return Problem(403, "Forbidden", f"the role {role} may not ask this", remedy)


def not_found(what: str, remedy: str) -> Problem:
    """Nothing there, or nothing of the caller's."""
    return Problem(404, "Not Found", f"{what} is not known", remedy)


def no_rider() -> Problem:
    """Of whom nothing is known, or nothing that the caller may know."""
    return not_found("this rider", "check the id; riders are known from their first event on")


def invalid(detail: str, remedy: str = "compare it with /openapi.json") -> Problem:
    """What was sent is not what the document describes."""
    return Problem(422, "Unprocessable Content", detail, remedy)


def too_large(most: int) -> Problem:
    """The body is larger than it may be."""
    return Problem(413, "Content Too Large", f"more than {most} bytes", "send the round in several requests")


def misdirected(host: str) -> Problem:
    """The server is called by a name that is not its own."""
    return Problem(
        421,
        "Misdirected Request",
        f"without keys this server is not called {host!r}",
        "ask http://127.0.0.1 or http://localhost, or use keys",
    )


def unavailable(reason: str) -> Problem:
    """The state that would be needed is not to be believed."""
    return Problem(
        503,
        "Service Unavailable",
        f"the state of this rider's partition is unknown: {reason}",
        "ask again in some seconds; GET /v1/overview shows the partitions",
        {"Retry-After": "5"},
    )


def install(app: FastAPI) -> None:
    """Let every error of the app be a problem."""

    @app.exception_handler(Problem)
    async def on_problem(_: Request, problem: Problem) -> JSONResponse:
        return problem.response()

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        faults = "; ".join(
            f"{'.'.join(str(step) for step in one['loc'])} = {written(one['input'])}: {field_fault(one)}"
            if one["type"] != "missing"
            else f"{'.'.join(str(step) for step in one['loc'])} is missing"
            for one in error.errors()
        )
        return invalid(faults).response()

    @app.exception_handler(RoutingError)
    async def on_routing(_: Request, error: RoutingError) -> JSONResponse:
        if error.status_code == 400:
            # What FastAPI says of a body that cannot even be decoded; like every wrong body it is 422.
            return invalid("the body is no JSON in UTF-8").response()
        remedy = _REMEDIES.get(error.status_code, "compare it with /openapi.json")
        headers = dict(error.headers or {})
        return Problem(error.status_code, str(error.detail), str(error.detail), remedy, headers).response()


_WHY = {
    401: "No valid key.",
    403: "The key's role may not ask this.",
    404: "Nothing there, or nothing that is the asker's.",
    409: "It has been decided already.",
    413: "The body is too large.",
    422: "Not as described here.",
    429: "Asked more often than the key may; ask again after the seconds in Retry-After.",
    503: "The state that would be needed is unknown for the moment; ask again after Retry-After.",
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Problems of a route for its OpenAPI description."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _WHY[status], "content": content} for status in statuses}
