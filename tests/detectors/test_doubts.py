"""Doubtful evidence, on arrival and in explanations, against the definitions counted out."""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter
from dataclasses import replace
from typing import Any

from detectors.doubts import Doubt, DoubtQuestion
from detectors.kernels.evidence.arrivals import Place
from detectors.kernels.layout.codes import BRIEF_SESSION, DOUBTS, NEW, REPEATED_ONLINE
from detectors.limits import LimitTable
from detectors.reading import Reader, shared_of
from detectors.store import RiderStore
from schemas.decode import decode_lines
from stream.columns import arrivals_of
from stream.policies.calendars import window_starts
from stream.policies.limits import limits_of
from tests.detectors.test_reading import asked_of
from tests.oracle.evidence import (
    Maxima,
    Rider,
    instant,
    kind_key,
    moments_of_orders,
    order_intervals,
    read_rider,
    toggled,
)
from tests.oracle.generate import Case, Doc, make_case, utc_text
from tests.oracle.watch import Watch
from tests.oracle_cases import policy_of, settings_of

HOUR_S = 3600
MAXIMA = Maxima()
BEGINS = {"order_accepted", "order_picked_up"}
ENDS = {"order_delivered", "order_cancelled"}
ORDERS = BEGINS | ENDS
#: A doubt by what it is: kind, platform, from, to.
Plain = tuple[str, str, int, int]


def at(event: Doc) -> int:
    return instant(event["event_time"])


def case_of(seed: int) -> Case:
    """A history of a few hours with sessions of seconds, whose maxima are the ordinary ones."""
    case = make_case(seed, horizon_s=9 * HOUR_S)
    rng = random.Random(seed)
    # Few events, or no platform would ever be silent.
    events = rng.sample(case.events, k=min(len(case.events), rng.choice([10, 25, 60])))
    for one in events:
        one["platform"] = one["platform"].replace("jd", "eleme")
        if "order_id" in one:
            one["order_id"] = f"o-{int(one['order_id'][2:]) % 3}"
        elif one["type"] in ("heartbeat", "break_started", "break_ended") and rng.random() < 0.7:
            one["type"] = "online"
    for one in [one for one in events if one["type"] == "online"][::2]:
        end = {
            **one,
            "type": "offline",
            "event_id": "brief",
            "event_time": utc_text(at(one) + rng.choice([3, 10, 11])),
        }
        events.append({**end, "void": False})
    # A platform that goes silent, and an order id that is used again.
    first, silent = min(events, key=at), rng.choice([7199, 7200, 3 * HOUR_S])
    pattern = [("online", 0), ("online", silent), ("offline", silent + 900)]
    pattern += [
        ("order_accepted", 900),
        ("order_delivered", 1500),
        ("order_accepted", 4000),
        ("order_delivered", 4600),
    ]
    events += [
        {**first, "void": False, "platform": "eleme" if "order" in kind else "quiet",
         "type": kind, "order_id": "again", "event_time": utc_text(at(first) + after)}
        for kind, after in pattern
        if rng.random() < 0.95
    ]  # fmt: skip
    latest = max(at(one) for one in events)
    return replace(case, events=events, now=max(case.now, latest), maxima=MAXIMA)


def real_of(events: list[Doc]) -> list[Doc]:
    """The events that stand: no voids, and none that a void takes back."""
    voided = {kind_key(one) for one in events if one.get("void")}
    return [one for one in events if not one.get("void") and kind_key(one) not in voided]


def doubts_by_definition(events: list[Doc], *, momentary: bool = False) -> set[Plain]:
    """What is doubtful of one rider's events; ``momentary``: orders that took no time too."""
    real = real_of(events)
    found: set[Plain] = set()
    for platform in {one["platform"] for one in real}:
        own = [one for one in real if one["platform"] == platform]
        begins, ends = ({at(one) for one in own if one["type"] == kind} for kind in ("online", "offline"))
        for start, end in toggled(begins, ends, MAXIMA.session_s, 1 << 40)[0]:
            if end - start <= 10 and end in ends:
                found.add(("brief_session", platform, start, end))
            for again in (one for one in begins if start < one < end):
                last = max(at(one) for one in own if at(one) < again)
                if again - last >= 2 * HOUR_S:
                    found.add(("repeated_online", platform, last, again))
    for (platform, order), moments in moments_of_orders(Rider(1 << 40, 0, real)).items():
        own = [one for one in real if (one["platform"], one.get("order_id")) == (platform, order)]
        own = [one for one in own if one["type"] in ORDERS]
        in_hand, _, by_maximum, _ = order_intervals(Rider(1 << 40, 0, own), MAXIMA.order_s)
        stretches = sorted([*in_hand, *no_time(moments, in_hand)])
        for (_, before), (start, end) in itertools.pairwise(stretches):
            delivered = "order_delivered" in moments.get(before, set()) and before not in by_maximum
            anew = "order_accepted" in moments[start] and (delivered or start - before > MAXIMA.order_s)
            if anew and (momentary or end > start):
                found.add(("reused_order", platform, start, end))
    return found


def no_time(moments: dict[int, set[str]], in_hand: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Where an order began and ended at one instant with nothing in hand."""
    found = []
    for moment, types in moments.items():
        earlier = any(one < moment and moments[one] & BEGINS for one in moments)
        begins = "order_accepted" in types or ("order_picked_up" in types and not earlier)
        if types & ENDS and begins and not any(start < moment <= end for start, end in in_hand):
            found.append((moment, moment))
    return found


def raised_by(event: Doc, events: list[Doc]) -> set[str]:
    """The kinds of doubt that an event raises once ``events``, it among them, have arrived."""
    upto = [one for one in events if at(one) <= at(event)]
    if not any(one is event for one in real_of(upto)):
        return set()
    found = doubts_by_definition(upto, momentary=True)
    own = [one for one in found if one[1] == event["platform"]]
    ends = {"online": "repeated_online", "offline": "brief_session"}.get(event["type"])
    kinds = {kind for kind, _, _, end in own if kind == ends and end == at(event)}
    order = [one for one in upto if one.get("order_id") == event.get("order_id")]
    if event["type"] == "order_accepted":
        reused = doubts_by_definition(order, momentary=True)
        kinds |= {
            "reused_order" for kind, _, start, _ in reused if (kind, start) == ("reused_order", at(event))
        }
    return kinds


def new_store(case: Case, seal_events: int = 0) -> RiderStore:
    table = LimitTable(limits_of([policy_of(one) for one in case.policies]), window_starts)
    return RiderStore(table, settings_of(case, seal_events))


def taken_in(store: RiderStore, events: list[Doc]) -> list[set[str]]:
    arrivals = arrivals_of(decode_lines([json.dumps(one).encode() for one in events]))
    became = store.ingest(arrivals, Place(0, 1, 1, 0))
    doubts = store.doubts(arrivals, became)
    assert not doubts[became != NEW].any()
    return [
        {kind for bit, kind in enumerate(DOUBTS) if word & 1 << bit} if code == NEW else {"old"}
        for word, code in zip(doubts.tolist(), became.tolist(), strict=True)
    ]


def test_doubts_are_noted_as_events_arrive() -> None:
    seen: Counter[str] = Counter()
    for seed in range(100):
        case, rng = case_of(seed), random.Random(seed)
        store = new_store(case)
        arrived: list[Doc] = []
        # Mostly in order, as feeds are.
        left = sorted(case.events, key=lambda one: at(one) + rng.choice([0, 0, 0, 4000]))
        while left:
            chunk = left[: rng.randrange(1, 12)]
            left = left[len(chunk) :]
            arrived += chunk
            for event, kinds in zip(chunk, taken_in(store, chunk), strict=True):
                own = [one for one in arrived if one["rider_id"] == event["rider_id"]]
                assert kinds in ({"old"}, raised_by(event, own)), (seed, event)
                seen.update(kinds)
            store.judge(max(at(one) for one in arrived))
    assert min(seen[kind] for kind in ("repeated_online", "brief_session", "reused_order")) >= 10, seen


def without(events: list[Doc], doubt: Doubt, platform: str, order: str | None) -> list[Doc]:
    """The events as they were if what is doubtful had not been sent."""
    if doubt.kind == REPEATED_ONLINE:
        kept = [
            one
            for one in events
            if (one["platform"], at(one)) != (platform, doubt.start_s)
            or one["type"] not in ("online", "offline")
        ]
        missing = {"type": "offline", "platform": platform, "event_time": utc_text(doubt.start_s)}
        return [*kept, {**events[0], "void": False, **missing}]
    if doubt.kind == BRIEF_SESSION:
        within = range(doubt.start_s, doubt.end_s)
        return [
            one
            for one in events
            if (one["platform"], one["type"]) != (platform, "online") or at(one) not in within
        ]

    def belongs(one: Doc) -> bool:
        if (one["platform"], one.get("order_id")) != (platform, order) or one["type"] not in ORDERS:
            return False
        if one["type"] in BEGINS:
            return doubt.start_s <= at(one) < doubt.until_s
        return doubt.start_s < at(one) <= doubt.end_s

    return [one for one in events if not belongs(one)]


def verdict(case: Case, events: list[Doc], limit: Any, instant_s: int) -> tuple[int, bool]:
    policy = next(one for one in case.policies if f"{one['name']}@{one['version']}" == limit.policy)
    rule = next(one for one in policy["limits"] if one["name"] == limit.name)
    rider = read_rider(events, case.now, MAXIMA)
    watch = Watch(rider, policy, rule)
    watch.follow(instant_s)
    return watch.counted(instant_s), watch.fired


def test_an_explanation_names_what_is_doubtful_and_the_verdict_without_it() -> None:
    seen: Counter[str] = Counter()
    for seed in range(25):
        case, rng = case_of(seed), random.Random(seed)
        store = new_store(case)
        taken_in(store, case.events)
        store.judge(case.now)
        reader = Reader(store.limits, store.settings)
        for rider_id in ("r-0", "r-1"):
            events = [one for one in case.events if one["rider_id"] == rider_id and at(one) <= case.now]
            if not any(one["type"] != "heartbeat" for one in real_of(events)):
                continue
            # Where there is one, a limit under the clock that all kinds concern.
            indices = sorted(
                range(len(store.limits.limits)), key=lambda one: store.limits.limits[one].clock == "online"
            )
            index = indices[rng.choice([-1, -1, 0])]
            limit = store.limits.limits[index]
            begin = min(at(one) for one in events)
            span = (0, rng.randrange((begin + case.now) // 2, case.now + 1))
            question = DoubtQuestion(index, span, shared={})
            found = reader.doubts(shared_of(store.memory), case.now, asked_of([rider_id], [0]), question)
            assert found is not None
            named = {(one.name, store.platform(one.platform), one.start_s, one.end_s) for one, _ in found}
            wanted = {
                one
                for one in doubts_by_definition(events)
                if one[2] < span[1] and (limit.clock == "online" or one[0] == "reused_order")
            }
            assert named == wanted, (seed, rider_id)
            for doubt, told in found:
                platform = store.platform(doubt.platform)
                order = order_of(events, doubt, platform)
                expected = verdict(case, without(events, doubt, platform, order), limit, span[1])
                assert (told.counted_s, told.reached) == expected, (seed, rider_id, limit, doubt)
                seen[doubt.name] += 1
    assert min(seen[kind] for kind in DOUBTS[:3]) >= 5, seen


def order_of(events: list[Doc], doubt: Doubt, platform: str) -> str | None:
    """The order that is accepted anew where the doubt begins."""
    orders = {
        one["order_id"]
        for one in real_of(events)
        if one["type"] == "order_accepted" and one["platform"] == platform and at(one) == doubt.start_s
    }
    for order in sorted(orders):
        own = [one for one in events if one.get("order_id") == order and one["platform"] == platform]
        if any(one[2:] == (doubt.start_s, doubt.end_s) for one in doubts_by_definition(own)):
            return str(order)
    return None
