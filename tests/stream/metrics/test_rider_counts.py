"""What metrics count in a store, against the statuses and alerts that the same evidence leads to."""

from __future__ import annotations

import json
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from detectors.store import RiderStore
from schemas.instants import parse_instant
from stream.metrics.regulator import RegulatorCollector
from stream.metrics.rider_counts import RiderCounts, RiderCountsByPartition, take
from stream.offline.replay import Replay
from stream.policies.loader import load_all
from stream.settings import Settings
from tests.oracle.generate import make_case
from tests.oracle_cases import policy_of, settings_of

DAY = "2026-11-23T%s:00+08:00"
GBT, MEITUAN = "cn-gbt-2025@1", "cn-meituan-2024@1"


def orders(
    rider: str, *spans: tuple[str, str | None], platform: str = "A", zone: str = "310105"
) -> list[Any]:
    """Orders from one time of the day to another; None leaves the last one in hand."""
    found = []
    for number, (start, end) in enumerate(spans):
        steps = (("order_accepted", start), *([("order_delivered", end)] if end else []))
        found += [
            {
                "schema": "work-state/1", "event_id": "e", "rider_id": rider, "platform": platform,
                "event_time": DAY % at, "type": kind, "order_id": f"{rider}-{number}", "zone": zone,
            }
            for kind, at in steps
        ]  # fmt: skip
    return found


#: At 11:40 of that day.
CITY = [
    *orders("near-in-hand", ("08:00", "10:00"), ("10:00", None)),
    *orders("near-by-silence", ("08:05", "09:30"), ("09:30", None), zone="310106"),
    *orders(
        "near-the-day",
        ("00:10", "02:00"),
        ("02:00", "03:30"),
        ("04:00", "06:00"),
        ("06:00", "07:20"),
        ("10:45", None),
    ),
    *orders("held-in-hand", ("07:20", "10:00"), ("10:00", "11:35")),
    *orders("held-in-hand", ("11:10", None), platform="B"),
    *orders("held-in-hand", ("11:12", None), ("11:13", None), platform="C"),
    *orders("held-resting", ("07:25", "10:00"), ("10:00", "11:30"), zone="440304"),
    *orders("held-by-silence", ("07:30", "10:00"), ("10:00", None)),
    # Never delivered: it counts for three hours and is in hand no longer.
    *orders(
        "held-and-forgotten", ("00:10", "03:00"), ("03:00", "06:00"), ("06:00", "08:00"), ("08:00", None)
    ),
    *orders("clear", ("09:00", None)),
    *orders("rested", ("07:00", "09:00"), ("09:00", "11:00")),
]
AS_OF_S = parse_instant(DAY % "11:40")


@pytest.fixture(scope="module")
def store() -> RiderStore:
    settings = Settings()
    run = Replay(load_all(settings.policies), settings.store(0), AS_OF_S)
    run.read("city", [json.dumps(one).encode() + b"\n" for one in CITY])
    assert not run.bad
    run.conclude()
    return run._store


def named(store: RiderStore, counts: Counter[int]) -> dict[tuple[str, str], int]:
    limits = store.limits.limits
    return {(limits[index].policy, limits[index].name): count for index, count in counts.items()}


def test_riders_are_counted_under_the_limit_that_holds_or_warned_them(store: RiderStore) -> None:
    tally = take(store, zones=True)
    assert tally.statuses == [2, 3, 4]
    assert named(store, tally.held) == {(GBT, "continuous-4h"): 3, (GBT, "day-8h"): 1}
    assert named(store, tally.near) == {(GBT, "continuous-4h"): 2, (GBT, "day-8h"): 1}
    assert named(store, tally.working) == {(GBT, "continuous-4h"): 2}
    assert tally.orders == {"A": 1, "B": 1, "C": 1}
    assert tally.platforms == {
        ("A", "clear"): 2, ("A", "approaching"): 3, ("A", "hold"): 4, ("B", "hold"): 1, ("C", "hold"): 1,
    }  # fmt: skip
    limits = store.limits.limits
    by_platform = {
        (platform, status, limits[index].name): count
        for status, counts in (("hold", tally.held_platforms), ("near", tally.near_platforms))
        for (platform, index), count in counts.items()
    }
    assert by_platform == {
        ("A", "hold", "continuous-4h"): 3, ("B", "hold", "continuous-4h"): 1,
        ("C", "hold", "continuous-4h"): 1, ("A", "hold", "day-8h"): 1,
        ("A", "near", "continuous-4h"): 2, ("A", "near", "day-8h"): 1,
    }  # fmt: skip
    assert {(store.zone(zone), status): count for (zone, status), count in tally.zones.items()} == {
        ("310105", "approaching"): 2,
        ("310106", "approaching"): 1,
        ("310105", "hold"): 3,
        ("440304", "hold"): 1,
    }


def test_zones_are_not_even_looked_at_when_they_are_not_shown(store: RiderStore) -> None:
    assert not take(store, zones=False).zones


@pytest.mark.parametrize("seeds", [range(start, start + 100) for start in (0, 100, 200)])
def test_counts_equal_the_statuses_of_any_history(seeds: range) -> None:
    seen: Counter[str] = Counter()
    for seed in seeds:
        case = make_case(seed)
        run = Replay([policy_of(one) for one in case.policies], settings_of(case), case.now)
        run.read("case", [json.dumps(event).encode() + b"\n" for event in case.events])
        done = run.conclude()
        tally = take(run._store, zones=False)
        assert tally.statuses == statuses_of(done.statuses), f"seed {seed}"
        holds = Counter((one["policy"], one["limit"]) for one in done.statuses if one["status"] == "hold")
        assert named(run._store, tally.held) == holds, f"seed {seed}"
        near = named(run._store, tally.near)
        assert sum(near.values()) == tally.statuses[1], f"seed {seed}: each counts once"
        warned = {(one["policy"], one["limit"]) for one in done.alerts if one["kind"] == "approaching"}
        assert set(near) <= warned, f"seed {seed}"
        seen.update(hold=len(holds), near=len(near))
    assert seen["hold"] > 20
    assert seen["near"] > 20


def statuses_of(documents: list[dict[str, Any]]) -> list[int]:
    counts = Counter(one["status"] for one in documents)
    return [counts["clear"], counts["approaching"], counts["hold"]]


def test_a_count_that_took_long_is_not_taken_again_at_once(store: RiderStore) -> None:
    times = iter((0.0, 0.1, 5.0, 5.2, 5.3))
    tallies = RiderCountsByPartition(clock=lambda: next(times))
    first = tallies.of(0, store, zones=False)
    assert tallies.of(0, store, zones=False) is first, "0.1 s of work, so nothing before 5.1 s"
    assert tallies.of(0, store, zones=False) is not first


def test_a_store_that_was_replaced_is_counted_anew_and_one_given_up_is_let_go(
    store: RiderStore,
) -> None:
    tallies = RiderCountsByPartition(clock=lambda: 0.0)
    settings = Settings()
    empty = Replay(load_all(settings.policies), settings.store(0), None)._store
    assert tallies.of(0, store, zones=False).statuses == [2, 3, 4]
    assert tallies.of(0, empty, zones=False) == RiderCounts([0, 0, 0])
    tallies.keep_only({1})
    assert not tallies._kept


def claim(rider: str, day: int, kind: str, platform: str = "A", at: str = "12:00") -> Any:
    return {
        "schema": "work-state/1", "event_id": f"{rider}-{day}-{kind}", "rider_id": rider,
        "platform": platform, "event_time": f"2026-11-{day:02}T{at}:00+08:00", "type": kind, "order_id": "o",
    }  # fmt: skip


#: At noon of the 23rd, by what each is there to show.
CLAIMS = [
    claim("claimed-for-days", 20, "online"),
    claim("claimed-for-days", 23, "offline"),
    claim("claimed-an-hour-ago", 23, "online", at="11:00"),
    claim("claimed-a-day-ago", 22, "break_started", at="11:59"),
    claim("served-today", 20, "online"),
    claim("served-today", 23, "order_accepted", at="09:00"),
    claim("served-long-ago", 18, "order_accepted"),
    claim("served-long-ago", 23, "online", at="08:00"),
    claim("served-and-left", 19, "order_accepted"),
    claim("served-by-another", 20, "online"),
    claim("served-by-another", 23, "online", at="08:00"),
    claim("served-by-another", 23, "order_accepted", "B", at="08:30"),
    claim("heard-of", 20, "heartbeat"),
    claim("gone", 2, "online"),
    claim("gone", 23, "order_accepted", "B", at="10:00"),
    claim("now", 23, "heartbeat", "C"),
]


def test_riders_without_orders_are_those_claimed_for_a_day_by_sessions_and_breaks_alone() -> None:
    settings = Settings()
    run = Replay(load_all(settings.policies), settings.store(0), None)
    run.read("claims", [json.dumps(one).encode() + b"\n" for one in CLAIMS])
    run.conclude()
    found = take(run._store, zones=False).unserved
    # claimed-for-days, claimed-a-day-ago, served-long-ago and served-by-another.
    assert found == {"A": 4}
    one = SimpleNamespace(number=0, store=run._store, now_s=run._store.now_s, counts=Counter())
    registry = CollectorRegistry()
    registry.register(RegulatorCollector(lambda: [one], None, 0))
    name = "respite_platform_riders_without_orders"
    assert registry.get_sample_value(name, {"platform": "A"}) == 4
    # A platform of which there are none is there with 0.
    assert registry.get_sample_value(name, {"platform": "B"}) == 0
    assert registry.get_sample_value(name, {"platform": "C"}) is None
