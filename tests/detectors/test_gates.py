"""What is on in a zone, from packed announcements, against looking at every message at every second."""

from __future__ import annotations

import itertools

from hypothesis import given, settings, strategies as st

from detectors.calendar import hours_of_day, hours_on_dates
from detectors.conditions import Announcement, Conditions, matches
from detectors.kernels.evidence.arrivals import Place
from detectors.kernels.layout.values import INF, NONE
from detectors.kernels.limits import gates
from detectors.limits import Limit, LimitTable
from detectors.pages import definition
from detectors.settings import StoreSettings
from detectors.store import RiderStore
from schemas.decode import decode_lines
from stream.columns import arrivals_of
from stream.policies.calendars import window_starts
from stream.policies.limits import limits_of
from stream.policies.loader import load
from tests.oracle.windows import hours_between

SECONDS = range(40)
ZONES = ["a", "ab", "b"]
LEADS = (1, 3, 7)
DAY_S = 86_400

one_announcement = st.builds(
    lambda number, name, zones, start, length, announced, void: Announcement(
        f"c{number}", name, zones, start, start + length, announced, void=void, value=b"%d" % start
    ),
    number=st.integers(0, 2),
    name=st.sampled_from(["heat", "curfew"]),
    zones=st.sampled_from([("a",), ("a*",), ("b", "ab"), ("*",), ("c",)]),
    start=st.integers(0, 35),
    length=st.integers(1, 20),
    announced=st.integers(0, 39),
    void=st.booleans(),
)


def on_at(messages: list[Announcement], zone: str | None, at: int, known_at: int) -> bool:
    """By the definition: the newest version of some id, known by then, is on there."""
    for number in {one.condition_id for one in messages}:
        known = [one for one in messages if one.condition_id == number and one.announced_s <= known_at]
        if not known or zone is None:
            continue
        newest = max(known, key=lambda one: (one.announced_s, one.value))
        is_on = newest.condition == "heat" and not newest.void and newest.from_s <= at < newest.until_s
        if is_on and matches(newest.zones, zone):
            return True
    return False


@settings(max_examples=60, deadline=None)
@given(st.lists(one_announcement, max_size=7), st.randoms(use_true_random=False))
def test_gates_say_what_every_message_at_every_second_says(
    messages: list[Announcement], order: object
) -> None:
    order.shuffle(messages)  # type: ignore[attr-defined]
    # Under one key only one message can be: the last by its bytes is in force.
    unique = list({(one.condition_id, one.announced_s, one.value): one for one in messages}.values())
    conditions = Conditions()
    for one in [*unique, *unique[:2]]:
        conditions.add(one)
    limit = Limit("p@1", "l", "ban", "online", 0, "UTC", condition="heat", warn_before_s=LEADS)
    table = LimitTable([limit], window_starts)
    made = table.gates()
    made.enter(ZONES[:1])
    made.tell(conditions)
    made.enter(ZONES[1:])
    packed = table.packed._replace(**made.arrays())
    for zone, at in itertools.product(range(NONE, len(ZONES)), SECONDS):
        name = ZONES[zone] if zone != NONE else None
        on = [on_at(unique, name, t, t) for t in range(-5, 80)]
        known = [on_at(unique, name, t, at) for t in range(-5, 80)]
        assert gates.is_on(packed, 0, zone, at) == on[at + 5]
        if on[at + 5]:
            assert gates.known_end(packed, 0, zone, at) == at + known[at + 5 :].index(False)
            begun = at - on[: at + 6][::-1].index(False) + 1
            assert gates.begun_at(packed, gates.set_of(packed, 0, zone), at) == begun
        begins = [t for t in range(at + 1, 75) if known[t + 5] and not known[t + 4]]
        told = [index for index, lead in enumerate(LEADS) if at + lead in begins]
        assert gates.lead_told_at(packed, 0, zone, at) == (min(told) if told else NONE)
        for lead in LEADS:
            near = any(known[t + 5] for t in range(at, at + lead + 1))
            assert gates.is_near(packed, 0, zone, at, lead) == near
        turn = gates.next_turn(packed, 0, zone, at)
        assert turn > at
        assert on[at + 5 : min(turn, 75) + 5] == [on[at + 5]] * (min(turn, 75) - at)
        following = gates.next_lead(packed, 0, zone, at)
        assert following == min((t - lead for t in begins for lead in LEADS if t - lead > at), default=INF)


def test_hours_on_dates_are_those_of_the_hours_that_lie_on_them() -> None:
    zone, dates = "Europe/Athens", ("06-01", "09-15")
    found = hours_on_dates(zone, 22 * 3_600, 2 * 3_600, *dates)
    first = 1_748_725_200  # 2025-06-01T00:00:00+03:00
    last = first + 107 * DAY_S  # 2025-09-16T00:00:00+03:00
    near = [(start, end) for start, end in found.tolist() if first - DAY_S < start < last + DAY_S]
    wanted = hours_between(["22:00", "02:00"], zone, first, last)
    cut = [(max(start, first), min(end, last)) for start, end in wanted]
    assert near == [(start, end) for start, end in cut if start < end]
    assert near[0] == (first, first + 2 * 3_600)
    assert near[-1] == (last - 2 * 3_600, last)


def test_dates_go_over_the_new_year_and_all_of_it_is_every_day() -> None:
    hours = hours_of_day("UTC", 0, 3_600)
    winter = hours_on_dates("UTC", 0, 3_600, "11-01", "02-29")
    summer = hours_on_dates("UTC", 0, 3_600, "03-01", "10-31")
    assert len(winter) + len(summer) == len(hours)
    assert hours_on_dates("UTC", 0, 3_600, "01-01", "12-31").tolist() == hours.tolist()


def test_checkpoints_of_limits_that_are_always_on_stay_good_and_those_of_others_tell_them_apart() -> None:
    """What packed riders depend on had this digest before limits could be on and off."""
    named = [load(name) for name in ("cn-gbt-2025", "jp-2024", "eu-working-time")]
    before = definition(LimitTable(limits_of(named), window_starts), StoreSettings())
    assert before == "1bf568ab685f4fadf4583051b7c97c3d"
    digests = set()
    for more in ({"condition": "heat"}, {"condition": "cold"}, {"between_s": (0, 60), "zones": ("a",)}):
        limit = Limit("p@1", "l", "ban", "online", 0, "UTC", **more)
        digests.add(definition(LimitTable([limit], window_starts), StoreSettings()))
    assert len(digests) == 3


def test_which_zones_are_under_a_condition_now_is_said() -> None:
    limit = Limit("p@1", "l", "ban", "online", 0, "UTC", condition="heat")
    store = RiderStore(LimitTable([limit], window_starts), StoreSettings(seal_events=0))
    for number, zone in enumerate(ZONES):
        event = (
            b'{"schema":"work-state/1","event_id":"e","rider_id":"r%d","platform":"p","zone":"%s",'
            b'"event_time":"2026-01-01T08:00:00Z","type":"online"}'
        )
        store.ingest(arrivals_of(decode_lines([event % (number, zone.encode())])), Place(0, 1, 1, 0))
    at = 1_767_254_400
    store.judge(at)
    assert store.zones_under() == {"heat": set()}
    touched = store.announce([Announcement("c", "heat", ("a*",), at - 60, at + 60, at)])
    store.judge(at)
    assert (touched, store.zones_under()) == (2, {"heat": {"a", "ab"}})
    assert store.announce([Announcement("c", "heat", ("b",), at - 60, at + 60, at + 5)]) == 3
    store.judge(at + 5)
    assert store.zones_under() == {"heat": {"b"}}
