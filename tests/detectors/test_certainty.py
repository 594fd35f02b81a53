"""The best reading of an alert against the definition: the verdict without just what is uncertain."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from detectors.reading import Reader, shared_of
from tests.detectors.test_reading import asked_of, store_of
from tests.oracle.evidence import Maxima, Rider, instant, order_intervals, read_rider, toggled
from tests.oracle.generate import Case, make_case
from tests.oracle.watch import Watch

SEEDS_AT_ONCE = 15


def certain_runs(rider: Rider, maxima: Maxima, until: int) -> tuple[dict[str, list[bool]], dict[str, bool]]:
    """What each clock did in every second by what an event has ended; of which something was left out.

    Longer than others, longer because it is the definition, read from top to bottom.
    """
    kept: dict[str, list[tuple[int, int]]] = {"order": [], "loaded": [], "online": []}
    left_out = dict.fromkeys(kept, False)
    names = {(one["platform"], one["order_id"]) for one in rider.real if one["type"].startswith("order_")}
    for name in names:
        own = [
            one
            for one in rider.real
            if one["type"].startswith("order_") and (one["platform"], one["order_id"]) == name
        ]
        in_hand, loaded, ends, loaded_ends = order_intervals(
            Rider(rider.now, rider.first, own), maxima.order_s
        )
        for clock, intervals, by_maximum in (
            ("order", in_hand, ends),
            ("loaded", loaded, loaded_ends | ends),
        ):
            for start, end in intervals:
                sure = end <= rider.now and end not in by_maximum
                left_out[clock] |= not sure and start < until
                kept[clock] += [(start, end)] if sure else []
    online = [False] * (rider.now + 1 - rider.first)
    for platform in {one["platform"] for one in rider.real}:

        def at(*types: str, platform: str = platform) -> set[int]:
            found = (one for one in rider.real if one["platform"] == platform and one["type"] in types)
            return {instant(one["event_time"]) for one in found}

        sessions, ends = toggled(at("online"), at("offline"), maxima.session_s, rider.now)
        pauses, _ = toggled(
            at("break_started"), at("break_ended", "order_accepted", "offline"), maxima.break_s, rider.now
        )
        for start, end in sessions:
            if end > rider.now or end in ends:
                left_out["online"] |= start < until
                continue
            for second in range(start, end):
                if not any(first <= second < last for first, last in pauses):
                    online[second - rider.first] = True

    def covered(intervals: list[tuple[int, int]]) -> list[bool]:
        runs = [False] * (rider.now + 1 - rider.first)
        for start, end in intervals:
            runs[start - rider.first : end - rider.first] = [True] * (end - start)
        return runs

    runs = {clock: covered(kept[clock]) for clock in ("order", "loaded")}
    runs["online"] = [one or other for one, other in zip(online, runs["order"], strict=True)]
    left_out["online"] |= left_out["order"]
    return runs, left_out


def expected(case: Case, rider_id: str, policy: Any, limit: Any, at: int) -> tuple[bool, int, bool]:
    """Whether anything is uncertain, and without it what the limit counts, and whether it is reached."""
    events = [one for one in case.events if one["rider_id"] == rider_id]
    rider = read_rider(events, case.now, case.maxima)
    runs, left_out = certain_runs(rider, case.maxima, at)
    rider.runs = runs
    watch = Watch(rider, policy, limit)
    watch.follow(at)
    return left_out[limit["clock"]], watch.counted(at), watch.fired


@pytest.mark.parametrize("first", range(0, 60, SEEDS_AT_ONCE))
def test_the_best_reading_is_the_verdict_without_just_the_uncertain_pieces(first: int) -> None:
    seen: Counter[Any] = Counter()
    for seed in range(first, first + SEEDS_AT_ONCE):
        case = make_case(seed, horizon_s=3 * 3600)
        rng = random.Random(seed)
        store = store_of(case, rng, 0)
        reader = Reader(store.limits, store.settings)
        shared = shared_of(store.memory)
        for rider_id in ("r-0", "r-1"):
            events = [one for one in case.events if one["rider_id"] == rider_id]
            begins = [instant(one["event_time"]) for one in events if instant(one["event_time"]) <= case.now]
            if not begins:
                continue
            at = rng.randrange(min(begins), case.now + 1)
            for index, limit in enumerate(store.limits.limits):
                policy = next(
                    one for one in case.policies if f"{one['name']}@{one['version']}" == limit.policy
                )
                rule = next(one for one in policy["limits"] if one["name"] == limit.name)
                wanted = expected(case, rider_id, policy, rule, at)
                got = reader.certain(shared, case.now, asked_of([rider_id], [0]), index, at, 0)
                assert got is not None
                assert (got.any_uncertain, got.counted_s, got.reached) == wanted, (seed, rider_id, limit, at)
                seen[got.any_uncertain, limit.clock] += 1
    for clock in ("order", "online"):
        assert seen[True, clock]
