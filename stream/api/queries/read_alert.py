"""A record of the topic of alerts, and who hears of it."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

Document = dict[str, Any]


class ReadAlert(msgspec.Struct, gc=False):
    """A record of the topic of alerts; ``packed`` is the document in JSON.

    ``identity`` is that of the alert that a retraction takes back. ``shown`` are the platforms whose it is.
    ``again``: an alert of this id stood already. ``limit`` is written ``policy@version/name``.
    """

    sequence: int
    partition: int
    offset: int
    identity: str
    rider: str
    platform: str | None
    event_s: int
    retraction: bool
    packed: bytes
    told_s: float
    kind: str
    limit: str
    zone: str | None
    hold_from_s: int | None
    shown: tuple[str, ...] = ()
    again: bool = False

    def document(self) -> Document:
        """The alert."""
        found: Document = msgspec.json.decode(self.packed)
        return found


class Listener(Protocol):
    """Who hears of every record: as it is read, and once it is known whose it is."""

    def read(self, one: ReadAlert) -> None:
        """A record was read."""

    def owned(self, one: ReadAlert) -> None:
        """The platforms of a record are known."""
