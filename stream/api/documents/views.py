"""Riders and overviews as documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from detectors.kernels.layout.codes import CLEAR, CLOCKS, HELD, NEAR
from detectors.kernels.layout.values import I64, NONE
from detectors.kernels.reading.columns import A_KNOWN, A_LEFT, A_LIMIT, A_RESUME, A_STATUS, A_ZONE
from detectors.limits import Limit
from detectors.rider_view import RiderView, Stretch
from detectors.verdicts import STATUSES
from schemas.policy import Policy
from schemas.policy_limit import PolicyLimit
from stream.api.documents.batch import Batch
from stream.api.documents.explanation import clock_means
from stream.output.alert_json import utc

Document = dict[str, Any]
NEAREST = 50
#: Of a partition; all are counted.
MOST_HELD = 200


def policies_document(policies: Sequence[Policy]) -> Document:
    """The policies as pages show them."""
    return {"policies": [_policy(policy) for policy in policies]}


def _policy(policy: Policy) -> Document:
    return {
        "policy": policy.ref,
        "time_zone": policy.time_zone,
        "valid_from": policy.valid_from,
        "valid_until": policy.valid_until,
        "modality": policy.modality,
        "title": policy.title,
        "source": policy.source,
        "limits": [_limit_of_policy(one, policy) for one in policy.limits],
    }


def _limit_of_policy(one: PolicyLimit, policy: Policy) -> Document:
    return {
        "name": one.name,
        "kind": one.kind,
        "clock": one.clock,
        "clock_means": clock_means(one.clock),
        "limit_s": one.amount_s,
        "reset_s": one.reset_s,
        "reset_parts_s": one.reset_parts_s,
        "reset_sum_s": one.reset_sum_s,
        "reset_sum_parts_s": one.reset_sum_parts_s,
        "reset_clock": one.reset_clock,
        "window_s": one.window_s,
        "rest_s": one.rest_s,
        "per": one.per,
        "day_start": one.day_start,
        "week_start": one.week_start,
        "weeks": one.weeks,
        "between": one.between,
        "condition": one.condition,
        "when": one.when,
        "dates": one.dates,
        "zones": one.zones,
        "warn_before_s": one.warn_before_s,
        "remind_every_s": one.remind_every_s,
        "effect": one.effect,
        "release": one.release,
        "hold_for_s": one.hold_for_s,
        "message": one.message,
        "source": one.source or policy.source,
    }


def rider_document(
    rider: str, view: RiderView, limits: Sequence[Limit], rest_stops: Sequence[Document] | None
) -> Document:
    """One rider: all limits under all clocks, his day in every zone of the policies, where he can rest."""
    zones = sorted({one.time_zone for one in limits})
    return {
        "rider_id": rider,
        "status": view.status,
        "as_of": utc(view.now_s),
        "orders_in_hand": view.orders_in_hand,
        "last_event": utc(view.last_event_s) if view.last_event_s > 0 else None,
        "limits": [_limit(limits[one.index], one) for one in view.limits if one.in_force],
        "days": [_day(view, ZoneInfo(name), before=0) for name in zones],
        "days_before": [_day(view, ZoneInfo(name), before=1) for name in zones],
        "rest_stops": rest_stops,
    }


def _limit(limit: Limit, one: Any) -> Document:  # noqa: ANN401 - a LimitView
    zone = ZoneInfo(limit.time_zone)
    hold = None
    if one.hold_from_s is not None:
        until = _local(one.hold_until_s, zone)
        hold = {"from": _local(one.hold_from_s, zone), "until": until, "release": limit.release}
    return {
        "policy": limit.policy,
        "limit": limit.name,
        "kind": limit.kind,
        "clock": limit.clock,
        "effect": limit.effect,
        "counted_s": one.counted_s,
        "limit_s": one.amount_s,
        "left_s": one.left_s,
        "reached": one.reached,
        "counting_since": _local(one.start_s, zone),
        "resets_at": _local(one.resume_s, zone),
        "hold": hold,
    }


def _local(instant_s: int | None, zone: ZoneInfo) -> str | None:
    return None if instant_s is None else datetime.fromtimestamp(instant_s, tz=zone).isoformat()


def _day(view: RiderView, zone: ZoneInfo, *, before: int) -> Document:
    """The local day so many days before that of *now*."""
    day = datetime.fromtimestamp(view.now_s, tz=zone).date() - timedelta(days=before)
    # The first instant of a local date; where the clocks skip midnight, fold makes it the next one.
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    following = day + timedelta(days=1)
    end = datetime(following.year, following.month, following.day, tzinfo=zone)
    bounds = int(start.timestamp()), int(end.timestamp())
    clocks = {
        clock: [
            _interval(one, bounds, view.now_s, zone)
            for one in stretches
            if (one.end_s is None or one.end_s > bounds[0]) and one.start_s < bounds[1]
        ]
        for clock, stretches in view.stretches.items()
    }
    return {
        "time_zone": zone.key,
        "day": day,
        "start": start.isoformat(),
        "end": end.isoformat(),
        "clocks": clocks,
    }


def _interval(one: Stretch, bounds: tuple[int, int], now_s: int, zone: ZoneInfo) -> Document:
    end_s = now_s if one.end_s is None else min(one.end_s, bounds[1])
    return {
        "start": _local(max(one.start_s, bounds[0]), zone),
        "end": _local(end_s, zone),
        "open": one.end_s is None,
        "ended_by_maximum": one.by_maximum,
    }


def summary_document(rider: str, view: RiderView) -> Document:
    """What a platform may know of its rider."""
    holds = [one for one in view.limits if one.hold_from_s is not None]
    known = [one.hold_until_s for one in holds if one.hold_until_s is not None]
    left = [one.left_s for one in view.limits if not one.reached]
    return {
        "rider_id": rider,
        "status": view.status,
        "as_of": utc(view.now_s),
        "hold_until": utc(max(known)) if known else None,
        "remaining_s": 0 if holds else min(left) if left else None,
    }


# -- overview --------------------------------------------------------------------------------------


class Survey:
    """Counts over the answers for all riders of some partitions."""

    def __init__(self, limits: Sequence[Limit]) -> None:
        self._limits = limits
        self._clocks = np.array([CLOCKS.index(one.clock) for one in limits], dtype=np.int64)
        self.statuses: Counter[str] = Counter(dict.fromkeys(STATUSES, 0))
        self.holds: Counter[str] = Counter()
        self.zones: dict[str, Counter[str]] = {}
        self.platforms: dict[str, Counter[str]] = {}
        #: Those with the fewest seconds left, with these; and those on hold.
        self.nearest: list[tuple[int, Document]] = []
        self.held: list[Document] = []

    def add(self, batch: Batch, zones: Sequence[str], running: I64) -> None:
        """Take the riders of a partition in; ``running`` says by rider and clock whether it runs."""
        answers = batch.asked.answers
        known = np.flatnonzero(answers[:, A_KNOWN] == 1)
        status = answers[known, A_STATUS]
        for code in (CLEAR, NEAR, HELD):
            self.statuses[STATUSES[code]] += int((status == code).sum())
        numbers, counts = np.unique(answers[known[status == HELD], A_LIMIT], return_counts=True)
        for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
            limit = self._limits[number]
            self.holds[f"{limit.policy}/{limit.name}"] += count
        pairs, counts = np.unique(
            np.stack([answers[known, A_ZONE], status], axis=1), axis=0, return_counts=True
        )
        for (zone, code), count in zip(pairs.tolist(), counts.tolist(), strict=True):
            name = zones[zone] if 0 <= zone < len(zones) else "-"
            self.zones.setdefault(name, Counter(dict.fromkeys(STATUSES, 0)))[STATUSES[code]] += count
        for row in known[status == HELD][:MOST_HELD].tolist():
            self.held.append(person(batch.rider(row), answers[row].tolist(), self._limits))
        free = known[(status != HELD) & (answers[known, A_LIMIT] != NONE)]
        # Whom time brings no nearer is near to nothing.
        free = free[running[free, self._clocks[answers[free, A_LIMIT]]] == 1]
        for row in free[np.argsort(answers[free, A_LEFT], kind="stable")[:NEAREST]].tolist():
            line = answers[row].tolist()
            self.nearest.append((line[A_LEFT], person(batch.rider(row), line, self._limits)))
        self.nearest.sort(key=lambda one: one[0])
        del self.nearest[NEAREST:]

    def add_platform(self, platform: str, batch: Batch) -> None:
        """Take in the riders of a partition that are a platform's own."""
        answers = batch.asked.answers
        status = answers[answers[:, A_KNOWN] == 1, A_STATUS]
        if not len(status):
            # Named by heartbeats alone, or by what is long past.
            return
        cells = self.platforms.setdefault(platform, Counter(dict.fromkeys(STATUSES, 0)))
        for code in (CLEAR, NEAR, HELD):
            cells[STATUSES[code]] += int((status == code).sum())


def person(rider: str, line: Sequence[int], limits: Sequence[Limit]) -> Document:
    """A rider on hold or near a limit."""
    limit = limits[line[A_LIMIT]] if line[A_LIMIT] != NONE else None
    return {
        "rider_id": rider,
        "status": STATUSES[line[A_STATUS]],
        "policy": limit.policy if limit else None,
        "limit": limit.name if limit else None,
        "remaining_s": line[A_LEFT] if limit else None,
        "hold_until": utc(line[A_RESUME]) if line[A_RESUME] != NONE else None,
    }
