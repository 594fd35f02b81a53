"""Distributions of models: what replay says of each rider, by platform and zone, and no person among them."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, strategies as st

from detectors.models import alertness, risk
from detectors.models.instants import zone_of
from schemas.instants import parse_instant
from stream.metrics.models import STEPS, ModelCollector, steps_shown, values_of
from stream.offline.model_choice import choose
from stream.offline.models import Models
from stream.offline.replay import Replay, read_file
from stream.policies.loader import load_all
from stream.settings import Settings

ZONE = ZoneInfo("Asia/Shanghai")
NOW_S = parse_instant("2026-11-30T20:00:00+08:00")
RIDERS = 60


def city() -> list[dict[str, Any]]:
    """A week of riders with sessions at lunch and in the evening; some work now, some began only today."""
    rng = random.Random(3)
    found = []
    for rider in range(RIDERS):
        platform, zone = ("A", "310101") if rider % 3 else ("B", "310105")
        for day in range(6 if rider % 5 else 0, 8):
            midnight = NOW_S - (20 + 24 * (7 - day)) * 3600
            for begin_h, hours in ((11, 3), (17 + rng.random(), 4 + 2 * rng.random())):
                begin = int(midnight + begin_h * 3600)
                found.append((begin, rider, platform, zone, "online"))
                found.append((int(begin + hours * 3600), rider, platform, zone, "offline"))
    return [
        {
            "schema": "work-state/1", "event_id": f"e{number}", "rider_id": f"r{rider}", "platform": platform,
            "event_time": np.datetime_as_string(np.datetime64(at, "s")) + "Z", "type": kind, "zone": zone,
        }
        for number, (at, rider, platform, zone, kind) in enumerate(sorted(found)) if at <= NOW_S
    ]  # fmt: skip


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "week.ndjson"
    path.write_text("".join(json.dumps(event) + "\n" for event in city()), encoding="utf-8")
    return path


def judged(file: Path, seal_events: int, models: Models | None = None) -> Replay:
    settings = Settings()
    run = Replay(load_all(settings.policies), settings.store(seal_events), NOW_S, models=models)
    read_file(run, str(file))
    run.outcomes()
    return run


class Partition:
    """What is read of a partition."""

    def __init__(self, run: Replay) -> None:
        self.number = 0
        self.store = run.store
        self.counts: Counter[tuple[str, str]] = Counter()
        self.now_s = NOW_S


@pytest.mark.parametrize("seal_events", [0, 16])
def test_a_worker_reckons_what_replay_says_of_each_rider(file: Path, seal_events: int) -> None:
    models = Models(choose(["risk,alertness"], (), Settings().pace, files=True), ZONE)
    offline = judged(file, 0, models)
    expected: dict[str, tuple[float, float]] = {}
    for one in models.values(offline.store, NOW_S):
        if one.works[-1] and one.instants[-1] == NOW_S:
            assert one.alertness is not None
            assert one.risk is not None
            kss = np.nan if one.warms_up[-1] else one.alertness[-1, alertness.KSS]
            expected[one.rider] = kss, one.risk[-1, risk.RELATIVE]
    assert len(expected) > 20
    assert sum(np.isnan(kss) for kss, _ in expected.values()) > 5
    store = judged(file, seal_events).store
    values = values_of(store, zone_of(ZONE))
    found = {
        store.rider_id(row): (values["alertness"][row], values["risk"][row])
        for row in range(store.riders)
        if not np.isnan(values["risk"][row])
    }
    # Who stops at this very instant works in replay's line, and no longer on a worker.
    assert found.keys() <= expected.keys()
    assert len(found) > 20
    for rider, pair in found.items():
        np.testing.assert_allclose(pair, expected[rider], rtol=0, atol=1e-9)


def test_cells_are_counts_of_riders_and_small_ones_are_left_out(file: Path) -> None:
    store = judged(file, 16).store
    values = values_of(store, zone_of(ZONE))
    collector = ModelCollector(lambda: [Partition(judged(file, 16))], ("risk", "alertness"), ZONE, 6)
    collector.reckon()
    (family,) = collector._families(collector._found)
    shown = {tuple(one.labels.values()): one.value for one in family.samples}
    assert {labels[0] for labels in shown} <= {"risk", "alertness"}
    at_work = [store.rider_id(row) for row in range(store.riders) if not np.isnan(values["risk"][row])]
    of_a = sum(int(rider[1:]) % 3 != 0 for rider in at_work)
    of_b = len(at_work) - of_a
    assert of_a >= 10
    assert shown["risk", "A", "310101", "+Inf"] == of_a
    assert (("risk", "B", "310105", "+Inf") in shown) == (of_b >= 10)
    whole = [value for row, value in enumerate(values["risk"].tolist()) if int(store.rider_id(row)[1:]) % 3]
    for (model, platform, _, le), count in shown.items():
        if (model, platform) == ("risk", "A"):
            assert count == sum(value <= float(le) for value in whole)


@given(st.lists(st.integers(0, 25), min_size=2, max_size=10))
def test_between_two_steps_that_are_shown_lie_nobody_or_ten_riders(counts: list[int]) -> None:
    shown = steps_shown(counts)
    assert (not shown) == (sum(counts) < 10)
    before = 0
    for step, riders in shown:
        assert riders == sum(counts[: step + 1])
        assert riders == before or riders - before >= 10
        before = riders
    if shown:
        assert shown[-1] == (len(counts) - 1, sum(counts))


def test_nothing_is_reckoned_and_nothing_is_kept_without_a_model(file: Path) -> None:
    assert Settings().models == ()
    run = judged(file, 16)
    assert run.store.limits.packed.kept.tolist() == [1, 1, 1, 0, 0]
    assert set(STEPS) == {"alertness", "risk"}
