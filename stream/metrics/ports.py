"""Where something is served when the port asked for is taken: several workers and APIs run on one machine."""

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
    """It cannot be served; the message names the place and the option that changes it."""


def on_free_port(host: str, port: int, serve: Callable[[int], Server], what: str = "metrics") -> Server:
    """Serve on a port, or on the next of twenty that is free; 0 takes any.

    Parameters
    ----------
    what
        What is served, as its options and settings name it: ``metrics`` or ``api``.

    Raises
    ------
    NotServed
        None of them is free, or none may be taken.
    """
    name, setting = what.upper() if what == "api" else what, f"RESPITE_{what.upper()}"
    last = port if port == 0 else min(port + _TRIED - 1, _LAST_PORT)
    for candidate in range(port, last + 1):
        try:
            server = serve(candidate)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            why = (error.strerror or "the address is not known").lower()
            message = f"{name} cannot be served at {host}:{candidate}: {why}; --{what}-host and --{what}-port"
            raise NotServed(f"{message} ({setting}_HOST, {setting}_PORT) say where") from error
        if candidate != port:
            said = "the port asked for was taken"
            log.warning(said, of=name, asked=port, taken=candidate, option=f"--{what}-port")
        return server
    raise NotServed(
        f"{name} cannot be served: ports {port} to {last} of {host} are taken; name another with "
        f"--{what}-port ({setting}_PORT), 0 for any"
    )
