"""The API's application and its server: the only place that puts its parts together."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import ipaddress
import socket
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles

from schemas.api import ProblemDocument
from schemas.eligibility import Candidates
from schemas.rest_stops_file import InvalidRestStops
from stream.api import problems
from stream.api.access.authentication import Access, Outermost
from stream.api.access.connections import Connections, Limits, guarded
from stream.api.access.keys import Keys, KeysRefused
from stream.api.queries.event_ids import EventIds
from stream.api.queries.query_service import QueryService
from stream.api.reviews import outbox
from stream.api.reviews.store import ReviewsRefused
from stream.api.routes import router
from stream.metrics.ports import NotServed, on_free_port
from stream.settings import Settings

log = structlog.get_logger()
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
#: How often it is looked what the workers judge by, seconds.
_LOOK_EVERY_S = 1.0
_ENDED = (
    "topics are no longer followed",
    "history is no longer kept",
    "the workers' policies are no longer followed",
)
CONSOLE = Path(__file__).resolve().parent / "console"
#: What is counted and written in threads beside the event loop keeps it waiting for so long at a time.
_SWITCH_S = 0.001
_DESCRIPTION = """Before an order is pushed: may this rider take it, or is he due a rest?

Answers are PASS, FAIL or UNKNOWN; UNKNOWN is never PASS. Whoever dispatches asks before every order. No
answer within two seconds, a status other than 200 or a verdict that is not described here counts as UNKNOWN:
do then what you chose with your key (`if_unknown`), and ask again later.

A platform's key sees riders for whom the platform has sent events within the time riders are remembered; any
other rider is answered exactly as one who was never seen, with `known: false`: his first event from this
platform makes him its own.
"""


_KEY = {
    "type": "http",
    "scheme": "bearer",
    "description": "The key as `respite keys add` has printed it: `Authorization: Bearer ID.SECRET`.",
}


def _operation_id(route: APIRoute) -> str:
    return route.name


def new_app(
    settings: Settings, *, no_auth: bool = False, service: QueryService | None = None, follows: bool = True
) -> FastAPI:
    """The application; it follows the topics while it runs, unless told not to."""
    asked = service or QueryService(settings)
    keys = None if no_auth else Keys(Path(settings.keys))
    access = Access(keys, asked.counts)
    if keys is not None:
        asked.ids = EventIds(keys.event_secret)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(asked.warm_up)
        # Made at the first question it would keep all others waiting.
        await asyncio.to_thread(app.openapi)
        # What has been imported stays: a full collection need not look through it each time.
        gc.collect()
        gc.freeze()
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(asked.peers.close)
            stack.push_async_callback(asked.history.close)
            if follows:
                await stack.enter_async_context(_followed(asked))
            yield

    # No pages of documentation: they would come from another site. The document is at /openapi.json.
    app = FastAPI(
        title="Respite",
        version="1",
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        lifespan=lifespan,
    )
    problems.install(app)
    app.include_router(router(asked, access))
    app.add_middleware(Outermost, hosts=_LOOPBACK if no_auth else None)
    _describe(app, no_auth=no_auth)
    if (CONSOLE / "index.html").is_file():
        app.mount("/", StaticFiles(directory=CONSOLE, html=True), name="console")
    return app


@contextlib.asynccontextmanager
async def _followed(asked: QueryService) -> AsyncIterator[None]:
    """Follow the topics and the workers' policies, and keep the history, until left."""
    asked.history.start()
    recent = asked.recent
    running = [
        asyncio.ensure_future(recent.run()),
        asyncio.ensure_future(asked.history.run(lambda: recent.has_caught_up)),
        asyncio.ensure_future(_follow_plan(asked)),
    ]
    ended = list(_ENDED)
    if asked.reviews is not None:
        running.append(asyncio.ensure_future(outbox.run(asked.reviews.store, asked.settings)))
        ended.append("what reviews lead to is no longer sent")
    for one, what in zip(running, ended, strict=True):
        one.add_done_callback(partial(_say_why, what))
    try:
        yield
    finally:
        for one in running:
            one.cancel()
        await asyncio.wait(running)


async def _follow_plan(service: QueryService) -> None:
    """Look for good whether the workers go on with other policies."""
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        if await asyncio.to_thread(service.follow_plan):
            log.info("policies followed", policies=[one.ref for one in service.policies])


def _say_why(what: str, running: asyncio.Future[None]) -> None:
    """Say it when something that goes on ends otherwise than by being told to."""
    if not running.cancelled() and running.exception() is not None:
        log.error(what, error=repr(running.exception()))


def _describe(app: FastAPI, *, no_auth: bool) -> None:
    """Complete the OpenAPI document with what FastAPI does not see."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            schemas = made.setdefault("components", {}).setdefault("schemas", {})
            for model, name in ((ProblemDocument, "Problem"), (Candidates, "Candidates")):
                described = model.model_json_schema(ref_template="#/components/schemas/{model}")
                schemas |= described.pop("$defs", {})
                schemas[name] = described
            if not no_auth:
                made["components"]["securitySchemes"] = {"key": _KEY}
                for path, operations in made["paths"].items():
                    for operation in operations.values():
                        if path.startswith("/v1/"):
                            operation["security"] = [{"key": []}]
            # What is refused is a problem here, not FastAPI's own form.
            for operations in made["paths"].values():
                for operation in operations.values():
                    if "422" in operation["responses"]:
                        operation["responses"]["422"] = problems.documented(422)[422]
            schemas.pop("HTTPValidationError", None)
            schemas.pop("ValidationError", None)
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


class ApiRefused(ValueError):
    """The API does not start like this; the message says what to do."""


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _listen(host: str, port: int) -> socket.socket:
    # Named as TCP: asyncio sets TCP_NODELAY on such sockets only, and without it answers wait for 40 ms.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(1024)
    except OSError:
        listening.close()
        raise
    return listening


def server_config(app: FastAPI, settings: Settings, limits: Limits | None = None) -> uvicorn.Config:
    """How the app is served: guarded, and with the addresses that configured proxies name."""
    proxies = settings.proxies
    return uvicorn.Config(
        app,
        http=guarded(Connections(limits, proxies)),
        # No answer here goes over a web socket.
        ws="none",
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
    )


def run_api(settings: Settings, *, no_auth: bool) -> None:
    """Serve until stopped.

    Raises
    ------
    ApiRefused
        Without keys on an address that others reach, with an unusable file of keys, or at no place to listen.
    """
    if no_auth and not is_loopback(settings.api_host):
        message = f"--no-auth on {settings.api_host}, which others reach: leave it to 127.0.0.1, or use keys"
        raise ApiRefused(message)
    if not no_auth:
        try:
            if not Keys(Path(settings.keys)).any():
                message = (
                    f"no keys in {settings.keys}: make one with `respite keys add --role dispatcher`, "
                    "or start with --no-auth on this machine alone"
                )
                raise ApiRefused(message)
        except KeysRefused as error:
            raise ApiRefused(str(error)) from error
    try:
        app = new_app(settings, no_auth=no_auth)
    except InvalidRestStops as error:
        raise ApiRefused(f"--rest-stops: {error}") from error
    except ReviewsRefused as error:
        raise ApiRefused(f"--reviews: {error}") from error
    host, port = settings.api_host, settings.api_port
    try:
        listening = on_free_port(host, port, lambda free: _listen(host, free), "api")
    except NotServed as error:
        raise ApiRefused(str(error)) from error
    config = server_config(app, settings)
    sys.setswitchinterval(_SWITCH_S)
    host, port = listening.getsockname()[:2]
    log.info("api", address=f"http://{host}:{port}")
    uvicorn.Server(config).run(sockets=[listening])
