"""What is asked of rest stops: those of a zone, of a hold, and where there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from detectors.rider_view import RiderView
from schemas.instants import parse_instant
from schemas.policy import Policy
from stream.api.documents.rest_stops import gaps_document, open_through_hold, stops_document
from stream.api.documents.suppression import for_regulator
from stream.api.http_metrics import RestStopCounts
from stream.api.problems import Problem
from stream.rest_stops.directory import RestStopsDirectory
from stream.rest_stops.file import RestStopsFile
from stream.settings import Settings

Document = dict[str, Any]


class RestStopsQuery:
    """Answers about rest stops.

    Parameters
    ----------
    file
        None where none is named: then nothing is told of them.
    wall
        The wall clock, epoch seconds.
    """

    def __init__(self, file: RestStopsFile | None, wall: Callable[[], float]) -> None:
        self._file = file
        self._wall = wall

    @classmethod
    def of(cls, settings: Settings, policies: Sequence[Policy], wall: Callable[[], float]) -> RestStopsQuery:
        """For the file of the settings; opening hours are read in the time zone of the first policy."""
        named = settings.rest_stops
        return cls(RestStopsFile(named, policies[0].time_zone) if named else None, wall)

    @property
    def are_named(self) -> bool:
        """Whether there is a file of them."""
        return self._file is not None

    async def _directory(self) -> RestStopsDirectory | None:
        # Beside the event loop: a file that has changed is read there.
        return None if self._file is None else await asyncio.to_thread(self._file.current)

    async def _named(self) -> RestStopsDirectory:
        found = await self._directory()
        if found is None:
            raise Problem(
                404,
                "Not Found",
                "no file of rest stops is named here",
                "start the API with --rest-stops FILE; `respite rest-stops check FILE` looks at one",
            )
        return found

    async def stops(self, zone: str | None, open_at_s: int | None) -> Document:
        """The rest stops of a zone, or of all; with ``open_at_s`` those that are open then.

        Raises
        ------
        Problem
            404 when no file is named.
        """
        directory = await self._named()
        at_s = int(self._wall()) if open_at_s is None else open_at_s
        return await asyncio.to_thread(stops_document, directory, zone, at_s, only_open=open_at_s is not None)

    async def gaps(self, overview: Document) -> Document:
        """The zones with riders on hold and no open rest stop, as far as an overview shows them.

        Raises
        ------
        Problem
            404 when no file is named.
        """
        return await asyncio.to_thread(gaps_document, await self._named(), overview, int(self._wall()))

    async def of_alert(self, alert: Document, *, retracted: bool) -> list[Document] | None:
        """Of an alert with a hold: the open rest stops of the rider's zone; None where it has none.

        From the alert's instant until the hold can end, as the alert itself says.
        """
        hold = alert["hold"]
        directory = await self._directory()
        if directory is None or hold is None or retracted or alert["kind"] == "hold_released":
            return None
        until_s = parse_instant(hold["until"]) if hold["until"] else None
        at_s = parse_instant(alert["event_time"])
        return await asyncio.to_thread(open_through_hold, directory, alert["zone"], at_s, until_s)

    async def of_rider(self, view: RiderView, zone: str | None) -> list[Document] | None:
        """Of a rider on hold: the open rest stops of his zone from now on; None when he is on none."""
        directory = await self._directory()
        holds = [one for one in view.limits if one.hold_from_s is not None]
        if directory is None or not holds:
            return None
        known = [one.hold_until_s for one in holds if one.hold_until_s is not None]
        until_s = max(known) if known else None
        return await asyncio.to_thread(open_through_hold, directory, zone, view.now_s, until_s)

    async def counts(self, overview: Callable[[], Any]) -> RestStopCounts | None:
        """What metrics say of rest stops; None where no file is named.

        Zones without an open one are those of the regulator's list: None while its holds are hidden.
        """
        directory = await self._directory()
        if directory is None or self._file is None:
            return None
        shown = for_regulator(await overview())
        hidden = shown["statuses"]["hold"] < 0
        zones = (await self.gaps(shown))["zones"]
        return RestStopCounts(
            stops=len(directory.stops),
            estates=directory.estates_by_access(),
            zones_without=None if hidden else len(zones),
            is_refused=self._file.is_refused,
        )
