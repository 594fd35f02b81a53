"""What a worker says of itself: names, numbers, and that counters never go back."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import msgspec
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from detectors.store import RiderStore
from stream.metrics.evidence_quality import OTHER
from stream.metrics.families import UNITS
from stream.metrics.health import Health
from stream.metrics.operator import Metrics, PartitionCollector, Past
from stream.metrics.regulator import Platforms, RegulatorCollector
from stream.settings import Settings
from tests.stream.metrics.test_rider_counts import AS_OF_S, GBT, MEITUAN, store  # noqa: F401 - a fixture

WALL_S = AS_OF_S + 4.0
LABELS = {
    "partition", "policy", "limit", "status", "outcome", "reason", "kind", "stage", "cause", "le", "platform",
    "zone", "version", "python", "clock", "condition",
}  # fmt: skip


class FakePartition:
    """What metrics read of a partition."""

    def __init__(self, number: int, store: RiderStore) -> None:  # noqa: F811 - the fixture's store
        self.number = number
        self.store = store
        self.now_s: int | None = store.now_s
        self.counts: Counter[tuple[str, str]] = Counter()
        self.seconds = Counter({"judge": 0.5})
        self.lag_records = 7
        self.clock_difference_s = -0.25
        self.progress_s = WALL_S - 1
        self.committed_s: float | None = WALL_S - 2
        self.restore_ratio = 1.0
        self.checkpoint_age_s: float | None = None
        self.checkpoint_bytes = 0


@pytest.fixture
def one(store: RiderStore) -> FakePartition:  # noqa: F811
    return FakePartition(3, store)


def registry_of(*found: FakePartition, past: Past | None = None, zone_digits: int = 0) -> CollectorRegistry:
    registry = CollectorRegistry()
    policies = ["cn-gbt-2025"]
    registry.register(PartitionCollector(lambda: list(found), lambda: policies, past, wall=lambda: WALL_S))
    registry.register(RegulatorCollector(lambda: list(found), past, zone_digits))
    return registry


def test_the_operator_reads_lag_progress_and_memory_by_partition(one: FakePartition) -> None:
    read = registry_of(one).get_sample_value
    for name, value in (
        ("respite_lag_records", 7),
        ("respite_lag_seconds", 4),
        ("respite_watermark_timestamp_seconds", AS_OF_S),
        ("respite_last_progress_timestamp_seconds", WALL_S - 1),
        ("respite_last_commit_timestamp_seconds", WALL_S - 2),
        ("respite_store_bytes", one.store.size_bytes),
        ("respite_store_riders", 9),
        ("respite_live", 1),
        ("respite_restore_ratio", 1),
        ("respite_checkpoint_age_seconds", None),
        ("respite_checkpoint_bytes_total", 0),
        ("respite_clock_difference_seconds", -0.25),
    ):
        assert read(name, {"partition": "3"}) == value, name


def test_a_partition_that_is_rebuilt_has_no_now_and_so_no_lag_in_seconds(one: FakePartition) -> None:
    one.now_s, one.restore_ratio, one.checkpoint_age_s = None, 0.4, 12.0
    read = registry_of(one).get_sample_value
    assert read("respite_lag_seconds", {"partition": "3"}) is None
    assert read("respite_live", {"partition": "3"}) == 0
    assert read("respite_restore_ratio", {"partition": "3"}) == 0.4
    assert read("respite_checkpoint_age_seconds", {"partition": "3"}) == 12


def test_the_regulator_reads_riders_by_limit_and_the_sum_is_the_number_of_riders(one: FakePartition) -> None:
    read = registry_of(one).get_sample_value
    continuous = {"policy": GBT, "limit": "continuous-4h"}
    assert read("respite_riders", {"status": "hold"}) == 4
    assert read("respite_riders_on_hold", continuous) == 3
    assert read("respite_riders_on_hold", {"policy": MEITUAN, "limit": "day-12h"}) == 0
    assert read("respite_riders_near_limit", continuous) == 2
    assert read("respite_riders_working_on_hold", continuous) == 2
    assert read("respite_platform_riders", {"platform": "A", "status": "approaching"}) == 3
    assert read("respite_platform_riders", {"platform": "B", "status": "hold"}) == 1
    assert read("respite_platform_riders_on_hold", {"platform": "A", **continuous}) == 3
    assert read("respite_platform_riders_on_hold", {"platform": "B", **continuous}) == 1
    assert read("respite_platform_riders_on_hold", {"platform": "B", "policy": GBT, "limit": "day-8h"}) == 0
    assert read("respite_platform_riders_near_limit", {"platform": "A", **continuous}) == 2
    assert read("respite_platform_riders_near_limit", {"platform": "C", **continuous}) == 0


def test_counts_of_partitions_given_up_stay(one: FakePartition) -> None:
    one.counts.update({("holds", f"{GBT}/continuous-4h"): 5, ("breaches", "B"): 2, ("late", "A"): 9})
    one.counts.update({("platform_holds", "B"): 4, ("taken", "A"): 99})
    one.counts.update(
        {("latency_event", "0.5"): 3, ("latency_event", "+Inf"): 1, ("latency_ms", "event"): 5000}
    )
    past = Past()
    past.add(one)
    read = registry_of(past=past).get_sample_value
    assert read("respite_holds_total", {"policy": GBT, "limit": "continuous-4h"}) == 5
    assert read("respite_breaches_total", {"platform": "B"}) == 2
    assert read("respite_platform_holds_total", {"platform": "B"}) == 4
    assert read("respite_late_events_total", {"platform": "A"}) == 9
    assert read("respite_accepted_events_total", {"platform": "A"}) == 99
    assert read("respite_alert_latency_seconds_bucket", {"cause": "event", "le": "0.25"}) == 0
    assert read("respite_alert_latency_seconds_bucket", {"cause": "event", "le": "0.5"}) == 3
    assert read("respite_alert_latency_seconds_count", {"cause": "event"}) == 4
    assert read("respite_alert_latency_seconds_sum", {"cause": "event"}) == 5


def test_work_on_hold_adds_up_over_the_time_between_scrapes(one: FakePartition) -> None:
    registry = registry_of(one)
    continuous = {"policy": GBT, "limit": "continuous-4h"}
    assert registry.get_sample_value("respite_hold_work_seconds_total", continuous) == 0
    assert one.now_s is not None
    one.now_s += 60
    assert registry.get_sample_value("respite_hold_work_seconds_total", continuous) == 120
    assert registry.get_sample_value("respite_platform_hold_work_seconds_total", {"platform": "B"}) == 60


def test_what_can_be_counted_is_0_before_it_is_counted_for_a_rate_needs_a_beginning(
    one: FakePartition,
) -> None:
    read = registry_of(one).get_sample_value
    assert read("respite_holds_total", {"policy": GBT, "limit": "day-8h"}) == 0
    assert read("respite_holds_total", {"policy": MEITUAN, "limit": "day-8h"}) is None, "it only reminds"
    assert read("respite_breaches_total", {"platform": "C"}) == 0
    assert read("respite_dead_letters_total", {"reason": "flood"}) == 0


def test_zones_are_shown_only_as_coarsely_as_the_setting_says(one: FakePartition) -> None:
    assert "zone" not in generate_latest(registry_of(one)).decode()
    read = registry_of(one, zone_digits=4).get_sample_value
    assert read("respite_zone_riders", {"zone": "3101", "status": "approaching"}) == 3
    assert read("respite_zone_riders", {"zone": "3101", "status": "hold"}) == 3
    assert read("respite_zone_riders", {"zone": "4403", "status": "hold"}) == 1
    assert read("respite_zone_riders", {"zone": "310105", "status": "hold"}) is None


def test_platforms_beyond_the_room_are_other_and_none_loses_its_label() -> None:
    platforms = Platforms(most=2)
    assert platforms.summed({"a": 1, "b": 5, "c": 3}) == {"b": 5, "c": 3, OTHER: 1}
    assert platforms.summed({"a": 100, "b": 5, "d": 1}) == {"b": 5, "c": 0, OTHER: 101}


def test_every_family_has_help_a_unit_in_its_name_and_no_rider_in_its_labels(one: FakePartition) -> None:
    one.counts.update({("dead_letters", "invalid"): 1, ("refused", "A"): 1})
    for family in registry_of(one, zone_digits=2).collect():
        assert re.fullmatch(r"respite_[a-z_]+", family.name), family.name
        assert family.documentation.endswith("."), family.name
        assert not re.search(r"_(ms|minutes|mb|percent)(_|$)", family.name), family.name
        last = family.name.rpartition("_")[2]
        assert family.unit == (last if last in UNITS else ""), family.name
        for sample in family.samples:
            assert set(sample.labels) <= LABELS, sample
            if family.type == "counter":
                assert sample.name.endswith("_total"), sample


# -- health ----------------------------------------------------------------------------------------


def health_of(*found: Any, assigned: frozenset[int] | None = frozenset({3}), **options: Any) -> Health:
    return Health(Settings(**options), lambda: list(found), lambda: assigned, wall=lambda: WALL_S)


def test_a_worker_is_ready_when_its_partitions_are_current(one: FakePartition) -> None:
    assert health_of(one).unready() == []
    assert health_of(assigned=frozenset()).unready() == [], "more workers than partitions is no fault"


def test_each_reason_not_to_be_ready_is_told(one: FakePartition) -> None:
    def reasons(**changes: Any) -> str:
        changed = SimpleNamespace(**{**vars(one), **changes})
        return "; ".join(health_of(changed).unready())

    assert "3: restoring, 40% done" in reasons(now_s=None, restore_ratio=0.4)
    assert "31 s behind, more than 30 s; 7 records to read" in reasons(now_s=WALL_S - 31)
    assert not reasons(now_s=WALL_S - 30)
    assert "differs from this machine's by -5.1 s" in reasons(clock_difference_s=-5.1)
    assert not reasons(clock_difference_s=5.0)
    assert "3: its watermark is 16 s old, more than 15 s" in reasons(committed_s=WALL_S - 16)
    assert not reasons(committed_s=WALL_S - 15)
    assert "not in the group yet" in health_of(one, assigned=None).unready()[0]
    assert health_of(one, assigned=frozenset({3, 4})).unready() == ["partition 4: assigned, not claimed yet"]


def test_under_the_events_clock_neither_lag_nor_clocks_are_measured_but_the_watermark_is(
    one: FakePartition,
) -> None:
    one.now_s, one.clock_difference_s = 0, 3e8
    assert health_of(one, clock="event").unready() == []
    one.committed_s = WALL_S - 300
    assert "watermark is 300 s old" in health_of(one, clock="event").unready()[0]


class Endpoint:
    """A worker's endpoint on a loop of its own."""

    def __init__(self, *found: FakePartition, **options: Any) -> None:
        self.loop = asyncio.new_event_loop()
        settings = Settings(metrics_port=0, clock="event", **options)
        self.assigned: frozenset[int] | None = frozenset(one.number for one in found)
        for one in found:
            one.committed_s = time.time()
        self.metrics = Metrics(settings, lambda: list(found), None, lambda: self.assigned)
        self.base = self.metrics.start(self.loop).removesuffix("/metrics")

    def get(self, path: str, accept: str = "*/*") -> tuple[int, str, str]:
        try:
            with urlopen(Request(self.base + path, headers={"Accept": accept}), timeout=10) as answer:  # noqa: S310
                return answer.status, answer.headers["Content-Type"], answer.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.headers["Content-Type"], error.read().decode()

    def close(self) -> None:
        self.metrics.stop()
        self.loop.close()


@pytest.fixture
def endpoint(one: FakePartition) -> Iterator[Endpoint]:
    made = Endpoint(one)
    yield made
    made.close()


def test_the_endpoint_speaks_both_formats(endpoint: Endpoint) -> None:
    status, kind, text = endpoint.get("/metrics")
    assert (status, kind.split(";")[0]) == (200, "text/plain")
    assert 'respite_riders{status="hold"} 4.0' in text
    assert "respite_ready 1.0" in text
    assert "process_resident_memory_bytes" in text
    status, kind, text = endpoint.get("/metrics", "application/openmetrics-text; version=1.0.0")
    assert (status, kind.split(";")[0]) == (200, "application/openmetrics-text")
    assert "# UNIT respite_store_bytes bytes\n" in text
    assert text.endswith("# EOF\n")


def test_probes_say_yes_and_no_with_reasons(endpoint: Endpoint) -> None:
    assert endpoint.get("/healthz")[::2] == (200, '{"ok":true,"reasons":[]}')
    assert endpoint.get("/readyz")[::2] == (200, '{"ok":true,"reasons":[]}')
    endpoint.assigned = None
    status, kind, text = endpoint.get("/readyz")
    assert (status, kind) == (503, "application/json")
    assert "not in the group yet" in msgspec.json.decode(text)["reasons"][0]
    assert "respite_ready 0.0" in endpoint.get("/metrics")[2]
    assert endpoint.get("/other")[0] == 404


def test_a_loop_that_does_not_turn_is_not_healthy(endpoint: Endpoint) -> None:
    endpoint.metrics.health._beat_s -= 11
    status, _, text = endpoint.get("/healthz")
    assert status == 503
    assert "the event loop has not turned for 11 s" in text
    endpoint.loop.call_later(0.0, endpoint.metrics.health.watch, endpoint.loop)
    endpoint.loop.call_later(0.01, endpoint.loop.stop)
    endpoint.loop.run_forever()
    assert endpoint.get("/healthz")[0] == 200
