"""Packed and unpacked, forgotten and erased: a store in the middle of its work, against one left alone."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from detectors import pages
from detectors.kernels.evidence.arrivals import Place
from detectors.kernels.layout import row as Row
from detectors.kernels.layout.values import PAGES
from detectors.store import RiderStore
from detectors.verdicts import Status
from schemas.decode import decode_lines, rider_hash
from stream.columns import arrivals_of
from stream.output.alert_json import utc
from tests.detectors.test_against_the_oracle import Service, comparable
from tests.oracle.evidence import instant
from tests.oracle.generate import Case, make_case
from tests.oracle_cases import replayed

LATENESS_S = 600
MOVING = {"as_of", "remaining_s", "hold_until"}


def reborn(service: Service) -> None:
    """Continue in a new store that knows only what lies in the pages."""
    old = service.store
    new = RiderStore(old.limits, old.settings, live=old.live)
    pages.restore_names(new, *pages.names(old))
    for page in range(PAGES):
        if old.memory.page_head[page]:
            pages.unpack(new, pages.pack(old, page))
    new.now_s, new.read_s = old.now_s, old.read_s
    assert new.riders == old.riders
    service.store = new


def run(case: Case, seed: int, seal_events: int) -> tuple[Service, int]:
    rng = random.Random(seed)
    service = Service(case, live=True, seal_events=seal_events, lateness_s=LATENESS_S)
    delays = (0, LATENESS_S, rng.randrange(0, LATENESS_S + 1))
    arrivals = sorted(
        (instant(event["event_time"]) + rng.choice(delays), n) for n, event in enumerate(case.events)
    )
    births = 0
    for arrival, n in arrivals:
        if instant(case.events[n]["event_time"]) > case.now:
            continue
        service.take([case.events[n]])
        service.judge(min(arrival, case.now))
        if rng.random() < 0.2:
            reborn(service)
            births += 1
    service.judge(case.now)
    return service, births


@pytest.mark.parametrize("seal_events", [0, 1])
def test_a_store_that_is_packed_and_unpacked_on_the_way_ends_where_replay_ends(seal_events: int) -> None:
    births = 0
    for seed in range(3000, 3060):
        case = make_case(seed, horizon_s=4 * 3600)
        service, more = run(case, seed, seal_events)
        births += more
        got = replayed(case)
        assert comparable(list(service.standing.values())) == comparable(got.alerts), f"seed {seed}"
        for status in got.statuses:
            told = service.statuses[status["rider_id"]]
            names = set(status) - MOVING - (set() if status["status"] == "hold" else {"limit", "policy"})
            assert {k: told[k] for k in names} == {k: status[k] for k in names}, f"seed {seed}"
    assert births > 100


def event(rider: str, at_s: int, kind: str, platform: str = "A") -> dict[str, Any]:
    return {
        "schema": "work-state/1", "event_id": f"{rider}{at_s}{kind}", "rider_id": rider, "platform": platform,
        "event_time": utc(at_s), "type": kind, "order_id": "o",
    }  # fmt: skip


def crowd(count: int) -> tuple[Service, int]:
    case = make_case(1)
    service = Service(case, live=True, seal_events=1, lateness_s=LATENESS_S)
    begin = 1_790_000_000
    service.take([event(f"r{n}", begin + n, "order_accepted") for n in range(count)])
    service.judge(begin + count)
    return service, begin


def test_who_is_silent_for_keep_and_not_on_hold_is_forgotten_and_the_others_stay_whole() -> None:
    service, begin = crowd(3000)
    store = service.store
    keep = store.settings.keep_s
    awake = [f"r{n}" for n in range(0, 3000, 7)]
    service.take([event(rider, begin + 86_400, "online") for rider in awake])
    # The last of them is forgotten a second later than the one before.
    service.judge(begin + keep + 2998)
    gone: list[str] = []
    while more := pages.forget_silent(store, 0):
        gone += [one.rider for one in more]
    expected = {f"r{n}" for n in range(2999)} - set(awake)
    assert set(gone) == expected
    assert store.riders == 3000 - len(expected)
    for rider in [*awake, "r2999"]:
        row = pages.find(store, rider.encode(), rider_hash(rider.encode()))
        assert row is not None
        assert store.rider_id(row) == rider
    assert all(pages.find(store, one.encode(), rider_hash(one.encode())) is None for one in expected)
    reborn(service)
    listed = sorted(service.store.rider_id(row) for row in range(service.store.riders))
    assert listed == sorted([*awake, "r2999"])
    # A forgotten rider begins anew.
    service.take([event("r1", begin + keep + 5000, "order_accepted")])
    service.judge(begin + keep + 5000)
    assert pages.find(service.store, b"r1", rider_hash(b"r1")) is not None


def test_an_erased_rider_does_not_come_back_when_his_events_are_read_again() -> None:
    service, begin = crowd(50)
    store = service.store
    erased_ms = (begin + 100) * 1000
    assert pages.erase(store, b"r3", rider_hash(b"r3"), erased_ms)
    assert pages.erase(store, b"never-seen", rider_hash(b"never-seen"), erased_ms)
    assert not pages.erase(store, b"r3", rider_hash(b"r3"), erased_ms), "it was done already"
    reborn(service)
    store = service.store
    row = pages.find(store, b"r3", rider_hash(b"r3"))
    assert row is not None
    assert store.memory.rows[row, Row.STATUS] == -1
    again = decode_lines(
        [
            json.dumps(one).encode()
            for one in (event("r3", begin + 3, "order_accepted"), event("r3", begin + 200, "order_accepted"))
        ]
    )
    again.columns.arrival_ms[:] = (begin + 3) * 1000, (begin + 200) * 1000
    codes = store.ingest(arrivals_of(again), Place(0, 1, 1, 0))
    assert codes.tolist() == [9, 0]
    assert store.memory.rows[row, Row.EVENTS_N] == 1
    # Kept as long as what was erased can be read again, then dropped like anyone silent.
    service.judge(begin + store.settings.keep_s + 1000)
    assert pages.forget_silent(store, erased_ms - 1) != []
    assert pages.find(store, b"never-seen", rider_hash(b"never-seen")) is not None
    pages.forget_silent(store, erased_ms)
    assert pages.find(store, b"never-seen", rider_hash(b"never-seen")) is None


def test_what_a_page_holds_already_is_skipped_when_it_is_read_again() -> None:
    service, begin = crowd(10)
    store = service.store
    row = pages.find(store, b"r3", rider_hash(b"r3"))
    assert row is not None
    store.memory.page_from[:] = 5
    values = [event("r3", begin + 50 + n, "order_accepted") for n in range(2)]
    decoded = decode_lines([json.dumps(one).encode() for one in values])
    decoded.columns.offset[:] = 4, 5
    assert store.ingest(arrivals_of(decoded), Place(0, 1, 1, 0)).tolist() == [1, 0]


def test_a_platform_that_is_new_to_a_rider_is_told_his_status_and_nobody_else() -> None:
    service, begin = crowd(1)
    store = service.store
    # What the case's own limits reach in silence is told before anybody joins.
    store.judge(begin + 19)
    service.take([event("r0", begin + 19, "heartbeat", platform="B")])
    assert store.judge(begin + 19) == []
    service.take([event("r0", begin + 20, "online", platform="B")])
    decoded = store.judge(begin + 20)
    assert [one.only_joined for one in decoded if isinstance(one, Status)] == [True]
    service.take([event("r0", begin + 21, "online", platform="B")])
    assert store.judge(begin + 21) == []
    row = pages.find(store, b"r0", rider_hash(b"r0"))
    assert row is not None
    assert pages.members(store, row, begin) == ["A", "B"]
    assert pages.members(store, row, begin + 1) == ["B"]


def test_the_definition_changes_with_the_limits_and_the_settings_that_verdicts_depend_on() -> None:
    one = Service(make_case(1), live=True, seal_events=1, lateness_s=600).store
    other = Service(make_case(2), live=True, seal_events=1, lateness_s=600).store
    same = pages.definition(one.limits, replace(one.settings, seal_events=99))
    assert pages.definition(one.limits, one.settings) == same
    assert pages.definition(one.limits, replace(one.settings, breach_grace_s=61)) != same
    assert pages.definition(other.limits, one.settings) != same
    assert np.all(one.memory.page_from == 0)
