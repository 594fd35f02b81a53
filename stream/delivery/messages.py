"""Records of a platform's topics as messages to be sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

import msgspec

from schemas.faults.field import json_fault
from stream.delivery.destination import Destination

Headers = tuple[tuple[str, bytes], ...]
_STATUS = "dispatch-status/1"
#: An id goes into a header, and a full stop would end it in what is signed.
_ID = re.compile(r"[A-Za-z0-9_:-]{1,128}")


class Place(NamedTuple):
    """Where a record lies."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Message:
    """A record on its way to an endpoint.

    Parameters
    ----------
    place
        Where it lies in the platform's topic, also when it comes from the dead letters: the id follows.
    arrived_ms
        When Kafka got it, epoch milliseconds.
    """

    place: Place
    key: bytes | None
    value: bytes | None
    headers: Headers
    arrived_ms: int

    @property
    def size(self) -> int:
        """Bytes of key and value."""
        return len(self.key or b"") + len(self.value or b"")


class Head(msgspec.Struct):
    """What of an alert or status decides where it goes."""

    schema: str
    kind: str = ""
    alert_id: str = ""


class Sorted(Enum):
    """What is done with a message."""

    SEND = "send"
    SKIP = "skip"
    MALFORMED = "malformed"


_heads = msgspec.json.Decoder(Head)


def sort(message: Message, endpoint: Destination) -> tuple[Sorted, str]:
    """What an endpoint wants done with a message, and the id it is sent under (why not, if malformed).

    The id is the same each time the same record is sent. A forgotten rider's tombstone has no body to send.
    """
    if message.value is None:
        return Sorted.SKIP, ""
    try:
        message.value.decode()  # a signature covers text, and what is skipped below is not looked at
        head = _heads.decode(message.value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Sorted.MALFORMED, json_fault(error)
    if head.schema == _STATUS:
        return (Sorted.SEND if endpoint.statuses else Sorted.SKIP), _place_id(message.place)
    if not _ID.fullmatch(head.alert_id):
        return Sorted.MALFORMED, f"no status, and no alert with an id: {head.schema!r}, {head.alert_id!r}"
    wanted = Sorted.SEND if head.kind in endpoint.sent_kinds else Sorted.SKIP
    return wanted, f"{head.alert_id}-{_place_id(message.place)}"


def _place_id(place: Place) -> str:
    return f"{place.topic.replace('.', '_')}-{place.partition}-{place.offset}"
