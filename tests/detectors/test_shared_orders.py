"""Orders that two riders have at once, against a list of who has what."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from detectors.kernels.doubts.shared_orders import HANDOVER_S
from detectors.kernels.layout.codes import SHARED_ORDER
from detectors.settings import StoreSettings
from detectors.shared_orders import SharedOrders
from schemas.decode import decode_lines
from schemas.instants import parse_instant
from stream.columns import arrivals_of
from stream.output.alert_json import utc

BEGIN_S = parse_instant("2026-11-23T08:00:00+08:00")
LONGEST_S = 10_800
FOREVER = 1 << 60
Event = dict[str, Any]


def event(rider: str, kind: str, at_s: int, *, order: str = "o", void: bool = False) -> Event:
    return {
        "schema": "work-state/1", "event_id": "e", "rider_id": rider, "platform": "A", "order_id": order,
        "event_time": utc(BEGIN_S + at_s), "type": f"order_{kind}", "void": void,
    }  # fmt: skip


class Watched:
    """The memory of orders, and what it says of chunks."""

    def __init__(self, most: int = 1 << 10) -> None:
        self.orders = SharedOrders(StoreSettings(), most)

    def take(self, events: list[Event]) -> tuple[list[int], list[tuple[int, int]]]:
        """Places of the events that are noted, and stretches of two riders."""
        arrivals = arrivals_of(decode_lines([json.dumps(one).encode() for one in events]))
        doubts = np.zeros(len(events), dtype=np.uint8)
        pairs = self.orders.note(arrivals, np.zeros(len(events), dtype=np.uint8), doubts)
        assert set(doubts.tolist()) <= {0, 1 << SHARED_ORDER}
        stretches = [(first - BEGIN_S, last - BEGIN_S) for _, first, last in pairs.tolist()]
        return np.flatnonzero(doubts).tolist(), stretches


def test_an_order_that_two_riders_have_is_noted_once_when_one_of_them_ends_it() -> None:
    watched = Watched()
    assert watched.take([event("r1", "accepted", 0), event("r2", "accepted", 600)]) == ([], [])
    # The first rider's cancellation never came.
    assert watched.take([event("r2", "delivered", 1800)]) == ([0], [(600, 1800)])
    assert watched.take([event("r1", "delivered", 2400)]) == ([], [])


def test_an_order_taken_from_one_rider_and_given_to_another_is_none_of_two() -> None:
    watched = Watched()
    handed_over = [
        event("r1", "accepted", 0),
        event("r1", "cancelled", 600),
        event("r2", "accepted", 600 - HANDOVER_S),
        event("r2", "delivered", 1800),
    ]
    assert watched.take(handed_over) == ([], [])


def test_what_is_longer_ago_than_an_order_may_last_is_no_longer_in_hand() -> None:
    watched = Watched()
    late = LONGEST_S + 10
    assert watched.take(
        [event("r1", "accepted", 0), event("r2", "accepted", late), event("r2", "delivered", late + 900)]
    ) == ([], [])


def test_an_acceptance_taken_back_is_none() -> None:
    watched = Watched()
    events = [
        event("r1", "accepted", 0),
        event("r2", "accepted", 60),
        event("r1", "accepted", 0, void=True),
        event("r2", "delivered", 900),
    ]
    assert watched.take(events) == ([], [])


def test_a_full_memory_forgets_the_order_begun_longest_ago() -> None:
    watched = Watched(most=4)
    watched.take([event("r1", "accepted", number, order=f"o{number}") for number in range(5)])
    both = [
        [event("r2", "accepted", 99, order=name), event("r2", "delivered", 900, order=name)]
        for name in ("o4", "o0")
    ]
    assert [watched.take(one)[0] for one in both] == [[1], []]


@dataclass
class Naive:
    """The definition, for few orders: of each the two riders who began it last."""

    held: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    noted: set[str] = field(default_factory=set)

    def take(self, one: Event) -> tuple[int, int] | None:
        order, rider, at_s = one["order_id"], one["rider_id"], parse_instant(one["event_time"]) - BEGIN_S
        kind = one["type"].removeprefix("order_")
        riders = self.held.setdefault(order, {})
        mine = riders.get(rider)
        if one["void"]:
            if mine is not None and kind in ("accepted", "picked_up") and mine[0] == at_s:
                del riders[rider]
            elif mine is not None and kind in ("delivered", "cancelled") and mine[1] == at_s:
                mine[1] = FOREVER
        elif kind in ("accepted", "picked_up"):
            self._begin(riders, order, rider, at_s, accepted=kind == "accepted")
        elif mine is not None and at_s >= mine[0]:
            mine[1] = min(mine[1], at_s)
            return self._both(riders, order)
        return None

    def _begin(
        self, riders: dict[str, list[int]], order: str, rider: str, at_s: int, *, accepted: bool
    ) -> None:
        mine = riders.get(rider)
        if mine is not None and at_s < mine[1]:
            mine[0] = min(mine[0], at_s)
        elif mine is None or accepted:
            if mine is None and len(riders) == 2:
                del riders[min(riders, key=lambda name: riders[name][0])]
            riders[rider] = [at_s, FOREVER]
            self.noted.discard(order)

    def _both(self, riders: dict[str, list[int]], order: str) -> tuple[int, int] | None:
        if len(riders) < 2 or order in self.noted:
            return None
        start = max(begin for begin, _ in riders.values())
        end = min(min(last, begin + LONGEST_S) for begin, last in riders.values())
        if end - start <= HANDOVER_S:
            return None
        self.noted.add(order)
        return start, end


@pytest.mark.parametrize("seed", range(40))
def test_a_feed_is_noted_as_the_definition_says(seed: int) -> None:
    rng = random.Random(seed)
    kinds = ["accepted"] * 4 + ["picked_up", "delivered", "delivered", "cancelled"]
    watched, naive = Watched(), Naive()
    times = sorted(rng.sample(range(0, 6 * 3600, 30), k=120))
    events = [
        event(
            f"r{rng.randrange(3)}",
            rng.choice(kinds),
            at_s,
            order=f"o{rng.randrange(4)}",
            void=rng.random() < 0.1,
        )
        for at_s in times
    ]
    noted = 0
    while events:
        chunk = events[: rng.randrange(1, 9)]
        events = events[len(chunk) :]
        wanted = [naive.take(one) for one in chunk]
        places, stretches = watched.take(chunk)
        assert places == [index for index, one in enumerate(wanted) if one is not None]
        assert stretches == [one for one in wanted if one is not None]
        noted += len(places)
    assert noted
