"""The end of a process that does not end by itself."""

from __future__ import annotations

import os
import threading

import structlog

log = structlog.get_logger()
_FAILED = 1


def exit_after(seconds: float) -> None:
    """End the process by force: without a broker, aiokafka's clients do not let themselves be closed."""

    def give_up() -> None:
        log.error("not stopped in time, ending by force", seconds=seconds)
        os._exit(_FAILED)

    timer = threading.Timer(seconds, give_up)
    timer.daemon = True
    timer.start()
