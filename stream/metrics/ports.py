"""Where metrics are served when the port asked for is taken: several workers run on one machine."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TypeVar

import structlog

log = structlog.get_logger()
Server = TypeVar("Server")
_TRIED = 20
_LAST_PORT = 65_535


class NotServed(OSError):
    """Metrics cannot be served; the message names the place and the option that changes it."""


def on_free_port(host: str, port: int, serve: Callable[[int], Server]) -> Server:
    """Serve on a port, or on the next of twenty that is free; 0 takes any.

    Raises
    ------
    NotServed
        None of them is free, or none may be taken.
    """
    last = port if port == 0 else min(port + _TRIED - 1, _LAST_PORT)
    for candidate in range(port, last + 1):
        try:
            server = serve(candidate)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            why = (error.strerror or "the address is not known").lower()
            message = (
                f"metrics cannot be served at {host}:{candidate}: {why}; --metrics-host and --metrics-port"
            )
            raise NotServed(f"{message} (RESPITE_METRICS_HOST, RESPITE_METRICS_PORT) say where") from error
        if candidate != port:
            log.warning(
                "the port of the metrics was taken", asked=port, taken=candidate, option="--metrics-port"
            )
        return server
    raise NotServed(
        f"metrics cannot be served: ports {port} to {last} of {host} are taken; name another with "
        "--metrics-port (RESPITE_METRICS_PORT), 0 for any"
    )
