"""What every kind of limit must keep to, whatever it counts; kinds are found in the kernels' own table.

A kind that is added there is judged here before its author writes a test: it needs histories
(tests/oracle/generate.py) and a reading of its own second by second (tests/oracle/judge.py).
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from detectors.kernels.limits.dispatch import KINDS
from tests.detectors.test_against_the_oracle import Service, comparable
from tests.detectors.test_pages import reborn
from tests.oracle import generate
from tests.oracle.evidence import instant
from tests.oracle.generate import Case, make_case
from tests.oracle_cases import by_identity, expected, replayed

SEEDS = range(3000, 3020)
LATENESS_S = 600
#: Of statuses: those of the moment of writing.
MOVING = {"as_of", "remaining_s", "hold_until"}

#: A rest in every week needs histories of weeks: tests/detectors/test_against_the_rulebook.py has them. A ban
#: needs conditions and zones: tests/detectors/test_conditions_against_the_oracle.py.
of_every_kind = pytest.mark.parametrize("kind", sorted(set(KINDS) - {"rest_within/week", "ban"}))


def arrivals_of_case(case: Case, rng: random.Random) -> list[tuple[int, dict[str, Any]]]:
    """What has happened by *now*, each event up to the allowed lateness after it happened, some twice."""
    events = [event for event in case.events if instant(event["event_time"]) <= case.now]
    events += rng.sample(events, k=len(events) // 4)
    delays = (0, LATENESS_S, rng.randrange(LATENESS_S + 1))
    found = [(instant(event["event_time"]) + rng.choice(delays), event) for event in events]
    rng.shuffle(found)
    return sorted(found, key=lambda pair: pair[0])


def served(case: Case, seed: int, *, batch: float, birth: float, seal_events: int) -> Service:
    """The service's reading: a batch ends, a store is packed and another unpacked, by chance."""
    rng = random.Random(seed)
    service = Service(case, live=True, seal_events=seal_events, lateness_s=LATENESS_S)
    waiting: list[dict[str, Any]] = []
    for arrival, event in arrivals_of_case(case, rng):
        waiting.append(event)
        if rng.random() < batch:
            service.take(waiting)
            waiting = []
            service.judge(min(arrival, case.now))
            if rng.random() < birth:
                reborn(service)
    service.take(waiting)
    service.judge(case.now)
    return service


def standing_of(service: Service) -> tuple[dict[str, Any], dict[str, Any]]:
    statuses = {
        rider: {name: value for name, value in status.items() if name not in MOVING}
        for rider, status in service.statuses.items()
        if status["status"] == "hold"
    }
    return comparable(list(service.standing.values())), statuses


@of_every_kind
def test_histories_are_made_for_the_kind_and_its_limits_are_reached(kind: str) -> None:
    assert kind in generate.KINDS
    told = [one for seed in SEEDS for one in replayed(make_case(seed, only=kind)).alerts]
    assert sum(one["kind"] == "limit_reached" for one in told) >= 20


@of_every_kind
def test_it_tells_what_a_reading_second_by_second_tells(kind: str) -> None:
    for seed in SEEDS:
        case = make_case(seed, only=kind)
        got = replayed(case, shuffle=seed)
        alerts, statuses = expected(case)
        assert by_identity(got.alerts) == by_identity(alerts), f"seed {seed}"
        assert got.statuses == statuses, f"seed {seed}"


@of_every_kind
def test_order_and_repetition_change_nothing(kind: str) -> None:
    for seed in SEEDS:
        case = make_case(seed, only=kind)
        twice = replace(case, events=[*reversed(case.events), *case.events])
        assert replayed(twice, shuffle=seed + 1).alerts == replayed(case).alerts, f"seed {seed}"


@of_every_kind
@pytest.mark.parametrize("seal_events", [0, 1])
def test_lateness_batches_and_snapshots_change_nothing(kind: str, seal_events: int) -> None:
    for seed in SEEDS:
        case = make_case(seed, horizon_s=4 * 3600, only=kind)
        got = comparable(replayed(case).alerts)
        one_by_one = served(case, seed, batch=1, birth=0, seal_events=seal_events)
        together = served(case, seed, batch=0.1, birth=0, seal_events=seal_events)
        reborn_often = served(case, seed, batch=0.5, birth=0.5, seal_events=seal_events)
        for service in (one_by_one, together, reborn_often):
            assert comparable(list(service.standing.values())) == got, f"seed {seed}"
            assert standing_of(service) == standing_of(one_by_one), f"seed {seed}"
