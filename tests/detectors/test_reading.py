"""Answers beside the stream against a brute-force reading of the contract."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from detectors.kernels.evidence.arrivals import Place
from detectors.kernels.layout import brief as Brief
from detectors.kernels.layout.values import INF, NONE
from detectors.kernels.reading.batch import answer_by_briefs
from detectors.kernels.reading.columns import (
    A_AS_OF,
    A_KNOWN,
    A_LIMIT,
    A_VERDICT,
    FAILS,
    PASSES,
    Asker,
    Question,
)
from detectors.limits import LimitTable
from detectors.reading import EVERYONE, Reader, blank_asked, shared_of
from detectors.store import RiderStore
from schemas.decode import decode_lines
from schemas.decode.hashing import hash_ids
from stream.columns import arrivals_of
from stream.policies.calendars import window_starts
from stream.policies.limits import limits_of
from tests.oracle.evidence import instant
from tests.oracle.generate import Case, make_case
from tests.oracle.judge import Settings, judge
from tests.oracle_cases import policy_of, settings_of


def asked_of(riders: list[str], seconds: list[int]) -> Any:
    text = "".join(riders).encode()
    asked = blank_asked(np.frombuffer(text, dtype=np.uint8), len(riders))
    asked.length[:] = [len(one) for one in riders]
    asked.off[:] = np.cumsum(asked.length) - asked.length
    asked.seconds[:] = seconds
    hash_ids(asked.buf, asked.off, asked.length, asked.hash, np.zeros(len(riders), dtype=np.int64))
    return asked


def store_of(case: Case, rng: random.Random, seal_events: int) -> RiderStore:
    """A store that has taken the case in as a service does: in batches, judging in between."""
    policies = [policy_of(one) for one in case.policies]
    settings = replace(settings_of(case, seal_events), lateness_s=600 if seal_events else 86_400)
    store = RiderStore(LimitTable(limits_of(policies), window_starts), settings)
    known = sorted(
        (event for event in case.events if instant(event["event_time"]) <= case.now),
        key=lambda event: instant(event["event_time"]) + (0 if seal_events else rng.randrange(0, 1200)),
    )
    at = 0
    while at < len(known):
        batch = known[at : at + rng.randrange(1, 12)]
        at += len(batch)
        store.ingest(
            arrivals_of(decode_lines([json.dumps(event).encode() for event in batch])), Place(0, 1, 1, 0)
        )
        # The last batch is often not judged yet when the question comes.
        if at < len(known) or rng.random() < 0.5:
            store.judge(min(case.now, max(instant(event["event_time"]) for event in known[:at])))
    return store


def order_of(rider: str, start_s: int, end_s: int) -> list[dict[str, Any]]:
    def event(kind: str, at: int) -> dict[str, Any]:
        return {
            "schema": "work-state/1", "event_id": f"asked-{kind}", "rider_id": rider, "platform": "asking",
            "event_time": datetime.fromtimestamp(at, UTC).isoformat(), "type": kind, "order_id": "asked",
        }  # fmt: skip

    return [
        event("order_accepted", start_s),
        event("order_picked_up", start_s),
        # One second more than asked: what is reached exactly at its end is reached.
        event("order_delivered", end_s + 1),
    ]


def expected(case: Case, rider: str, seconds: int) -> tuple[int, str | None]:
    """The verdict by the oracle: is he on hold, or does the order make a limit that holds be reached."""
    own = [
        event
        for event in case.events
        if event["rider_id"] == rider and instant(event["event_time"]) <= case.now
    ]
    settings = Settings(grace=case.grace, maxima=case.maxima)
    _, statuses = judge(own, case.policies, case.now, settings)
    if statuses and statuses[0]["status"] == "hold":
        return FAILS, f"{statuses[0]['policy']}/{statuses[0]['limit']}"
    until = case.now + seconds
    alerts, _ = judge([*own, *order_of(rider, case.now, until)], case.policies, until, settings)
    holding = {
        (f"{policy['name']}@{policy['version']}", limit["name"])
        for policy in case.policies
        for limit in policy["limits"]
        if limit["effect"] != "remind"
    }
    reached = sorted(
        (instant(alert["event_time"]), alert["policy"], alert["limit"])
        for alert in alerts
        if alert["kind"] == "limit_reached"
        and (alert["policy"], alert["limit"]) in holding
        and instant(alert["event_time"]) >= case.now
    )
    return (FAILS, f"{reached[0][1]}/{reached[0][2]}") if reached else (PASSES, None)


@pytest.mark.parametrize("first", range(0, 160, 20))
def test_an_order_fails_exactly_when_a_reading_second_by_second_says_so(first: int) -> None:
    seen: Counter[Any] = Counter()
    riders = ["r-0", "r-1", "never-seen"]
    for seed in range(first, first + 20):
        case = make_case(seed)
        rng = random.Random(f"seconds {seed}")
        seconds = [rng.choice([0, 1, 30, 300, 900, 2400]) for _ in riders]
        wanted = [expected(case, *one) for one in zip(riders, seconds, strict=True)]
        for seal_events in (0, 1):
            store = store_of(case, random.Random(seed), seal_events)
            reader = Reader(store.limits, store.settings)
            asked = asked_of(riders, seconds)
            reader.answer(shared_of(store.memory), case.now, asked, np.arange(3))
            for index, rider in enumerate(riders):
                verdict, limit = wanted[index]
                got = asked.answers[index]
                about = f"seed {seed} sealing {seal_events} {rider} {seconds[index]} {limit}"
                assert got[A_AS_OF] == case.now, about
                assert got[A_VERDICT] == verdict, about
                if verdict == FAILS:
                    one = store.limits.limits[got[A_LIMIT]]
                    assert f"{one.policy}/{one.name}" == limit, about
                seen[verdict] += 1
                # A heartbeat makes nobody a rider.
                assert (got[A_KNOWN] == 1) == any(
                    event["rider_id"] == rider
                    and event["type"] != "heartbeat"
                    and instant(event["event_time"]) <= case.now
                    for event in case.events
                )
    assert seen[FAILS] >= 20
    assert seen[PASSES] >= 20


def test_the_cases_ask_about_every_kind_of_limit() -> None:
    seen: Counter[Any] = Counter()
    for seed in range(160):
        case = make_case(seed)
        store = store_of(case, random.Random(seed), 0)
        asked = asked_of(["r-0", "r-1"], [900, 900])
        Reader(store.limits, store.settings).answer(shared_of(store.memory), case.now, asked, np.arange(2))
        for line in asked.answers:
            seen[int(line[A_VERDICT]), store.limits.limits[line[A_LIMIT]].kind] += 1
    for kind in ("continuous", "day", "week", "rolling", "span", "rest_within"):
        assert seen[FAILS, kind] >= 3, kind
        assert seen[PASSES, kind] >= 3, kind


def askers(now_s: int, rng: random.Random) -> list[Asker]:
    """Who may ask: all, and platforms known, unknown and beyond those that a brief names, since when."""
    keeps_s = rng.choice([3600, Brief.LATELY_S, Brief.LATELY_S + 1, 2 * Brief.LATELY_S, 15 * Brief.LATELY_S])
    return [EVERYONE, *(Asker(number, now_s - keeps_s) for number in (NONE, 0, 1, 2, Brief.TOLD_PLATFORMS))]


def test_what_a_brief_says_is_what_the_whole_rider_says_for_as_long_as_it_holds() -> None:
    briefly_for: Counter[bool] = Counter()
    for seed in range(160):
        case = make_case(seed)
        rng = random.Random(seed)
        store = store_of(case, rng, seed % 2)
        reader = Reader(store.limits, store.settings)
        shared = shared_of(store.memory)
        riders = ["r-0", "r-1"] * 24
        which, left = np.arange(len(riders)), np.zeros(len(riders), dtype=np.int64)
        # At the instants at which a brief ends, around them, and long after the last event.
        ends = [int(one) for one in store.memory.briefs[: store.riders, Brief.UNTIL] if one < INF]
        later = (case.now + step for step in (0, 600, 3000, 20_000, 90_000, 15 * Brief.LATELY_S))
        for now_s in {*later, *(end + step for end in ends for step in (-1, 0))}:
            if now_s < case.now:
                continue
            lefts = [rng.choice([0, 1, 300, 900, 2400, 30_000]) for _ in riders]
            for asker in askers(now_s, rng):
                briefly, wholly = asked_of(riders, lefts), asked_of(riders, lefts)
                reader.answer(shared, now_s, briefly, which, asker)
                stamps = store.memory.briefs[:, Brief.STAMP].copy()
                store.memory.briefs[:, Brief.STAMP] = -1
                reader.answer(shared, now_s, wholly, which, asker)
                store.memory.briefs[:, Brief.STAMP] = stamps
                assert briefly.answers.tolist() == wholly.answers.tolist(), f"seed {seed} at {now_s} {asker}"
                more = answer_by_briefs(shared, store.memory, Question(briefly, asker, now_s), which, left)
                briefly_for[asker == EVERYONE] += len(riders) - more
    assert briefly_for[True] >= 1000
    assert briefly_for[False] >= 1000
