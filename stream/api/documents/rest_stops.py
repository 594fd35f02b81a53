"""Rest stops and estates as documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.rest_stops import RestStop
from stream.rest_stops.directory import RestStopsDirectory

Document = dict[str, Any]
#: Named in an explanation, of those that are open.
MOST_NAMED = 20


def stop_document(directory: RestStopsDirectory, stop: RestStop, at_s: int) -> Document:
    """One rest stop as of an instant."""
    until = directory.open_until(stop, at_s)
    return {
        **stop.model_dump(mode="json"),
        "open": directory.is_open(stop, at_s),
        "open_until": None if until is None else until.isoformat(),
    }


def stops_document(
    directory: RestStopsDirectory, zone: str | None, at_s: int, *, only_open: bool
) -> Document:
    """The rest stops and estates of a zone, or of all."""
    stops = [stop for stop in directory.stops_of(zone) if not only_open or directory.is_open(stop, at_s)]
    return {
        "as_of": directory.local(at_s).isoformat(),
        "time_zone": directory.time_zone,
        "stops": [stop_document(directory, stop, at_s) for stop in stops],
        "estates": [one.model_dump(mode="json") for one in directory.estates_of(zone)],
        "estates_by_access": directory.estates_by_access(zone),
    }


def open_through_hold(
    directory: RestStopsDirectory, zone: str | None, from_s: int, until_s: int | None
) -> list[Document]:
    """The rest stops of a rider's zone that are open until his hold can end.

    Where that is not known (``until_s`` is None), those that are open now.
    """
    if zone is None:
        return []
    found = directory.open_in(zone, from_s, until_s)
    return [stop_document(directory, stop, from_s) for stop in found[:MOST_NAMED]]


def gaps_document(directory: RestStopsDirectory, overview: Document, at_s: int) -> Document:
    """The zones with riders on hold and no open rest stop, by what an overview shows of them.

    Zones come from the overview as its reader sees it: where its column of holds is hidden whole, every
    zone with riders is one that may have some, and the list says no more than the overview does.
    """
    riders: Mapping[str, Mapping[str, int]] = overview["riders_by_zone"]
    zones = [
        {"zone": zone, "riders_on_hold": cells["hold"], "stops": len(directory.stops_of(zone))}
        for zone, cells in sorted(riders.items())
        if zone != "-" and cells["hold"] != 0 and not _any_open(directory, zone, at_s)
    ]
    return {
        "as_of": directory.local(at_s).isoformat(),
        "time_zone": directory.time_zone,
        "k": overview["k"],
        "complete": overview["complete"],
        "zones": zones,
        "stops": len(directory.stops),
        "estates_by_access": directory.estates_by_access(),
    }


def _any_open(directory: RestStopsDirectory, zone: str, at_s: int) -> bool:
    stops: Sequence[RestStop] = directory.stops_of(zone)
    return any(directory.is_open(stop, at_s) for stop in stops)
