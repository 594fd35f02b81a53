"""The history's file: written whole beside the old one and put in its place, so that a crash leaves one."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import structlog

from stream.api.history.tables import History

log = structlog.get_logger()
NONE = "none"


class HistoryFile:
    """Where the history is kept.

    Parameters
    ----------
    place
        The file, or `NONE`: then nothing outlives the process.
    of
        The installation; a file about another one is left as it is.
    """

    def __init__(self, place: str, of: str) -> None:
        self._place = None if place == NONE else Path(place)
        self._of = of
        self._said = False

    def load(self) -> History:
        """What the file has; an empty history where there is none or it cannot be used."""
        if self._place is None:
            return History(self._of)
        try:
            found = msgspec.json.decode(self._place.read_bytes(), type=History)
        except FileNotFoundError:
            return History(self._of)
        except (OSError, msgspec.DecodeError) as error:
            self._leave(f"cannot be read: {error}")
            return History(self._of)
        if found.of != self._of or not found.is_known:
            self._leave(f"is about {found.of!r}, version {found.version}, not about {self._of!r}")
            return History(self._of)
        return found

    def _leave(self, why: str) -> None:
        log.warning("history begins anew", file=str(self._place), why=why, remedy="--history another file")
        self._place = None

    def save(self, packed: bytes) -> None:
        """Write a packed history; a place that cannot be written is said once, and tried again each time."""
        if self._place is None:
            return
        beside = self._place.with_name(f"{self._place.name}.{os.getpid()}")
        try:
            with beside.open("wb") as out:
                out.write(packed)
                out.flush()
                os.fsync(out.fileno())
            beside.replace(self._place)
            self._said = False
        except OSError as error:
            beside.unlink(missing_ok=True)
            if not self._said:
                log.warning("history is not kept", file=str(self._place), why=str(error))
            self._said = True
