"""Bans and conditional limits against a reading second by second, over random histories and announcements."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from typing import Any

import pytest

from detectors.conditions import Announcement
from stream.announcements import announcement_of
from tests.detectors.test_against_the_oracle import Service, comparable
from tests.detectors.test_pages import reborn
from tests.oracle.condition_cases import ConditionCase, make_case
from tests.oracle.evidence import instant
from tests.oracle.judge import Settings, judge
from tests.oracle_cases import by_identity, replayed

LATENESS_S = 600
CHUNKS = [range(start, start + 50) for start in range(0, 300, 50)]


@pytest.mark.parametrize("seeds", CHUNKS, ids=lambda seeds: f"seeds {seeds.start}-{seeds.stop - 1}")
def test_replay_tells_what_a_reading_second_by_second_tells(seeds: range) -> None:
    for seed in seeds:
        made = make_case(seed)
        case = made.case
        got = replayed(case, shuffle=seed, messages=made.messages)
        settings = Settings(grace=case.grace, maxima=case.maxima)
        alerts, statuses = judge(case.events, case.policies, case.now, settings, messages=made.messages)
        assert by_identity(got.alerts) == by_identity(alerts), f"seed {seed}"
        assert got.statuses == statuses, f"seed {seed}"


def test_the_histories_make_every_rule_of_conditions_fire() -> None:
    seen: Counter[tuple[str, ...]] = Counter()
    for seed in range(450):
        made = make_case(seed)
        rules = {
            (f"{policy['name']}@{policy['version']}", one["name"]): one
            for policy in made.case.policies
            for one in policy["limits"]
        }
        for told in replayed(made.case, shuffle=seed, messages=made.messages).alerts:
            rule = rules[told["policy"], told["limit"]]
            way = "when" if rule.get("when") else "condition" if rule.get("condition") else "hours"
            if rule["kind"] == "ban" or rule.get("when"):
                seen[rule["kind"], way, told["kind"]] += 1
    for kind in ("approaching", "limit_reached", "hold_released", "hold_breached"):
        assert seen["ban", "condition", kind] >= 10, kind
        assert seen["ban", "hours", kind] >= 10, kind
        for counting in ("continuous", "day", "week", "rolling", "span", "rest_within"):
            if kind != "hold_breached":
                assert seen[counting, "when", kind] >= 5, (counting, kind)
    # Breaches are rare: the platforms of these histories seldom send orders while a condition is on.
    breaches = {key: count for key, count in seen.items() if key[1:] == ("when", "hold_breached")}
    assert sum(breaches.values()) >= 10, breaches


def served(made: ConditionCase, seed: int, *, seal_events: int, births: bool) -> Service:
    """A store as the service runs it: events and announcements arrive up to the allowed lateness late.

    Announcements come in any order, some twice, some before they are in force; a store is packed and another
    unpacked between batches by chance.
    """
    rng = random.Random(seed)
    case = made.case
    service = Service(case, live=True, seal_events=seal_events, lateness_s=LATENESS_S)
    delays = (0, LATENESS_S, rng.randrange(LATENESS_S + 1))
    arrivals: list[tuple[int, int, Any]] = [
        (instant(event["event_time"]) + rng.choice(delays), number, event)
        for number, event in enumerate(case.events)
        if instant(event["event_time"]) <= case.now
    ]
    for number, value in enumerate([*made.messages, *rng.sample(made.messages, k=len(made.messages) // 3)]):
        one = announcement_of(value, arrival_s=None)
        arrivals.append((one.announced_s + rng.choice((*delays, -7)), number, one))
    arrivals.sort(key=lambda arrival: arrival[:2])
    known: list[Announcement] = []
    for arrival, _, thing in arrivals:
        if isinstance(thing, Announcement):
            known.append(thing)
            service.store.announce([thing])
        else:
            service.take([thing])
        if rng.random() < 0.4:
            service.judge(min(arrival, case.now))
            if births and rng.random() < 0.3:
                reborn(service)
                service.store.announce(known)
    service.judge(case.now)
    return service


@pytest.mark.parametrize("births", [False, True], ids=["one store", "reborn"])
@pytest.mark.parametrize("seal_events", [0, 1])
def test_lateness_order_repetition_and_snapshots_change_nothing(seal_events: int, births: bool) -> None:
    for seed in range(1000, 1080):
        made = make_case(seed)
        service = served(made, seed, seal_events=seal_events, births=births)
        got = replayed(made.case, shuffle=seed, messages=made.messages)
        assert comparable(list(service.standing.values())) == comparable(got.alerts), f"seed {seed}"
        moving = {"as_of", "remaining_s", "hold_until"}
        for status in got.statuses:
            told = service.statuses[status["rider_id"]]
            names = set(status) - moving - (set() if status["status"] == "hold" else {"limit", "policy"})
            assert {k: told[k] for k in names} == {k: status[k] for k in names}, f"seed {seed}"


def test_messages_in_every_order_come_to_the_same() -> None:
    for seed in (11, 12, 13):
        made = make_case(seed)
        values = made.messages[:4]
        for first in (0, 1):
            found = [
                replayed(made.case, first, messages=list(order)).alerts
                for order in itertools.permutations(values)
            ]
            assert all(alerts == found[0] for alerts in found), f"seed {seed}"
