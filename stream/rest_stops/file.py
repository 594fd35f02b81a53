"""The file of rest stops: read at the start, and taken up again when it changes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from schemas.rest_stops_file import InvalidRestStops, RestStopsContents, parse_rest_stops
from stream.rest_stops.directory import RestStopsDirectory

log = structlog.get_logger()
#: How often is looked whether the file has changed.
LOOK_EVERY_S = 1.0
_LARGEST_BYTES = 64 * 1024 * 1024


def load_rest_stops(name: str) -> RestStopsContents:
    """What a file says.

    Raises
    ------
    InvalidRestStops
        It cannot be read, or with every fault.
    """
    path = Path(name)
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise InvalidRestStops(f"{name}: larger than 64 MiB: no list of rest stops")
        return parse_rest_stops(path.read_text(encoding="utf-8-sig"), name)
    except OSError as error:
        raise InvalidRestStops(f"{name}: cannot be read: {(error.strerror or 'it').lower()}") from error
    except UnicodeDecodeError as error:
        raise InvalidRestStops(
            f"{name}: cannot be read: not UTF-8 at byte {error.start}: save it as UTF-8"
        ) from error


class RestStopsFile:
    """A file and what it said when it was last good.

    Parameters
    ----------
    name
        The file's.
    time_zone
        Opening hours are read in it.
    clock
        Seconds, for when to look again.

    Raises
    ------
    InvalidRestStops
        At the start; later a file that is refused leaves what stood before, and the log says so once.
    """

    def __init__(self, name: str, time_zone: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self.is_refused = False
        self._time_zone = time_zone
        self._clock = clock
        self._lock = threading.Lock()
        self._looked_s = clock()
        # Before it is read: what changes meanwhile is read once more.
        self._seen = self._stamp()
        self._directory = RestStopsDirectory(load_rest_stops(name), time_zone)

    def current(self) -> RestStopsDirectory:
        """What the file says; it is looked at again when a second has passed."""
        with self._lock:
            if self._clock() - self._looked_s >= LOOK_EVERY_S:
                self._looked_s = self._clock()
                self._look()
            return self._directory

    def _look(self) -> None:
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._directory = RestStopsDirectory(load_rest_stops(self.name), self._time_zone)
        except InvalidRestStops as error:
            self.is_refused = True
            log.error(  # noqa: TRY400 - the faults say all, a traceback nothing
                "rest stops refused; what stood before stands", faults=str(error)
            )
            return
        self.is_refused = False
        log.info(
            "rest stops taken up", stops=len(self._directory.stops), estates=len(self._directory.estates)
        )

    def _stamp(self) -> tuple[int, ...] | None:
        """What tells one state of the file from another; None where there is none."""
        try:
            about = Path(self.name).stat()
        except OSError:
            return None
        return about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns
