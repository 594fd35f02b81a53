"""What is counted as alerts are told, and by platform as evidence is read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from detectors.kernels.layout.codes import (
    FORGOTTEN,
    FUTURE,
    MISPLACED,
    NEW,
    REFUSED_BEFORE,
    REPEATED,
    TOO_LATE,
)
from schemas.decode import decode_lines
from stream.metrics.alert_latency import AlertLatency, bucket
from stream.metrics.evidence_quality import MOST_PLATFORMS, OTHER, Evidence

AT = "2026-11-23T16:00:00+08:00"
AT_S = 1_795_420_800.0
PLATFORMS = ["A", "B"]


def alert(identity: str = "a", kind: str = "limit_reached", **fields: Any) -> dict[str, Any]:
    hold = {"from": AT, "until": None, "release": "rest", "told_at": AT}
    basic = {
        "alert_id": identity.encode().hex().ljust(32, "0"),
        "kind": kind,
        "policy": "p@1",
        "limit": "day/8h",
        "event_time": AT,
    }
    return {**basic, "hold": hold, "platform": None, **fields}


@pytest.fixture
def counts() -> Counter[tuple[str, str]]:
    return Counter()


@pytest.fixture
def announced(counts: Counter[tuple[str, str]]) -> AlertLatency:
    return AlertLatency(counts)


def test_a_hold_is_counted_once_however_often_it_is_told(
    announced: AlertLatency, counts: Counter[tuple[str, str]]
) -> None:
    announced.put(alert(), PLATFORMS, repeated=False)
    announced.put(alert(), PLATFORMS, repeated=False)
    announced.put(alert("b"), PLATFORMS, repeated=True)
    announced.put(alert("b"), PLATFORMS, repeated=False)
    assert counts == {("holds", "p@1/day/8h"): 1, ("platform_holds", "A"): 1, ("platform_holds", "B"): 1}


def test_only_what_begins_a_hold_is_a_hold(announced: AlertLatency, counts: Counter[tuple[str, str]]) -> None:
    announced.put(alert("a", hold=None), PLATFORMS, repeated=False)
    announced.put(alert("b", event_time="2026-11-23T17:00:00+08:00"), PLATFORMS, repeated=False)
    announced.put(alert("c", kind="reminder"), PLATFORMS, repeated=False)
    announced.put(alert("d", kind="retracted"), PLATFORMS, repeated=False)
    assert not counts


def test_breaches_are_the_platforms(announced: AlertLatency, counts: Counter[tuple[str, str]]) -> None:
    for identity, platform in (("a", "A"), ("b", "B"), ("c", "B"), ("c", "B")):
        announced.put(alert(identity, kind="hold_breached", platform=platform), PLATFORMS, repeated=False)
    assert counts == {("breaches", "A"): 1, ("breaches", "B"): 2}


def test_latency_runs_from_the_arrival_of_the_record_to_the_commit(
    announced: AlertLatency, counts: Counter[tuple[str, str]]
) -> None:
    announced.after_record(1000.0)
    announced.put(alert(kind="approaching"), PLATFORMS, repeated=False)
    announced.after_record(1000.2)
    announced.put(alert(kind="retracted"), PLATFORMS, repeated=False)
    assert not counts, "nothing counts as told before its commit"
    announced.committed(announced.taken(), 1000.5)
    assert counts == {("latency_event", "0.5"): 2, ("latency_ms", "event"): 800}
    announced.committed(announced.taken(), 2000.0)
    assert counts["latency_ms", "event"] == 800


def test_latency_in_silence_runs_from_the_instant_reached(
    announced: AlertLatency, counts: Counter[tuple[str, str]]
) -> None:
    announced.after_silence()
    announced.put(alert(kind="approaching"), PLATFORMS, repeated=False)
    announced.committed(announced.taken(), AT_S + 0.75)
    assert counts == {("latency_time", "1.0"): 1, ("latency_ms", "time"): 750}


def test_what_is_told_again_after_a_restore_is_not_measured(
    announced: AlertLatency, counts: Counter[tuple[str, str]]
) -> None:
    announced.after_record(None)
    announced.put(alert(kind="approaching"), PLATFORMS, repeated=False)
    announced.committed(announced.taken(), AT_S + 100)
    assert not counts


def test_buckets_hold_what_is_at_most_their_bound() -> None:
    assert [bucket(one) for one in (0.0, 0.025, 0.026, 3600, 3600.1)] == [
        "0.025", "0.025", "0.05", "3600.0", "+Inf",
    ]  # fmt: skip


def messages(names: Sequence[str], **fields: Any) -> list[bytes]:
    event = {"schema": "work-state/1", "event_id": "e", "rider_id": "r", "event_time": AT}
    event["type"] = "heartbeat"
    return [json.dumps({**event, **fields, "platform": name}).encode() for name in names]


def test_evidence_taken_late_and_refused_is_counted_by_its_platform() -> None:
    names = ["meituan", "m", "eleme", "meituan", "eleme", "m", "later", "m", "nobody", "m"]
    decoded = decode_lines(messages(names))
    codes = np.array(
        [
            NEW,
            REPEATED,
            NEW,
            TOO_LATE,
            FUTURE,
            MISPLACED,
            REFUSED_BEFORE,
            NEW,
            NEW,
            FORGOTTEN,
        ],
        np.uint8,
    )
    seconds_after = np.array([301, 302, 300, 9e9, 0, 9e9, 9e9, 0, 999, 9e9])
    decoded.columns.arrival_ms[:] = ((AT_S + seconds_after) * 1000).astype(np.int64)
    taken = {("taken", "meituan"): 1, ("taken", "m"): 2, ("taken", "eleme"): 1, ("taken", "nobody"): 1}
    late = {("late", "meituan"): 1, ("late", "m"): 1, ("late", "nobody"): 1}
    refused = {("refused", "meituan"): 1, ("refused", "eleme"): 1}
    assert Evidence().of(decoded, codes, measured=True) == {**taken, **late, **refused}
    assert Evidence().of(decoded, codes, measured=False) == {**taken, **refused}


def test_what_is_no_event_is_counted_where_it_names_a_platform() -> None:
    values = [
        *messages(["A", "B", "no id"], type="no such type"),
        *messages(["B"], schema="work-state/9"),
        b"not JSON",
        b"[]",
        b'{"platform": 1}',
    ]
    decoded = decode_lines(values)
    codes = np.full(len(values), REFUSED_BEFORE, np.uint8)
    assert Evidence().of(decoded, codes, measured=True) == {("refused", "A"): 1, ("refused", "B"): 2}


def test_names_of_every_length_are_told_apart_whatever_stands_beside_them() -> None:
    names = ["a", "b", "ab", "abcdefgh", "abcdefghi", "x" * 16, "x" * 17, "y" * 16 + "x", "z" * 63, "z" * 64]
    evidence = Evidence()
    for some in (names, names[:4], names[-1:], names[:1]):
        decoded = decode_lines(messages(some))
        found = evidence.of(decoded, np.zeros(len(some), np.uint8), measured=False)
        assert found == {("taken", name): 1 for name in some}


@pytest.mark.parametrize("name", ["a", "abcdefgh", "abcdefghi", "x" * 17])
def test_a_known_name_stays_known_wherever_it_stands(name: str) -> None:
    evidence = Evidence()
    # Known from being refused, and no room for any other after that.
    known = [name, *(f"invented-{number}" for number in range(MOST_PLATFORMS - 1))]
    refused = np.full(len(known), REFUSED_BEFORE, np.uint8)
    evidence.of(decode_lines(messages(known, type="no such type")), refused, measured=False)
    last = b'{"schema":"work-state/1","event_id":"e","rider_id":"r","type":"heartbeat","event_time":"%s",'
    values = [last % AT.encode() + b'"platform":"%s"}' % name.encode(), *messages([name, "y" * 64])]
    for some in (values[:1], values[1:], values[::-1]):
        found = evidence.of(decode_lines(some), np.zeros(len(some), np.uint8), measured=False)
        assert found["taken", name] == sum(f'"{name}"'.encode() in one for one in some)


def test_whoever_invents_platforms_does_not_fill_the_memory() -> None:
    evidence = Evidence()
    names = [f"invented-{number}" for number in range(MOST_PLATFORMS + 50)]
    first = evidence.of(decode_lines(messages(names)), np.zeros(len(names), np.uint8), measured=False)
    assert len(first) == MOST_PLATFORMS + 1
    assert first["taken", OTHER] == 50
    known = next(platform for _, platform in first if platform != OTHER)
    again = messages([known, "one-more"])
    assert evidence.of(decode_lines(again), np.zeros(2, np.uint8), measured=False) == {
        ("taken", known): 1, ("taken", OTHER): 1,
    }  # fmt: skip
