"""The engine against a brute-force reading of the contract, and every way of reading against every other."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from detectors.kernels.evidence.arrivals import Place
from detectors.limits import LimitTable
from detectors.store import RiderStore
from detectors.verdicts import Status, Verdict
from schemas.decode import decode_lines
from stream.columns import arrivals_of
from stream.output.alert_json import Renderer
from stream.policies.calendars import window_starts
from stream.policies.limits import limits_of
from tests.oracle.evidence import instant
from tests.oracle.generate import Case, make_case
from tests.oracle_cases import by_identity, expected, policy_of, replayed, settings_of

CHUNKS = [range(start, start + 100) for start in range(0, 600, 100)]
MAY_DIFFER = ("provisional", "estimated", "alert_id")


@pytest.mark.parametrize("seeds", CHUNKS, ids=lambda seeds: f"seeds {seeds.start}-{seeds.stop - 1}")
def test_replay_tells_exactly_what_a_reading_second_by_second_tells(seeds: range) -> None:
    for seed in seeds:
        case = make_case(seed)
        got = replayed(case, shuffle=seed)
        alerts, statuses = expected(case)
        assert by_identity(got.alerts) == by_identity(alerts), f"seed {seed}"
        assert got.statuses == statuses, f"seed {seed}"


def test_the_generated_histories_make_every_rule_fire() -> None:
    seen: Counter[tuple[str, ...]] = Counter()
    for seed in range(300):
        case = make_case(seed)
        rules = {
            (f"{policy['name']}@{policy['version']}", one["name"]): one
            for policy in case.policies
            for one in policy["limits"]
        }
        for told in replayed(case).alerts:
            rule = rules[told["policy"], told["limit"]]
            hold = told["hold"]
            seen[rule["kind"], told["kind"]] += 1
            seen["clock", rule["clock"], told["kind"]] += 1
            seen["effect", rule["kind"], rule["effect"]] += 1
            if hold:
                seen["release", rule["kind"], hold["release"], told["kind"]] += 1
    kinds = ("continuous", "day", "week", "rolling", "span", "rest_within")
    for kind in kinds:
        for alert in ("approaching", "limit_reached", "hold_released", "hold_breached"):
            assert seen[kind, alert] >= 20, (kind, alert)
        for effect in ("remind", "confirm", "hold"):
            assert seen["effect", kind, effect] >= 20, (kind, effect)
        if kind != "rolling":
            assert seen[kind, "reminder"] >= 20, kind
    for kind, release in (
        ("continuous", "rest"),
        ("continuous", "elapsed"),
        ("span", "rest"),
        ("day", "window"),
        ("week", "elapsed"),
        ("rolling", "rest"),
        ("rolling", "window"),
        ("rolling", "elapsed"),
    ):
        assert seen["release", kind, release, "hold_released"] >= 5, (kind, release)


class Service:
    """A store as the service runs it: evidence in batches, *now* going on, differences folded by id."""

    def __init__(self, case: Case, *, live: bool, seal_events: int, lateness_s: int) -> None:
        policies = [policy_of(one) for one in case.policies]
        table = LimitTable(limits_of(policies), window_starts)
        settings = replace(settings_of(case, seal_events), lateness_s=lateness_s)
        self.store = RiderStore(table, settings, live=live)
        self.renderer = Renderer(table.limits, policies, lateness_s + 3600)
        self.standing: dict[str, dict[str, Any]] = {}
        self.statuses: dict[str, dict[str, Any]] = {}

    def take(self, events: list[dict[str, Any]]) -> None:
        decoded = decode_lines([json.dumps(event).encode() for event in events])
        self.store.ingest(arrivals_of(decoded), Place(0, 1, 1, 0))

    def judge(self, now_s: int, *, publish: bool = False) -> None:
        parts = self.store.publish(now_s) if publish else [self.store.judge(now_s)]
        told = [one for part in parts for one in part]
        for one in told:
            rider = self.store.rider_id(one.row)
            if isinstance(one, Status):
                self.statuses[rider] = self.renderer.status(one, rider)
            else:
                self.fold(one)

    def fold(self, verdict: Verdict) -> None:
        document = self.renderer.alert_of(self.store, verdict, self.store.now_s, None)
        if verdict.retracted:
            assert self.standing.pop(document["supersedes"], None), "taken back what was not told"
        else:
            self.standing[document["alert_id"]] = document


def comparable(alerts: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["alert_id"]: {k: v for k, v in one.items() if k not in MAY_DIFFER} for one in alerts}


def run_service(case: Case, seed: int, *, live: bool, seal_events: int, lateness_s: int) -> Service:
    rng = random.Random(seed)
    service = Service(case, live=live, seal_events=seal_events, lateness_s=lateness_s)
    # Each event arrives up to the allowed lateness after it happened, some exactly so late, some at once.
    delays = (0, lateness_s, rng.randrange(0, lateness_s + 1))
    arrivals = [(instant(event["event_time"]) + rng.choice(delays), n) for n, event in enumerate(case.events)]
    waiting: list[dict[str, Any]] = []
    for arrival, n in sorted(arrivals):
        if instant(case.events[n]["event_time"]) > case.now:
            continue
        waiting.append(case.events[n])
        if rng.random() < 0.4:
            service.take(waiting)
            waiting = []
            service.judge(min(arrival, case.now))
    service.take(waiting)
    service.judge(case.now, publish=not live)
    return service


@pytest.mark.parametrize("live", [True, False], ids=["live", "rebuilt"])
@pytest.mark.parametrize("seal_events", [0, 1])
def test_the_service_ends_where_replay_ends_whatever_the_arrival_and_the_sealing(
    live: bool, seal_events: int
) -> None:
    sealed = 0
    for seed in range(1000, 1120):
        case = make_case(seed, horizon_s=4 * 3600)
        service = run_service(case, seed, live=live, seal_events=seal_events, lateness_s=600)
        got = replayed(case)
        assert comparable(list(service.standing.values())) == comparable(got.alerts), f"seed {seed}"
        moving = {"as_of", "remaining_s", "hold_until"}
        for status in got.statuses:
            told = service.statuses[status["rider_id"]]
            names = set(status) - moving - (set() if status["status"] == "hold" else {"limit", "policy"})
            assert {k: told[k] for k in names} == {k: status[k] for k in names}, f"seed {seed}"
        mem = service.store.memory
        sealed += int((mem.rows[: service.store.riders, 2] == 0).sum())
    assert (sealed > 0) == (seal_events > 0), "the sealing that this test is about did not happen"
