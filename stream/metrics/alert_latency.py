"""What is counted as alerts are put and committed: holds begun, breaches, and how long telling took.

All goes into the partition's own counts, so it outlives a partition that is given up like any other count.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from detectors.kernels.layout.codes import HOLD_BREACHED, LIMIT_REACHED
from detectors.kernels.layout.values import I64
from detectors.outcomes import OutcomeColumns
from schemas.encode.columns import U64
from schemas.encode.known_ids import KnownIds

#: Upper bounds of the buckets of `respite_alert_latency_seconds`, seconds; the last one has none.
LATENCY_BUCKETS_S = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
#: An alert is put after a record, or because time passed.
CAUSES = ("event", "time")


def bucket(latency_s: float) -> str:
    """The label ``le`` of the bucket that a latency falls into."""
    index = bisect_left(LATENCY_BUCKETS_S, latency_s)
    return "+Inf" if index == len(LATENCY_BUCKETS_S) else str(LATENCY_BUCKETS_S[index])


class AlertLatency:
    """Counts what one partition tells.

    Parameters
    ----------
    counts
        The partition's. Written are ``("holds", "policy/limit")``, ``("platform_holds", platform)`` for every
        platform the rider works for, ``("breaches", platform)``,
        ``("latency_event" | "latency_time", le)`` (each bucket by itself) and
        ``("latency_ms", "event" | "time")``.
    """

    def __init__(self, counts: Counter[tuple[str, str]]) -> None:
        self._counts = counts
        self._arrival_s: float | None = None
        self._measured = False
        self._waiting: Counter[tuple[str, float]] = Counter()
        #: Holds and breaches: told again with other fields they are not counted again.
        self._known = KnownIds()

    def after_record(self, arrival_s: float | None) -> None:
        """What is put now comes of a record that arrived then, epoch seconds; None: do not measure."""
        self._arrival_s = arrival_s
        self._measured = arrival_s is not None

    def after_silence(self) -> None:
        """What is put now comes of time alone, and is late by its own instant."""
        self._arrival_s = None
        self._measured = True

    def put(self, document: dict[str, Any], platforms: Sequence[str], *, repeated: bool) -> None:
        """Count an alert that is put.

        ``platforms`` are those that have sent events for the rider within ``keep``; ``repeated``: an earlier
        owner of the partition had told it.
        """
        self._wait(document)
        if document["kind"] == "hold_breached":
            family, label = "breaches", document["platform"]
        elif document["kind"] == "limit_reached" and _begins_a_hold(document):
            family, label = "holds", f"{document['policy']}/{document['limit']}"
        else:
            return
        identity = int.from_bytes(bytes.fromhex(document["alert_id"])[:8], "little")
        first = self._known.first(np.array([identity], dtype=np.uint64))[0] == 1
        if first and not repeated:
            self._counts[family, label] += 1
            if family == "holds":
                self._counts.update(("platform_holds", platform) for platform in platforms)

    def put_columns(
        self, columns: OutcomeColumns, ids: U64, limits: Sequence[str], platform: Callable[[int], str]
    ) -> None:
        """Count alerts that are put, as `put` does.

        Parameters
        ----------
        ids
            The first words of the verdicts' ids.
        limits
            ``policy/limit`` of each limit.
        platform
            The name of a platform's number.
        """
        alerts = columns.alerts
        told = alerts.retracted == 0
        self._wait_columns(alerts.instant[told], len(told))
        begins = told & (alerts.kind == LIMIT_REACHED) & (alerts.hold_from == alerts.instant)
        breaches = told & (alerts.kind == HOLD_BREACHED)
        chosen = np.flatnonzero(begins | breaches)
        chosen = chosen[self._known.first(ids[chosen]) == 1]
        for number in alerts.platform[chosen[breaches[chosen]]].tolist():
            self._counts["breaches", platform(number)] += 1
        for index in chosen[begins[chosen]].tolist():
            self._counts["holds", limits[alerts.limit[index]]] += 1
            begin = alerts.members_off[index]
            for number in columns.members[begin : begin + alerts.members_n[index]].tolist():
                self._counts["platform_holds", platform(number)] += 1

    def _wait_columns(self, instants: I64, count: int) -> None:
        if not self._measured:
            return
        if self._arrival_s is not None:
            self._waiting["event", self._arrival_s] += count
            return
        found, counts = np.unique(instants, return_counts=True)
        for instant_s, number in zip(found.tolist(), counts.tolist(), strict=True):
            self._waiting["time", float(instant_s)] += number

    def _wait(self, document: dict[str, Any]) -> None:
        if not self._measured:
            return
        if self._arrival_s is not None:
            self._waiting["event", self._arrival_s] += 1
        elif document["kind"] != "retracted":
            self._waiting["time", datetime.fromisoformat(document["event_time"]).timestamp()] += 1

    def taken(self) -> Counter[tuple[str, float]]:
        """What was put and goes into the transaction that begins now, for `committed`."""
        waiting, self._waiting = self._waiting, Counter()
        return waiting

    def committed(self, waiting: Counter[tuple[str, float]], wall_s: float) -> None:
        """What was taken is in Kafka, as of ``wall_s``."""
        for (cause, since_s), count in waiting.items():
            latency_s = max(0.0, wall_s - since_s)
            self._counts[f"latency_{cause}", bucket(latency_s)] += count
            self._counts["latency_ms", cause] += round(latency_s * 1000) * count


def _begins_a_hold(document: dict[str, Any]) -> bool:
    hold = document["hold"]
    return hold is not None and hold["from"] == document["event_time"]
