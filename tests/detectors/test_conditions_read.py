"""Dispatchers' questions under bans and conditions, against the oracle with the order asked about in hand."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

import numpy as np

from detectors.kernels.evidence.arrivals import Place
from detectors.kernels.reading.columns import A_LIMIT, A_VERDICT, FAILS, PASSES
from detectors.limits import LimitTable
from detectors.reading import Reader, shared_of
from detectors.store import RiderStore
from schemas.decode import decode_lines
from stream.announcements import announcement_of
from stream.columns import arrivals_of
from stream.policies.calendars import window_starts
from stream.policies.limits import limits_of
from tests.detectors.test_reading import asked_of, order_of
from tests.oracle.condition_cases import ConditionCase, make_case
from tests.oracle.evidence import instant
from tests.oracle.judge import Settings, judge
from tests.oracle_cases import policy_of, settings_of

SECONDS = (60, 900)


def store_of(made: ConditionCase, rng: random.Random) -> RiderStore:
    """What a service knows: everything up to *now*, the last of it perhaps not judged yet."""
    case = made.case
    table = LimitTable(limits_of([policy_of(one) for one in case.policies]), window_starts)
    store = RiderStore(table, settings_of(case, 0))
    store.announce([announcement_of(value, arrival_s=None) for value in made.messages])
    known = [event for event in case.events if instant(event["event_time"]) <= case.now]
    known.sort(key=lambda event: instant(event["event_time"]))
    half = rng.randrange(len(known) + 1)
    for part in (known[:half], known[half:]):
        lines = [json.dumps(event).encode() for event in part]
        store.ingest(arrivals_of(decode_lines(lines)), Place(0, 1, 1, 0))
        if part and (part is not known[half:] or rng.random() < 0.7):
            store.judge(max(instant(event["event_time"]) for event in part))
    store.judge(case.now)
    return store


def expected(made: ConditionCase, rider: str, seconds: int) -> tuple[int, set[str]]:
    """By the oracle: on hold now, or a hold's limit reached while the order is in hand."""
    case = made.case
    settings = Settings(grace=0, maxima=case.maxima)
    own = [event for event in case.events if event["rider_id"] == rider]
    _, statuses = judge(own, case.policies, case.now, settings, messages=made.messages)
    if any(one["status"] == "hold" for one in statuses):
        return FAILS, set()
    events = [event for event in own if instant(event["event_time"]) <= case.now]
    asked = [
        event for event in order_of(rider, case.now, case.now + seconds) if event["type"] != "order_delivered"
    ]
    # What is open ends by its maximum as ever; the asked order lasts as long as it is asked about.
    until = case.now + min(seconds, case.maxima.order_s - 1)
    told, _ = judge([*events, *asked], case.policies, until, settings, messages=made.messages)
    effects = {
        (f"{policy['name']}@{policy['version']}", one["name"]): one["effect"]
        for policy in case.policies
        for one in policy["limits"]
    }
    reached = {
        f"{one['policy']}/{one['limit']}"
        for one in told
        if one["kind"] == "limit_reached"
        and instant(one["event_time"]) >= case.now
        and effects[one["policy"], one["limit"]] != "remind"
    }
    return (FAILS, reached) if reached else (PASSES, set())


def test_an_order_is_refused_where_a_ban_is_on_or_begins_while_it_lasts() -> None:
    seen: Counter[Any] = Counter()
    for seed in range(5000, 5050):
        made = make_case(seed)
        case, rng = made.case, random.Random(seed)
        store = store_of(made, rng)
        reader, memory = Reader(store.limits, store.settings), store.memory
        reader.follow(store.packed_limits, memory.zones, memory.zone_lengths)
        known = {event["rider_id"] for event in case.events if instant(event["event_time"]) <= case.now}
        riders = sorted(known)
        for seconds in SECONDS:
            if seconds >= case.maxima.order_s or not riders:
                continue
            asked = asked_of(riders, [seconds] * len(riders))
            reader.answer(shared_of(memory), case.now, asked, np.arange(len(riders)))
            for rider, line in zip(riders, asked.answers.tolist(), strict=True):
                verdict, limits = expected(made, rider, seconds)
                assert line[A_VERDICT] == verdict, f"seed {seed}, {rider}, {seconds} s: {limits}"
                if limits:
                    limit = store.limits.limits[line[A_LIMIT]]
                    assert f"{limit.policy}/{limit.name}" in limits, f"seed {seed}, {rider}, {seconds} s"
                    seen[limit.kind] += 1
                seen[verdict] += 1
    assert seen[PASSES] > 60
    assert seen[FAILS] > 12
    assert seen["ban"] >= 5
