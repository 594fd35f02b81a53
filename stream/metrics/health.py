"""/healthz and /readyz: whether to start the process again, and whether to trust what it serves."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any, Protocol
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import msgspec

from stream.metrics.ports import on_free_port
from stream.settings import Settings

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

#: Broker and worker must agree to a second; from here on the worker is not ready.
MOST_CLOCK_DIFFERENCE_S = 5.0
#: The event loop has not turned for so long: whatever holds it, heartbeats to the broker have stopped too.
LOOP_STALLED_S = 10.0
#: A watermark is written every 5 s; older than this the state is unknown.
WATERMARK_STALE_S = 15.0
_BEAT_S = 1.0
_OK, _UNAVAILABLE, _NOT_FOUND = "200 OK", "503 Service Unavailable", "404 Not Found"


class Judged(Protocol):
    """What is read of a partition."""

    number: int
    lag_records: int
    clock_difference_s: float

    @property
    def committed_s(self) -> float | None:
        """When it last wrote something, epoch seconds; None before the first time."""

    @property
    def now_s(self) -> int | None:
        """*now*, None while the state is being rebuilt."""

    @property
    def restore_ratio(self) -> float:
        """How much of the rebuild is done, 0 to 1."""


class Health:
    """What a worker answers to its supervisor.

    Parameters
    ----------
    settings
        ``ready_lag`` and the clock.
    partitions
        Those that the worker works on.
    assigned
        Numbers of the partitions assigned; None before the worker has joined the group.
    wall
        Epoch seconds.
    refused
        Policies that are to be judged by and are refused, in words.
    """

    def __init__(
        self,
        settings: Settings,
        partitions: Callable[[], Sequence[Judged]],
        assigned: Callable[[], frozenset[int] | None],
        wall: Callable[[], float] = time.time,
        refused: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self._settings = settings
        self._partitions = partitions
        self._assigned = assigned
        self._wall = wall
        self.refused = refused
        self._beat_s = time.monotonic()

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Note every second that the loop turns."""
        self._beat_s = time.monotonic()
        loop.call_later(_BEAT_S, self.watch, loop)

    def unhealthy(self) -> list[str]:
        """Why the process should be started again; empty when it need not."""
        still_s = time.monotonic() - self._beat_s
        if still_s > LOOP_STALLED_S:
            return [f"the event loop has not turned for {still_s:.0f} s"]
        return []

    def unready(self) -> list[str]:
        """Why what this worker says must not be taken as current; empty when it may."""
        refused = [f"policy refused: {one}" for one in self.refused()]
        assigned = self._assigned()
        if assigned is None:
            return ["not in the group yet, or its partitions are being divided anew", *refused]
        found = self._partitions()
        missing = assigned - {one.number for one in found}
        reasons = [f"partition {number}: assigned, not claimed yet" for number in sorted(missing)]
        for one in sorted(found, key=lambda partition: partition.number):
            reasons += [f"partition {one.number}: {reason}" for reason in self._reasons(one)]
        return reasons + refused

    def _reasons(self, one: Judged) -> list[str]:
        if one.now_s is None:
            return [f"restoring, {one.restore_ratio:.0%} done"]
        reasons = []
        silent_s = 0.0 if one.committed_s is None else self._wall() - one.committed_s
        if silent_s > WATERMARK_STALE_S:
            # Who reads the topic takes the riders' state for unknown; this must not say better.
            reasons.append(f"its watermark is {silent_s:.0f} s old, more than {WATERMARK_STALE_S:.0f} s")
        if self._settings.clock == "wall":
            lag_s = self._wall() - one.now_s
            if lag_s > self._settings.ready_lag:
                most_s = self._settings.ready_lag
                reasons.append(
                    f"{lag_s:.0f} s behind, more than {most_s} s; {one.lag_records} records to read"
                )
            difference_s = one.clock_difference_s
            if abs(difference_s) > MOST_CLOCK_DIFFERENCE_S:
                reasons.append(
                    f"the broker's clock differs from this machine's by {difference_s:.1f} s, at most 5 s"
                )
        return reasons


class _Server(ThreadingMixIn, WSGIServer):
    """A scrape that takes long must not keep a probe waiting."""

    daemon_threads = True


class _Handler(WSGIRequestHandler):
    """Without a line in the log for every probe."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: ANN401 - the base class's signature
        """Nothing."""


def router(health: Health, metrics: WSGIApplication) -> WSGIApplication:
    """The application of the three paths; anything else is not found."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            return metrics(environ, start_response)
        if path == "/healthz":
            return _say(start_response, health.unhealthy())
        if path == "/readyz":
            return _say(start_response, health.unready())
        start_response(_NOT_FOUND, [("Content-Type", "text/plain; charset=utf-8")])
        return [b"there are /metrics, /healthz and /readyz\n"]

    return answer


def _say(start_response: StartResponse, reasons: list[str]) -> Iterable[bytes]:
    headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
    start_response(_UNAVAILABLE if reasons else _OK, headers)
    return [msgspec.json.encode({"ok": not reasons, "reasons": reasons})]


def serve(host: str, port: int, health: Health, metrics: WSGIApplication) -> WSGIServer:
    """Serve the three paths in a thread; port 0 takes a free one, a taken one the next.

    Raises
    ------
    NotServed
        There is no such place here.
    """
    app = router(health, metrics)
    server = on_free_port(
        host, port, lambda free: make_server(host, free, app, _Server, handler_class=_Handler)
    )
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server
