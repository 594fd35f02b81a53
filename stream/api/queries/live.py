"""What a client of the live stream has missed, and whose the alerts are that it may be told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from detectors.kernels.layout.values import PAST
from schemas.platform_view import alert_view
from stream.api.access.roles import Caller
from stream.api.queries.peers import FORWARDED, NOT_OWN, Peers
from stream.api.queries.read_alert import ReadAlert
from stream.api.queries.recent_alerts import QUEUE, Offered, RecentAlerts

Document = dict[str, Any]
Owners = Callable[[Sequence[str]], list[Mapping[str, int] | None]]
#: Of alerts of which it cannot be said here whose they are, so many are asked about for who resumes.
_LOOKED_AT = 5_000
#: Alerts written at a time beside the event loop: less than a millisecond's work.
_SLICE = 25


class Missed(NamedTuple):
    """What a client may have missed of the live stream, oldest first, and whether there was more before."""

    read: list[ReadAlert]
    older: bool


class LiveQueries:
    """Answers for the live stream.

    Parameters
    ----------
    owners, recent, peers
        Where is found whose riders are, what was told, and what other machines answer.
    """

    def __init__(self, owners: Owners, recent: RecentAlerts, peers: Peers) -> None:
        self._owners = owners
        self.recent = recent
        self.peers = peers
        #: One client at a time is told what it has missed.
        self._resuming = asyncio.Semaphore(1)

    async def claims(
        self, caller: Caller, riders: Sequence[str], headers: Mapping[str, str]
    ) -> dict[str, int | None]:
        """By rider, since when he is the caller's by what all machines know; `NOT_OWN`; None: none says."""
        platform = caller.platform
        if platform is None or not riders:
            return dict.fromkeys(riders, PAST)
        found = await asyncio.to_thread(self._claims_here, platform, riders)
        missing = [rider for rider, since_s in found.items() if since_s is None]
        if missing and self.peers and FORWARDED not in headers:
            found |= await self.peers.claims(headers, missing)
        return found

    def _claims_here(self, platform: str, riders: Sequence[str]) -> dict[str, int | None]:
        return {
            rider: None if one is None else one.get(platform, NOT_OWN)
            for rider, one in zip(riders, self._owners(riders), strict=True)
        }

    def missed(self, caller: Caller, position: Sequence[int]) -> Missed:
        """What may be the caller's of what was told after a position, as many as a client may be behind.

        Costs what is the caller's own, and at most `_LOOKED_AT` more of which it is not known whose it is.
        """
        newest = list(islice(self.recent.log.newest_after(caller.platform, position), QUEUE + 1))
        if caller.platform is not None:
            unsure = islice(self.recent.log.unsure_after(caller.platform, position), _LOOKED_AT)
            newest = sorted([*newest, *unsure], key=lambda one: -one.sequence)
        older = len(newest) > QUEUE or not self.recent.log.reaches(position)
        return Missed(newest[::-1], older=older)

    async def offers(
        self, caller: Caller, missed: Missed, position: Sequence[int], headers: Mapping[str, str]
    ) -> AsyncIterator[list[Offered]]:
        """What a client has missed as it may see it, some at a time, written beside the event loop."""
        at = list(position)
        async with self._resuming:
            riders = sorted({one.rider for one in missed.read})
            since = await self.claims(caller, riders, headers)
            mine = [one for one in missed.read if _may_be_own(one, since[one.rider])][-QUEUE:]
        for first in range(0, len(mine), _SLICE):
            some = mine[first : first + _SLICE]
            async with self._resuming:
                cut = await asyncio.to_thread(_cut, caller, some)
            offered = []
            for one, alert in zip(some, cut, strict=True):
                at[one.partition] = one.offset
                offered.append(Offered(one, alert, sure=since[one.rider] is not None, position=tuple(at)))
            yield offered


def _may_be_own(one: ReadAlert, since_s: int | None) -> bool:
    return since_s is None or (since_s != NOT_OWN and since_s <= one.event_s)


def _cut(caller: Caller, some: Sequence[ReadAlert]) -> list[Document]:
    """Alerts as the caller may see them."""
    found = [one.document() for one in some]
    return found if caller.platform is None else [alert_view(alert) for alert in found]
