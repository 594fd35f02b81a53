"""Whom limits hold now, by a store's arrays: what the standing alerts come to."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from detectors.reading import shared_of
from stream.api.queries.shadow import count
from stream.metrics.shadow import held
from stream.offline.replay import Replay, read_file
from stream.policies.loader import load_all
from stream.settings import Settings
from tests.stream.worker.test_worker import DAY_S, events


@pytest.mark.parametrize("hours", [11.0, 13.2, 15.5, 23.0])
def test_riders_held_now_are_those_of_alerts_that_stand(hours: float, tmp_path: Path) -> None:
    path = tmp_path / "day.ndjson"
    path.write_text("".join(json.dumps(event) + "\n" for event in events()), encoding="utf-8")
    names = ("cn-gbt-2025", "cn-meituan-2024", "kr-couriers-2021")
    now_s = DAY_S + int(hours * 3_600)
    run = Replay(load_all(names), Settings().store(0), now_s, regardless_of_dates=True)
    read_file(run, str(path))
    alerts = run.conclude().alerts
    on: set[tuple[str, str, str, str]] = set()
    over: set[tuple[str, str, str, str]] = set()
    breaches: Counter[tuple[str, str]] = Counter()
    for one in alerts:
        if one["hold"]:
            key = one["rider_id"], one["policy"], one["limit"], one["hold"]["from"]
            (over if one["kind"] == "hold_released" else on).add(key)
        breaches[one["policy"], one["limit"]] += one["kind"] == "hold_breached"
    expected = Counter((policy, limit) for _, policy, limit, _ in on - over)
    found = held(run.store)
    assert +found.riders == expected
    assert all(found.working[names] <= riders for names, riders in found.riders.items())
    limits = run.store.limits.limits
    counts = count(shared_of(run.store.memory), run.store.riders, limits)
    for index, limit in enumerate(limits):
        assert counts[index, "riders_on_hold"] == expected[limit.policy, limit.name]
        assert counts[index, "orders_accepted"] == breaches[limit.policy, limit.name]
    assert sum(expected.values()) > 0 or hours < 12
