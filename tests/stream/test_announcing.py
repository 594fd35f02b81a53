"""What is counted as alerts are told, and by platform as evidence is read."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest

from detectors.kernels.layout import FORGOTTEN, FUTURE, MISPLACED, NEW, REFUSED_BEFORE, REPEATED, TOO_LATE
from schemas.decode import decode_lines
from stream.announcing import Announced, bucket
from stream.quality import by_platform

AT = "2026-11-23T16:00:00+08:00"
AT_S = 1_795_420_800.0


def alert(identity: str = "a", kind: str = "limit_reached", **fields: Any) -> dict[str, Any]:
    hold = {"from": AT, "until": None, "release": "rest", "told_at": AT}
    basic = {"alert_id": identity, "kind": kind, "policy": "p@1", "limit": "day/8h", "event_time": AT}
    return {**basic, "hold": hold, "platform": None, **fields}


@pytest.fixture
def counts() -> Counter[tuple[str, str]]:
    return Counter()


@pytest.fixture
def announced(counts: Counter[tuple[str, str]]) -> Announced:
    return Announced(counts)


def test_a_hold_is_counted_once_however_often_it_is_told(
    announced: Announced, counts: Counter[tuple[str, str]]
) -> None:
    announced.put(alert(), repeated=False)
    announced.put(alert(), repeated=False)
    announced.put(alert("b"), repeated=True)
    announced.put(alert("b"), repeated=False)
    assert counts == {("holds", "p@1/day/8h"): 1}


def test_only_what_begins_a_hold_is_a_hold(announced: Announced, counts: Counter[tuple[str, str]]) -> None:
    announced.put(alert("a", hold=None), repeated=False)
    announced.put(alert("b", event_time="2026-11-23T17:00:00+08:00"), repeated=False)
    announced.put(alert("c", kind="reminder"), repeated=False)
    announced.put(alert("d", kind="retracted"), repeated=False)
    assert not counts


def test_breaches_are_the_platforms(announced: Announced, counts: Counter[tuple[str, str]]) -> None:
    for identity, platform in (("a", "A"), ("b", "B"), ("c", "B"), ("c", "B")):
        announced.put(alert(identity, kind="hold_breached", platform=platform), repeated=False)
    assert counts == {("breaches", "A"): 1, ("breaches", "B"): 2}


def test_latency_runs_from_the_arrival_of_the_record_to_the_commit(
    announced: Announced, counts: Counter[tuple[str, str]]
) -> None:
    announced.after_record(1000.0)
    announced.put(alert(kind="approaching"), repeated=False)
    announced.after_record(1000.2)
    announced.put(alert(kind="retracted"), repeated=False)
    assert not counts, "nothing counts as told before its commit"
    announced.committed(1000.5)
    assert counts == {("latency_event", "0.5"): 2, ("latency_ms", "event"): 800}
    announced.committed(2000.0)
    assert counts["latency_ms", "event"] == 800


def test_latency_in_silence_runs_from_the_instant_reached(
    announced: Announced, counts: Counter[tuple[str, str]]
) -> None:
    announced.after_silence()
    announced.put(alert(kind="approaching"), repeated=False)
    announced.committed(AT_S + 0.75)
    assert counts == {("latency_time", "1.0"): 1, ("latency_ms", "time"): 750}


def test_what_is_told_again_after_a_restore_is_not_measured(
    announced: Announced, counts: Counter[tuple[str, str]]
) -> None:
    announced.after_record(None)
    announced.put(alert(kind="approaching"), repeated=False)
    announced.committed(AT_S + 100)
    assert not counts


def test_buckets_hold_what_is_at_most_their_bound() -> None:
    assert [bucket(one) for one in (0.0, 0.025, 0.026, 3600, 3600.1)] == [
        "0.025", "0.025", "0.05", "3600.0", "+Inf",
    ]  # fmt: skip


def test_late_and_refused_evidence_is_counted_by_its_platform() -> None:
    names = ["meituan", "m", "eleme", "meituan", "eleme", "m", "later", "m", "nobody", "m"]
    event = {
        "schema": "work-state/1",
        "event_id": "e",
        "rider_id": "r",
        "event_time": AT,
        "type": "heartbeat",
    }
    decoded = decode_lines([json.dumps({**event, "platform": name}).encode() for name in names])
    codes = np.array(
        [NEW, REPEATED, NEW, TOO_LATE, FUTURE, MISPLACED, REFUSED_BEFORE, NEW, NEW, FORGOTTEN], np.uint8
    )
    seconds_after = np.array([301, 302, 300, 9e9, 0, 9e9, 9e9, 0, 999, 9e9])
    decoded.columns.arrival_ms[:] = ((AT_S + seconds_after) * 1000).astype(np.int64)
    late = {("late", "meituan"): 1, ("late", "m"): 1, ("late", "nobody"): 1}
    refused = {("refused", "meituan"): 1, ("refused", "eleme"): 1}
    assert by_platform(decoded, codes, measured=True) == {**late, **refused}
    assert by_platform(decoded, codes, measured=False) == refused
