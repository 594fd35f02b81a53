"""``python -m tests.chaos.blockable worker …``: a worker that can be held up from outside, for the faults.

``SIGUSR1`` holds its event loop for longer than a session while its other threads go on (heartbeats to the
group among them); ``SIGUSR2`` holds the whole interpreter, as a call that never lets go of it does.
"""

from __future__ import annotations

import ctypes
import runpy
import signal
import time

#: Longer than the group's session time-out of 10 s.
BLOCKED_S = 13


def main() -> None:
    """Be ``python -m stream``, with the two signals."""
    # Handlers run in the main thread, which is the event loop's; a PyDLL call keeps the interpreter's lock.
    signal.signal(signal.SIGUSR1, lambda *_: time.sleep(BLOCKED_S))
    signal.signal(signal.SIGUSR2, lambda *_: ctypes.PyDLL(None).sleep(BLOCKED_S))
    runpy.run_module("stream", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
