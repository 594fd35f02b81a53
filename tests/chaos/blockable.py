"""``python -m tests.chaos.blockable worker …``: a worker that can be held up or hurt from outside.

``SIGUSR1`` holds its event loop for longer than a session while its other threads go on (heartbeats to the
group among them); ``SIGUSR2`` holds the whole interpreter, as a call that never lets go of it does.
``SIGHUP`` ends the loops that fetch, without a word, as an error that aiokafka swallows does.
"""

from __future__ import annotations

import ctypes
import gc
import runpy
import signal
import time

from aiokafka.consumer.fetcher import Fetcher

#: Longer than the group's session time-out of 10 s.
BLOCKED_S = 13


def deafen() -> None:
    """Let no consumer of the process fetch any more."""
    for one in gc.get_objects():
        if isinstance(one, Fetcher):
            one._loop.call_soon_threadsafe(one._fetch_task.cancel)


def main() -> None:
    """Be ``python -m stream``, with the signals."""
    signal.signal(signal.SIGHUP, lambda *_: deafen())
    # Handlers run in the main thread, which is the event loop's; a PyDLL call keeps the interpreter's lock.
    signal.signal(signal.SIGUSR1, lambda *_: time.sleep(BLOCKED_S))  # waits: the fault
    signal.signal(signal.SIGUSR2, lambda *_: ctypes.PyDLL(None).sleep(BLOCKED_S))  # waits: it
    runpy.run_module("stream", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
