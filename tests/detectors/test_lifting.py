"""Holds that a review lifts: as the oracle reads them, in whatever order the order and the evidence come."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.control import lift_line
from stream.lifting import lift_hold
from tests.detectors.test_against_the_oracle import Service, comparable
from tests.oracle.evidence import instant
from tests.oracle.generate import Case, make_case
from tests.oracle_cases import by_identity, expected, replayed

Doc = dict[str, Any]
CHUNKS = [range(start, start + 50) for start in range(0, 200, 50)]


def lifts_of(case: Case, seed: int) -> list[Doc]:
    """Orders about holds that there were, inside, at the ends of and outside them; some name what is not."""
    rng = random.Random(seed)
    found = []
    for alert in expected(case)[0]:
        hold = alert["hold"]
        if alert["kind"] != "limit_reached" or hold is None or rng.random() < 0.3:
            continue
        begun = instant(hold["from"])
        arrival = begun + rng.choice([0, 1, rng.randrange(1, 600), rng.randrange(1, 2000), -5])
        found.append(
            {
                "schema": "lift-hold/1",
                "rider_id": alert["rider_id"],
                "policy": alert["policy"],
                "limit": rng.choice([alert["limit"]] * 5 + ["l-none"]),
                "hold_from": _text(begun + rng.choice([0, 0, 0, 0, 1])),
                "arrival": _text(arrival),
            }
        )
    return found


def _text(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("seeds", CHUNKS, ids=lambda seeds: f"seeds {seeds.start}-{seeds.stop - 1}")
def test_a_lifted_hold_ends_where_the_oracle_ends_it(seeds: range) -> None:
    seen: Counter[str] = Counter()
    for seed in seeds:
        case = make_case(seed)
        lifts = lifts_of(case, seed)
        got = replayed(case, shuffle=seed, lifts=lifts)
        alerts, statuses = expected(case, lifts)
        assert by_identity(got.alerts) == by_identity(alerts), f"seed {seed}"
        assert got.statuses == statuses, f"seed {seed}"
        seen.update(one["hold"]["release"] for one in got.alerts if one["kind"] == "hold_released")
    assert seen["review"] >= 5, seen


@pytest.mark.parametrize("seal_events", [0, 1])
def test_a_service_ends_where_a_replay_with_the_same_orders_ends(seal_events: int) -> None:
    lateness_s = 600
    lifted = 0
    for seed in range(1000, 1060):
        case = make_case(seed, horizon_s=4 * 3600)
        lifts = [one for one in lifts_of(case, seed) if instant(one["arrival"]) <= case.now]
        service = run_service(case, lifts, seed, seal_events=seal_events, lateness_s=lateness_s)
        got = replayed(case, lifts=lifts)
        assert comparable(list(service.standing.values())) == comparable(got.alerts), f"seed {seed}"
        lifted += sum((one["hold"] or {}).get("release") == "review" for one in got.alerts)
    assert lifted >= 10


def run_service(case: Case, lifts: list[Doc], seed: int, *, seal_events: int, lateness_s: int) -> Service:
    """Events come late, an order in its own second or, read again after a restart, at any time after it."""
    rng = random.Random(seed)
    service = Service(case, live=True, seal_events=seal_events, lateness_s=lateness_s)
    work: list[tuple[int, int, Doc]] = []
    for event in case.events:
        if instant(event["event_time"]) <= case.now:
            late = rng.choice([0, lateness_s, rng.randrange(lateness_s + 1)])
            work.append((instant(event["event_time"]) + late, len(work), event))
    for one in lifts:
        for delay in (0, rng.randrange(lateness_s)):
            work.append((instant(one["arrival"]) + delay, len(work), one))
    for arrival, _, one in sorted(work, key=lambda each: each[:2]):
        if one["schema"] == "lift-hold/1":
            rider, arrival_s, order = lift_line(one)
            lift_hold(service.store, rider, order, arrival_s)
        else:
            service.take([one])
        if rng.random() < 0.4:
            service.judge(min(arrival, case.now))
    service.judge(case.now)
    return service


def test_an_order_is_taken_in_once() -> None:
    case = make_case(3)
    service = Service(case, live=True, seal_events=0, lateness_s=600)
    _, arrival_s, order = lift_line(
        {
            "schema": "lift-hold/1", "rider_id": "r", "policy": "p@1", "limit": "l-0",
            "hold_from": "2026-11-23T08:00:00Z", "arrival": "2026-11-23T08:05:00Z",
        }
    )  # fmt: skip
    assert lift_hold(service.store, "r", order, arrival_s)
    assert not lift_hold(service.store, "r", order, arrival_s)
    assert lift_hold(service.store, "r", order, arrival_s + 1)
