"""Events as columns, before they are messages: what the simulator thinks in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from schemas.work_state import EVENT_TYPES

PLATFORMS = ("meituan", "eleme", "jd")
ZONES = tuple(str(code) for code in (310101, 310104, 310105, 310106, 310107, 310109, 310110, 310112, 310115))
LOCAL_OFFSET_S = 8 * 3600
_INITIALS = tuple(name[0] for name in PLATFORMS)
FLAG_CONFIRMED, FLAG_VOID = 1, 2
#: Share of orders for riders on hold that a platform gives to others, unless it says otherwise.
HONOUR_SHARE = 0.95
HEARTBEAT = EVENT_TYPES.index("heartbeat")
ACCEPTED = EVENT_TYPES.index("order_accepted")

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Column = npt.NDArray[Any]


class EventColumns(NamedTuple):
    """What happened, one entry per event; in order of ``arrival_s``.

    ``at_s`` is epoch seconds, ``arrival_s`` when it is sent (float; the same, unless impaired), ``order`` -1
    where there is none, ``platform`` an index of `PLATFORMS`, ``type`` of the contract's types, ``fault`` 0
    unless malformed.
    """

    at_s: Column
    arrival_s: Column
    number: Column
    rider: Column
    order: Column
    platform: Column
    type: Column
    flags: Column
    fault: Column

    @property
    def size(self) -> int:
        """Number of events."""
        return len(self.at_s)

    def take(self, chosen: Column | slice) -> EventColumns:
        """Some of the events, by index, mask or slice."""
        return EventColumns(*(column[chosen] for column in self))


def joined(parts: Sequence[EventColumns]) -> EventColumns:
    """The events of several, one after the other."""
    return EventColumns(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def blank(count: int) -> EventColumns:
    """Events of nobody, to be filled."""
    return EventColumns(
        at_s=np.zeros(count, np.int64),
        arrival_s=np.zeros(count, np.float64),
        number=np.zeros(count, np.int64),
        rider=np.zeros(count, np.int64),
        order=np.full(count, -1, np.int64),
        platform=np.zeros(count, np.int8),
        type=np.zeros(count, np.int8),
        flags=np.zeros(count, np.uint8),
        fault=np.zeros(count, np.int8),
    )


def lines(happened: EventColumns, zones: Ints) -> list[bytes]:
    """The messages of events; ``zones`` is each rider's, and one event in ten comes without."""
    local = np.datetime_as_string((happened.at_s + LOCAL_OFFSET_S).astype("datetime64[s]"))
    zoned = np.where((happened.type != HEARTBEAT) & (happened.number % 10 > 0), zones[happened.rider], -1)
    columns = zip(
        happened.platform.tolist(),
        happened.number.tolist(),
        happened.rider.tolist(),
        local.tolist(),
        happened.type.tolist(),
        happened.order.tolist(),
        zoned.tolist(),
        happened.flags.tolist(),
        strict=True,
    )
    return [
        (
            f'{{"schema":"work-state/1","event_id":"{_INITIALS[platform]}-{number}","rider_id":"r_{rider:06x}",'
            f'"platform":"{PLATFORMS[platform]}","event_time":"{at}+08:00","type":"{EVENT_TYPES[kind]}"'
            f"{_tail(order, zone, flags) if order >= 0 or zone >= 0 or flags else ''}}}"
        ).encode()
        for platform, number, rider, at, kind, order, zone, flags in columns
    ]


def rider_id(rider: int) -> bytes:
    """The pseudonym of a rider."""
    return b"r_%06x" % rider


def _tail(order: int, zone: int, flags: int) -> str:
    tail = f',"order_id":"o-{order}"' if order >= 0 else ""
    if zone >= 0:
        tail += f',"zone":"{ZONES[zone]}"'
    if flags & FLAG_CONFIRMED:
        tail += ',"confirmed":true'
    return tail + ',"void":true' if flags & FLAG_VOID else tail


def honoured(text: str) -> dict[str, float]:
    """The share of each platform, of ``0.9``, ``meituan=1,jd=0.5`` or both; who is not named has 0.95.

    Raises
    ------
    ValueError
        A name that is no platform's, or no share.
    """
    found, rest = {}, HONOUR_SHARE
    for part in text.split(","):
        name, is_named, share = part.strip().rpartition("=")
        try:
            value = float(share)
        except ValueError:
            value = -1.0
        if not 0 <= value <= 1:
            raise ValueError(f"honour {part.strip()!r}: a share lies between 0 and 1, as 0.95 or jd=0.5")
        if is_named and name not in PLATFORMS:
            raise ValueError(f"honour {part.strip()!r}: the platforms are {', '.join(PLATFORMS)}")
        if is_named:
            found[name] = value
        else:
            rest = value
    return {name: found.get(name, rest) for name in PLATFORMS}
