"""Answers beside the stream under the whole grammar, against both readings second by second."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pytest

from detectors import pages
from detectors.kernels.evidence.arrivals import Place
from detectors.kernels.layout import brief as Brief
from detectors.kernels.layout.values import INF, NONE, PAGES
from detectors.kernels.reading.columns import A_AS_OF, A_LEFT, A_LIMIT, A_RESUME, A_VERDICT, FAILS, PASSES
from detectors.limits import LimitTable
from detectors.reading import Reader, shared_of
from detectors.store import RiderStore
from schemas.decode import decode_lines
from stream.columns import arrivals_of
from stream.policies.calendars import window_starts
from stream.policies.limits import limits_of
from tests.detectors.test_reading import asked_of, askers, order_of
from tests.detectors.test_rulebook_served import without_late_pick_ups
from tests.oracle.evidence import instant
from tests.oracle.judge import judge
from tests.oracle.rulebook_cases import RulebookCase, make_case
from tests.oracle.second import judge as second_judge
from tests.oracle_cases import policy_of, settings_of
from tests.rulebook import plain

Doc = dict[str, Any]
Reading = Callable[[list[Doc], list[Doc], int, RulebookCase], tuple[list[Doc], list[Doc]]]
LATENESS_S = 600


def first(
    events: list[Doc], policies: list[Doc], now: int, case: RulebookCase
) -> tuple[list[Doc], list[Doc]]:
    """Alerts and statuses as the first reading has them."""
    return judge(events, policies, now, case.settings)


def second(
    events: list[Doc], policies: list[Doc], now: int, case: RulebookCase
) -> tuple[list[Doc], list[Doc]]:
    """Those of the second."""
    settings = case.settings
    result = second_judge(
        events,
        policies,
        now,
        lateness_s=settings.lateness,
        breach_grace_s=settings.grace,
        max_open_order_s=settings.maxima.order_s,
        max_open_session_s=settings.maxima.session_s,
        max_open_break_s=settings.maxima.break_s,
        max_open_duty_s=settings.maxima.duty_s,
        step_s=settings.unit,
        regardless_of_dates=settings.regardless,
    )
    return result.alerts, result.statuses


@dataclass(frozen=True)
class Expected:
    """``left_s`` None: not compared. ``until_s``: of a hold, "not before"; None where it is not known."""

    verdict: int
    limit: str | None
    left_s: int | None = None
    until_s: int | None = None


def of_those_that_hold(policies: list[Doc]) -> list[Doc]:
    """The policies without limits that only remind."""
    kept = [
        {**one, "limits": [limit for limit in one["limits"] if limit["effect"] != "remind"]}
        for one in policies
    ]
    return [one for one in kept if one["limits"]]


def expected(case: RulebookCase, rider: str, seconds: int, reading: Reading) -> Expected:
    """Is he on hold, is a limit that holds reached while the order lasts, and which is the nearest."""
    own = [one for one in case.events if one["rider_id"] == rider and instant(one["event_time"]) <= case.now]
    policies = of_those_that_hold(case.policies)
    _, statuses = reading(own, policies, case.now, case)
    status = statuses[0] if statuses else None
    named = None if status is None or status["limit"] is None else f"{status['policy']}/{status['limit']}"
    if status and status["status"] == "hold":
        until = None if status["hold_until"] is None else instant(status["hold_until"])
        return Expected(FAILS, named, 0, until)
    until_s = case.now + seconds
    order = order_of(rider, case.now, until_s + case.settings.unit - 1)
    alerts, _ = reading([*own, *order], policies, until_s, case)
    reached = sorted(
        (instant(one["event_time"]), one["policy"], one["limit"])
        for one in alerts
        if one["kind"] == "limit_reached" and instant(one["event_time"]) >= case.now
    )
    if reached:
        return Expected(FAILS, f"{reached[0][1]}/{reached[0][2]}")
    return Expected(PASSES, named, status["remaining_s"] if status else None)


def reborn(old: RiderStore) -> RiderStore:
    """A store that knows what lies in the other's checkpoint."""
    new = RiderStore(old.limits, old.settings, live=old.live)
    pages.restore_names(new, *pages.names(old))
    for page in range(PAGES):
        if old.memory.page_head[page]:
            pages.unpack(new, pages.pack(old, page))
    new.now_s, new.read_s = old.now_s, old.read_s
    return new


def store_of(case: RulebookCase, seed: int, seal_events: int) -> RiderStore:
    """A store that has taken the case in as a service does: late, in batches, through checkpoints."""
    rng = random.Random(seed)
    policies = [policy_of(one) for one in case.policies]
    settings = replace(settings_of(plain(case), seal_events), lateness_s=LATENESS_S)
    limits = limits_of(policies, enforced=not case.settings.regardless)
    store = RiderStore(LimitTable(limits, window_starts), settings)
    known = [one for one in case.events if instant(one["event_time"]) <= case.now]
    delays = [0, LATENESS_S, rng.randrange(LATENESS_S + 1)]
    arrivals = sorted(
        ((instant(one["event_time"]) + rng.choice(delays), index) for index, one in enumerate(known)),
    )
    at = 0
    while at < len(arrivals):
        batch = arrivals[at : at + rng.randrange(1, 12)]
        at += len(batch)
        lines = [json.dumps(known[index]).encode() for _, index in batch]
        store.ingest(arrivals_of(decode_lines(lines)), Place(0, 1, 1, 0))
        # The last batch is often not judged yet when the question comes.
        if at < len(arrivals) or rng.random() < 0.5:
            store.judge(min(case.now, batch[-1][0]))
        if rng.random() < 0.15:
            store = reborn(store)
    return store


def named(store: RiderStore, number: int) -> str | None:
    if number == NONE:
        return None
    one = store.limits.limits[number]
    return f"{one.policy}/{one.name}"


def differences(seed: int, seal_events: int, reading: Reading, seen: Counter[Any]) -> list[str]:
    """Where the answers and a reading differ, in words."""
    case = without_late_pick_ups(make_case(seed))
    if not case.policies:
        return []
    rng = random.Random(seed)
    store = store_of(case, seed, seal_events)
    reader = Reader(store.limits, store.settings)
    unit = case.settings.unit
    riders = ["r-1", "r-2", "never-seen"]
    steps = [0, 1, 2, 4, 9, 60] if unit > 1 else [0, 1, 30, 300, 900, 2400]
    seconds = [rng.choice(steps) * unit for _ in riders]
    asked = asked_of(riders, seconds)
    reader.answer(shared_of(store.memory), case.now, asked, np.arange(len(riders)))
    found = []
    for rider, lasts, got in zip(riders, seconds, asked.answers, strict=True):
        wanted = expected(case, rider, lasts, reading)
        about = f"{rider} for {lasts} s"
        seen[wanted.verdict] += 1
        if wanted.limit is not None:
            kind = store.limits.limits[got[A_LIMIT]]
            seen[wanted.verdict, kind.kind + ("/" + kind.per if kind.per else "")] += 1
        if got[A_AS_OF] != case.now or got[A_VERDICT] != wanted.verdict:
            found.append(f"{about}: {got.tolist()} or {wanted}")
            continue
        if wanted.left_s is not None or wanted.verdict == FAILS:
            if named(store, got[A_LIMIT]) != wanted.limit:
                found.append(f"{about}: {named(store, got[A_LIMIT])} or {wanted}")
            elif wanted.left_s is not None and got[A_LEFT] != wanted.left_s:
                found.append(f"{about}: {got[A_LEFT]} s left or {wanted}")
        if wanted.verdict == FAILS and wanted.left_s == 0:
            until = None if got[A_RESUME] == NONE else int(got[A_RESUME])
            if until != wanted.until_s:
                found.append(f"{about}: not before {until} or {wanted}")
    return found


@pytest.mark.parametrize("reading", [first, second], ids=["first reading", "second reading"])
@pytest.mark.parametrize("seal_events", [0, 1])
def test_an_order_fails_exactly_when_the_rulebook_says_so(seal_events: int, reading: Reading) -> None:
    seen: Counter[Any] = Counter()
    for seed in range(40):
        assert differences(seed, seal_events, reading, seen) == [], f"seed {seed}"
    assert seen[FAILS] >= 10
    assert seen[PASSES] >= 30


def test_what_a_brief_says_is_what_the_whole_rider_says_for_as_long_as_it_holds() -> None:
    compared = 0
    for seed in range(120):
        compared += compared_briefs(seed)
    assert compared >= 250


def compared_briefs(seed: int) -> int:
    """Answers by brief and by the whole rider are the same; how many were given by brief alone."""
    case = without_late_pick_ups(make_case(seed))
    if not case.policies:
        return 0
    rng = random.Random(seed)
    store = store_of(case, seed, seed % 2)
    reader = Reader(store.limits, store.settings)
    shared = shared_of(store.memory)
    riders = ["r-1", "r-2"] * 12
    which = np.arange(len(riders))
    briefs = store.memory.briefs[: store.riders]
    ends = [int(one) for one in briefs[:, Brief.UNTIL] if one < INF]
    later = [case.now + step for step in (0, 900, 3000, 20_000, 90_000, 8 * 86_400, 40 * 86_400)]
    given = 0
    for now_s in sorted({*later, *(end + step for end in ends for step in (-1, 0))}):
        if now_s < case.now:
            continue
        given += int(np.sum((briefs[:, Brief.FROM] <= now_s) & (now_s < briefs[:, Brief.UNTIL])))
        lasts = [rng.choice([0, 1, 300, 900, 2400, 30_000, 86_400]) for _ in riders]
        for asker in askers(now_s, rng):
            briefly, wholly = asked_of(riders, lasts), asked_of(riders, lasts)
            reader.answer(shared, now_s, briefly, which, asker)
            stamps = store.memory.briefs[:, Brief.STAMP].copy()
            store.memory.briefs[:, Brief.STAMP] = -1
            reader.answer(shared, now_s, wholly, which, asker)
            store.memory.briefs[:, Brief.STAMP] = stamps
            assert briefly.answers.tolist() == wholly.answers.tolist(), (
                f"seed {seed} at {datetime.fromtimestamp(now_s).astimezone()} {asker}"
            )
    return given
