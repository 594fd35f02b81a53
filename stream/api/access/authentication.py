"""Who asks, how often, and what is sent with every answer."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog
from fastapi import Request

from stream.api.access.connections import TRUST
from stream.api.access.keys import Keys, Slow
from stream.api.access.roles import NOBODY, Caller
from stream.api.http_metrics import Counts
from stream.api.problems import Problem, forbidden, misdirected, too_large, unauthorized

log = structlog.get_logger()
LARGEST_BYTES = 64 * 1024
LARGEST_ROUND_BYTES = 16 * 1024 * 1024
_BURST_S = 2.0
_MOST_BUCKETS = 10_000
#: Presented secrets of one key id that have to be hashed: hashing is slow on purpose.
_HASHED_PER_SECOND = 4.0
#: Presented keys that are none, from one address.
_WRONG_PER_SECOND = 50.0
_HASHED_AT_ONCE = 2
_CASE = 64
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'self'; frame-ancestors 'none'; base-uri 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
Scope = MutableMapping[str, Any]


class RateLimits:
    """A token bucket per name; each fills at its own rate and holds two seconds' worth."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, per_second: float) -> float:
        """Take a token: 0, or the seconds until there is one."""
        now = self._clock()
        room = max(1.0, per_second * _BURST_S)
        level, then = self._levels.pop(name, (room, now))
        level = min(room, level + (now - then) * per_second)
        wait = 0.0 if level >= 1 else (1 - level) / per_second
        self._levels[name] = (level if wait else level - 1, now)
        if len(self._levels) > _MOST_BUCKETS:
            self._levels.popitem(last=False)
        return wait


class Access:
    """Authenticates and limits.

    Parameters
    ----------
    keys
        None lets everybody in; only for loopback.
    counts
        Where the regulator's looks at single persons are counted.
    """

    def __init__(
        self, keys: Keys | None, counts: Counts, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._keys = keys
        self._counts = counts
        self._buckets = RateLimits(clock)
        self._hashing = asyncio.Semaphore(_HASHED_AT_ONCE)

    async def caller(self, request: Request) -> Caller:
        """Who asks.

        Raises
        ------
        Problem
            401 without a valid key, 429 when asked too often.
        """
        if self._keys is None:
            _trust(request, NOBODY)
            return NOBODY
        scheme, _, presented = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not presented or len(presented) > 200:
            raise unauthorized()
        found = self._keys.quick(presented)
        if isinstance(found, Slow):
            self._limit(f"id {presented.partition('.')[0]}", _HASHED_PER_SECOND)
            async with self._hashing:
                found = await asyncio.to_thread(self._keys.verify, presented)
        if found is None:
            # After the key was looked at: who shares an address with the one that guesses is not kept out.
            self._limit(f"from {request.client.host if request.client else ''}", _WRONG_PER_SECOND)
            raise unauthorized()
        _trust(request, found)
        self._limit(f"key {found.key}", found.per_second)
        return found

    def _limit(self, name: str, per_second: float) -> None:
        wait_s = self._buckets.take(name, per_second)
        if wait_s > 0:
            after = str(int(wait_s) + 1)
            raise Problem(
                429,
                "Too Many Requests",
                "asked more often than this key may",
                f"wait {after} s; ask for a whole round with POST /v1/eligibility",
                {"Retry-After": after},
            )

    def person(self, caller: Caller, rider: str, case_number: str | None) -> None:
        """Let the caller look at a single person.

        Raises
        ------
        Problem
            403 when that is not the role's business; the regulator's look needs a case number and is logged.
        """
        if caller.sees_persons or caller.rider is not None:
            # Whether it is the caller's own rider, or himself, is looked at where riders are looked up.
            return
        if caller.role != "regulator":
            raise forbidden(caller.role, "GET /v1/overview has what this role may see")
        if not case_number or len(case_number) > _CASE or not case_number.isprintable():
            raise forbidden(caller.role, "send the header X-Case-Number, 1 to 64 characters; it is logged")
        self._counts.looked_up()
        log.warning("person looked up", rider=rider, case_number=case_number, key=caller.key)


def counts_only(caller: Caller) -> None:
    """Let the caller look at counts of all riders.

    Raises
    ------
    Problem
        403 when they are not the role's business.
    """
    if caller.sees_counts:
        return
    own = "your own id has your" if caller.rider is not None else "an id of your riders has their"
    raise forbidden(caller.role, f"it is about everybody; GET /v1/riders/{{id}} with {own} status")


def _trust(request: Request, caller: Caller) -> None:
    """Let the connection stay when others have to give way."""
    trust = request.scope.get(TRUST)
    if trust is not None:
        trust(caller.key)


class Outermost:
    """Puts the security headers on every answer, refuses bodies that are too large, and answers HEAD.

    Parameters
    ----------
    hosts
        Names that the server may be called by; without keys, else any page could have its own name lead here
        and ask. None: any.
    """

    def __init__(self, app: Any, hosts: frozenset[str] | None = None) -> None:  # noqa: ANN401 - ASGI
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        """Hand a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = LARGEST_ROUND_BYTES if scope["path"] == "/v1/eligibility" else LARGEST_BYTES
        size = 0

        async def counted() -> Any:  # noqa: ANN401 - an ASGI message
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > most:
                raise too_large(most)
            return message

        async def headed(message: Any) -> None:  # noqa: ANN401 - an ASGI message
            if message["type"] == "http.response.start":
                have = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(pair for pair in HEADERS if pair[0] not in have),
                ]
            await send(message)

        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1").rpartition(":")[0] or headers.get(
            b"host", b""
        ).decode("latin-1")
        if self._hosts is not None and host not in self._hosts:
            await misdirected(host).response()(scope, receive, headed)
            return
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > most:
            await too_large(most).response()(scope, receive, headed)
            return
        if scope["method"] == "HEAD":
            await self._head_only(scope, counted, headed)
            return
        await self._app(scope, counted, headed)

    async def _head_only(self, scope: Scope, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        """Answer as GET would be answered, without the body; what would go on for ever ends here."""
        running: asyncio.Future[None]

        async def headed(message: Any) -> None:  # noqa: ANN401 - an ASGI message
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                asyncio.get_running_loop().call_soon(running.cancel)

        running = asyncio.ensure_future(self._app({**scope, "method": "GET"}, receive, headed))
        try:
            await asyncio.wait([running])
        finally:
            running.cancel()
        if not running.cancelled():
            running.result()
