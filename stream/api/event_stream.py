"""One client's live stream: in order, nothing left out without a word, and nothing that is not the client's.

Whose an alert is says the state of the rider's partition. While that cannot be asked (it is restored, stale,
or elsewhere and no peer answers) the alert waits, and those behind it too: a client resumes from the id that
it saw last, so what came after a gap would hide the gap. What has waited too long, or has too many behind it,
is given up: the client is told so by the event ``resync``, and again when that partition can be asked again.

That some alert waits can be seen from outside in the time that others take. Whose it is cannot, nor in which
partition or how many there are: ``resync`` says the same to everybody.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from stream.api.access.roles import Caller
from stream.api.queries.peers import NOT_OWN
from stream.api.queries.query_service import QueryService
from stream.api.queries.recent_alerts import QUEUE, Offered

Document = dict[str, Any]
PING_S = 10.0
#: Alerts that may wait of one client: as many as it may be behind.
HELD = QUEUE
#: How long one may wait. A take-over takes less, and so does a restore of a million riders.
HELD_S = 60.0
_AGAIN_S = 0.5
_INCOMPLETE = (
    "whose some alerts are cannot be said for now: they are left out until the next resync says complete. "
    "Nothing is lost in the platform's topic and webhooks"
)
#: The id to resume from who wants the recent alerts; nothing was before it.
BEGINNING = "0-0"
#: Alerts sent together; between two lots others have their turn.
_TOGETHER = 25
_UNKNOWN = (
    "the id in Last-Event-ID is none of this installation's, or of before its keys were made anew: the "
    "newest alerts follow that are still here; older ones are at GET /v1/riders/{rider_id}/alerts"
)
_OLDER = (
    "more alerts were told since then than a client may be behind: from here on all come, the older ones are "
    "in the platform's topic and at GET /v1/riders/{rider_id}/alerts"
)
_COMPLETE = (
    "alerts are whole again from here on. For those left out open the stream once more with the header "
    "Last-Event-ID as `since` says, or ask GET /v1/riders/{rider_id}/alerts"
)
_json = msgspec.json.Encoder()


@dataclass(slots=True)
class _Waiting:
    """An alert under way to the client; ``since_s`` by the stream's clock."""

    offered: Offered
    #: It is the client's; otherwise it may be.
    sure: bool
    since_s: float

    @property
    def rider(self) -> str:
        return self.offered.read.rider


class EventStream:
    """The stream of one client.

    Parameters
    ----------
    headers
        Of its request; passed on to the machines that are asked whose a rider is.
    held, held_s
        How many alerts may wait, and how long.
    clock
        Monotonic seconds.
    """

    def __init__(
        self,
        service: QueryService,
        caller: Caller,
        headers: Mapping[str, str],
        *,
        held: int = HELD,
        held_s: float = HELD_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._service = service
        self._caller = caller
        self._headers = headers
        self._held = held
        self._held_s = held_s
        self._clock = clock
        self._waiting: deque[_Waiting] = deque()
        #: Of each partition whose alerts are left out, a rider by whom to ask whether it answers again.
        self._lost: dict[int, str] = {}
        self._last: str | None = None
        self._position: list[int] = []
        self._knew = False
        #: The last id before alerts were left out.
        self._since: str | None = None

    async def events(self, last: str | None) -> AsyncIterator[bytes]:
        """Events after the id ``last``, each with an id to resume from; comments keep the line open."""
        recent = self._service.recent
        position = self._resumed(last)
        self._last = last
        missed = None if last is None else self._service.missed(self._caller, position)
        end = tuple(recent.log.position)
        #: What comes is after this; what is read again, by an API that has begun anew, is left out.
        self._position = list(position if last is not None else end)
        subscriber = recent.subscribe(self._caller.platform)
        try:
            yield b": connected\n\n"
            if missed is not None and last is not None:
                if not self._knew and last != BEGINNING:
                    yield self._resync(complete=True, why=_UNKNOWN, since=None)
                elif missed.older and last != BEGINNING:
                    yield self._resync(complete=True, why=_OLDER, since=last)
                async for offered in self._service.offers(self._caller, missed, position, self._headers):
                    self._take(offered)
                    for text in await self._step():
                        yield text
            said_s = self._clock()
            while not subscriber.dropped or not subscriber.queue.empty() or self._waiting:
                for text in await self._step():
                    yield text
                    said_s = self._clock()
                wait_s = _AGAIN_S if self._waiting or self._lost else PING_S
                try:
                    self._take([await asyncio.wait_for(subscriber.queue.get(), wait_s)])
                except TimeoutError:
                    if self._clock() - said_s >= PING_S or wait_s == PING_S:
                        yield b": still here\n\n"
                        said_s = self._clock()
                for _ in range(_TOGETHER):
                    if not subscriber.queue.empty():
                        self._take([subscriber.queue.get_nowait()])
        finally:
            recent.unsubscribe(subscriber)

    def _resumed(self, last: str | None) -> list[int]:
        """The position of an id; before everything, for one that is not known."""
        known = self._service.recent.log.position
        found = None if last is None else self._service.ids.read(last)
        self._knew = found is not None and len(found) >= len(known)
        return found if found is not None and self._knew else [-1] * len(known)

    def _take(self, offered: list[Offered]) -> None:
        now_s = self._clock()
        for one in offered:
            number = one.read.partition
            self._position.extend([-1] * (number + 1 - len(self._position)))
            if one.read.offset > self._position[number]:
                self._position[number] = one.read.offset
                self._waiting.append(_Waiting(one, one.sure, now_s))

    async def _step(self) -> list[bytes]:
        """Ask whose what waits is; what can go to the client now, in order, some together."""
        said = await self._settle()
        waiting = self._waiting
        alerts = []
        while waiting and (waiting[0].sure or self._is_lost(waiting[0])):
            one = waiting.popleft()
            if one.sure:
                alerts.append(self._alert(one))
        said += await _in_turns(alerts)
        if waiting and (len(waiting) > self._held or self._clock() - waiting[0].since_s > self._held_s):
            said.extend(self._give_up())
        return said

    async def _settle(self) -> list[bytes]:
        """Note whose alerts are, forget those of others, and say when all can be asked again."""
        asked = {one.rider for one in self._waiting if not one.sure} | set(self._lost.values())
        if not asked:
            return []
        own = await self._service.claims(self._caller, sorted(asked), self._headers)
        kept = []
        for one in self._waiting:
            since_s = None if one.sure else own[one.rider]
            if since_s is not None:
                one.sure = since_s != NOT_OWN and since_s <= one.offered.read.event_s
            if one.sure or since_s is None:
                kept.append(one)
        self._waiting = deque(kept)
        if not self._lost:
            return []
        self._lost = {number: rider for number, rider in self._lost.items() if own[rider] is None}
        return [] if self._lost else [self._resync(complete=True, why=_COMPLETE, since=self._since)]

    def _is_lost(self, one: _Waiting) -> bool:
        return self._service.riders.home(one.rider) in self._lost

    def _give_up(self) -> list[bytes]:
        """Leave out what cannot be said, and let go what waited behind it."""
        first = not self._lost
        if first:
            self._since = self._last
        self._lost |= {
            self._service.riders.home(one.rider): one.rider for one in self._waiting if not one.sure
        }
        own = [one for one in self._waiting if one.sure]
        self._waiting.clear()
        said = [self._resync(complete=False, why=_INCOMPLETE, since=self._since)] if first else []
        return said + [self._alert(one) for one in own]

    def _alert(self, one: _Waiting) -> bytes:
        self._last, text = one.offered.written(self._service.ids)
        return text

    def _resync(self, *, complete: bool, why: str, since: str | None) -> bytes:
        data = {"complete": complete, "why": why, "since": since}
        return b"event: resync\ndata: " + _json.encode(data) + b"\n\n"


async def _in_turns(texts: list[bytes]) -> list[bytes]:
    """Texts joined, some together; others have their turn between."""
    joined = []
    for first in range(0, len(texts), _TOGETHER):
        joined.append(b"".join(texts[first : first + _TOGETHER]))
        await asyncio.sleep(0)
    return joined
