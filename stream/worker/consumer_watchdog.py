"""Whether the worker still hears its broker; a consumer that has died inside lives on without a word."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

import structlog

log = structlog.get_logger()
_LOOK_S = 1.0
#: For so long a broker that answers others may go unheard: after an outage a consumer needs some seconds.
_COME_BACK_S = 30.0


class ConsumerDead(RuntimeError):
    """The consumer hears nothing of a broker that answers others; the supervisor starts the worker again."""


class FetchProgress(NamedTuple):
    """What changes as long as a partition is fetched and judged."""

    response_ms: int
    position: int


class ConsumerWatchdog:
    """Watches what the consumer hears.

    An outage of the broker is no reason to end: after it the consumer comes back. So the broker is asked by a
    fresh connection, and only one that answers that, and goes on answering, while the consumer still hears
    nothing, says that the fault is here.

    Parameters
    ----------
    deaf_after_s
        How long nothing may be heard; 0: for ever.
    heard
        By partition, what was heard last; of those that ought to be heard now.
    why_silent
        Ask the leader of a partition by a fresh connection: why it does not answer, None when it does.
    clock
        Monotonic seconds.
    """

    def __init__(
        self,
        deaf_after_s: int,
        heard: Callable[[], Mapping[int, FetchProgress]],
        why_silent: Callable[[int], Awaitable[str | None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._deaf_after_s = deaf_after_s
        self._heard = heard
        self._why_silent = why_silent
        self._clock = clock
        self._last: Mapping[int, FetchProgress] = {}
        self._since_s = clock()
        #: Since when the broker has answered others and not us.
        self._answers_since_s: float | None = None

    async def watch(self) -> None:
        """Watch until cancelled.

        Raises
        ------
        ConsumerDead
            The worker is to be started again.
        """
        while True:
            await asyncio.sleep(_LOOK_S)
            if self._deaf_after_s:
                await self.look()

    async def look(self) -> None:
        """Look once.

        Raises
        ------
        ConsumerDead
            The worker is to be started again.
        """
        heard = self._heard()
        if not heard or any(self._last.get(number) != one for number, one in heard.items()):
            self._last, self._since_s, self._answers_since_s = dict(heard), self._clock(), None
            return
        silent_s = self._clock() - self._since_s
        if silent_s < self._deaf_after_s:
            return
        # Of several brokers one may be away; were another one's partition fetched, it would be heard.
        why: str | None = None
        for number in heard:
            why = await self._why_silent(number)
            if why is None:
                self._answered(number, silent_s)
                return
        self._answers_since_s = None
        log.warning(
            "the broker is silent, to others too; the worker waits for it", for_s=int(silent_s), error=why
        )

    def _answered(self, number: int, silent_s: float) -> None:
        if self._answers_since_s is None:
            self._answers_since_s = self._clock()
        if self._clock() - self._answers_since_s < min(_COME_BACK_S, self._deaf_after_s):
            return
        message = (
            f"the consumer has heard nothing of the broker for {silent_s:.0f} s, which answers others (asked "
            f"about partition {number}): something in this process has died; it ends so that its supervisor "
            "starts it again (RESPITE_DEAF_AFTER says after how long, 0 never; see the log for a MemoryError)"
        )
        log.error("deaf", reason=message)
        raise ConsumerDead(message)
