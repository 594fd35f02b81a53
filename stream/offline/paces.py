"""The fleet's pace in a history: what orders took, and how many alarms that makes by zone and hour."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from detectors.kernels.layout.codes import ACCEPTED, CANCELLED, DELIVERED, FLAG_VOID, OF_ORDERS, PICKED_UP
from detectors.models import orders as Orders, pace as Model
from detectors.models.instants import HOUR_S, I64, Zone, offset_at
from detectors.models.parameters import PaceParameters
from schemas.decode import Decoded

Document = dict[str, Any]
_WHAT = {
    ACCEPTED: Orders.ACCEPTED,
    PICKED_UP: Orders.PICKED_UP,
    DELIVERED: Orders.DELIVERED,
    CANCELLED: Orders.CANCELLED,
}
_ALARMS = (
    ("cusum", "slower", Model.SLOWER),
    ("cusum", "faster", Model.FASTER),
    ("ewma", "slower", Model.EWMA_SLOWER),
    ("ewma", "faster", Model.EWMA_FASTER),
)


class _Names:
    """Numbers of names, in order of appearance."""

    def __init__(self) -> None:
        self.known: dict[bytes, int] = {}

    def number(self, name: bytes) -> int:
        return self.known.setdefault(name, len(self.known))


class PaceEvents:
    """Events of orders as columns, chunk by chunk."""

    def __init__(self) -> None:
        self._parts: list[I64] = []
        self.platforms = _Names()
        self.zones = _Names()

    def take(self, decoded: Decoded, chosen: I64) -> None:
        """Take the events of a chunk in that are chosen, by index."""
        columns = decoded.columns
        chosen = chosen[(OF_ORDERS >> columns.type[chosen].astype(np.int64)) & 1 == 1]
        part = np.empty((len(chosen), 7), dtype=np.int64)
        part[:, 0] = columns.rider_hash[chosen].view(np.int64)
        part[:, 1] = columns.order_hash[chosen].view(np.int64)
        part[:, 2] = columns.event_s[chosen]
        part[:, 3] = np.array([_WHAT.get(code, 0) for code in range(10)])[columns.type[chosen]]
        part[:, 4] = columns.flags[chosen] & FLAG_VOID
        places = (
            (self.platforms, columns.platform_off, columns.platform_len),
            (self.zones, columns.zone_off, columns.zone_len),
        )
        whole = decoded.buf.tobytes()
        for column, (names, off, length) in enumerate(places, 5):
            spans = zip(off[chosen].tolist(), length[chosen].tolist(), strict=True)
            part[:, column] = [names.number(whole[at : at + size]) for at, size in spans]
        self._parts.append(part)

    def standing(self) -> I64:
        """What was not taken back, sorted by rider, order, instant and what it says."""
        if not self._parts:
            return np.zeros((0, 7), dtype=np.int64)
        found = np.concatenate(self._parts)
        found = found[np.lexsort((found[:, 3], found[:, 2], found[:, 1], found[:, 0]))]
        same = np.ones(len(found), dtype=np.bool_)
        same[1:] = (found[1:, :4] != found[:-1, :4]).any(axis=1)
        group = np.cumsum(same) - 1
        void = np.zeros(group[-1] + 1 if len(group) else 0, dtype=np.bool_)
        void[group[found[:, 4] != 0]] = True
        standing: I64 = found[~void[group]]
        return standing


class Delivered(NamedTuple):
    """Deliveries in order of their ends: rider, platform, zone (numbers), when, and what they took."""

    rider: I64
    platform: I64
    zone: I64
    at_s: I64
    took_s: np.ndarray


def deliveries(events: I64, longest_s: int) -> Delivered:
    """What orders took, of events as `PaceEvents.standing` has them; the zone is that of the delivery."""
    order = np.zeros(len(events), dtype=np.int64)
    if len(events):
        order[1:] = np.cumsum((events[1:, :2] != events[:-1, :2]).any(axis=1))
    took = np.zeros(len(events))
    at, what = np.ascontiguousarray(events[:, 2]), np.ascontiguousarray(events[:, 3])
    Orders.delivered(order, at, what, longest_s, took)
    ended = np.flatnonzero(took > 0)
    # Deliveries of one instant: by rider and order, as they lie; that is the same in every reading.
    ended = ended[np.argsort(at[ended], kind="stable")]
    rider = np.unique(events[:, 0], return_inverse=True)[1]
    return Delivered(rider[ended], events[ended, 5], events[ended, 6], at[ended], took[ended])


@dataclass(slots=True)
class Pace:
    """Counts of orders and alarms by zone and hour, and what they were found by."""

    parameters: Document
    rows: list[Document]

    def sums(self) -> Document:
        """All zones and hours together."""
        total: Counter[str] = Counter()
        for row in self.rows:
            total.update(orders=row["orders"], judged=row["judged"])
            for chart in ("cusum", "ewma"):
                total[chart] += sum(row[chart].values())
        lengths = self.parameters["average_run_length"]
        return {
            "model": "pace",
            **{name: total[name] for name in ("orders", "judged", "cusum", "ewma")},
            **{f"{name}_by_chance": total["judged"] / lengths[name] for name in ("cusum", "ewma")},
            **self.parameters,
        }


def pace_of(events: PaceEvents, zone: Zone, longest_s: int, rules: PaceParameters) -> Pace:
    """The alarms of a history; of one delivery after another, as a service would see them."""
    found = deliveries(events.standing(), longest_s)
    hour = np.array([(at + offset_at(zone, at)) // HOUR_S % 24 for at in found.at_s.tolist()], dtype=np.int64)
    riders = int(found.rider.max(initial=-1)) + 1
    fleet = np.zeros((max(1, len(events.platforms.known)) * Model.HOURS, Model.BASELINE_WORDS))
    own, chart = np.zeros((riders, Model.BASELINE_WORDS)), np.zeros((riders, Model.CHART_WORDS))
    marks = np.zeros(len(hour), dtype=np.int64)
    cells = found.platform * Model.HOURS + hour
    Model.take_orders(fleet, own, chart, found.rider, cells, found.took_s, rules, marks)
    return Pace(parameters_of(rules), _rows(events, found.zone, hour, marks))


def parameters_of(rules: PaceParameters) -> Document:
    """What alarms are found by, and how many orders it takes on average until one comes by chance."""
    return {
        "parameters": {
            "k": rules.k,
            "h": rules.h,
            "lambda": rules.weight,
            "L": rules.width,
            "baseline": rules.baseline,
        },
        "average_run_length": {
            "cusum": Model.two_sided_cusum_run_length(rules.k, rules.h),
            "ewma": Model.ewma_run_length(rules.weight, rules.width),
        },
    }


def _rows(events: PaceEvents, zones: I64, hours: I64, marks: I64) -> list[Document]:
    names = [name.decode() or None for name in events.zones.known]
    found = []
    for place in np.unique(zones * 24 + hours).tolist():
        own = marks[zones * 24 + hours == place]
        alarms: Document = {"cusum": {}, "ewma": {}}
        for chart, way, bit in _ALARMS:
            alarms[chart][way] = int((own & bit != 0).sum())
        judged = int((own & Model.JUDGED != 0).sum())
        found.append(
            {"zone": names[place // 24], "hour": place % 24, "orders": len(own), "judged": judged, **alarms}
        )
    return sorted(found, key=lambda row: (row["zone"] is not None, row["zone"] or "", row["hour"]))
