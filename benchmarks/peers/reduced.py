"""The job that every engine is given: two limits on the clock of orders, far less than Respite does.

An order runs from ``order_accepted`` to ``order_delivered`` or ``order_cancelled``. A rider's clock runs
while he has an order.

- *continuous*: 4 h since his last rest of 20 min without an order;
- *day*: 8 h in a day of UTC+8.

An alert is told at the first event by which a limit has been reached, once until the rest, once a day.
No union of sessions, no lateness, no silence, no warnings, holds, evidence or retraction.

`alerts_of` is the oracle, from the whole history; `Rider` is the same for the engines in Python, event by
event. Neither knows the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

CONTINUOUS_S, DAY_S, REST_S = 4 * 3600, 8 * 3600, 20 * 60
OFFSET_S, WHOLE_DAY_S = 8 * 3600, 86_400
BEGINS, ENDS = "order_accepted", ("order_delivered", "order_cancelled")


class Event(NamedTuple):
    """What the job looks at; ``at_s`` is epoch seconds."""

    rider: str
    at_s: int
    kind: str
    order: str


Alert = tuple[str, str, int]


def alerts_of(events: Iterable[Event]) -> set[Alert]:
    """Rider, limit and second of every alert; the events of each rider in the order of the topic."""
    mine: dict[str, list[Event]] = defaultdict(list)
    for one in events:
        mine[one.rider].append(one)
    return {(rider, limit, at_s) for rider, found in mine.items() for limit, at_s in _of_rider(found)}


def _of_rider(events: list[Event]) -> Iterable[tuple[str, int]]:
    worked: list[tuple[int, int]] = []
    open_orders: set[str] = set()
    for index, one in enumerate(events):
        if open_orders:
            # One that lasts no second ends a rest all the same.
            worked.append((events[index - 1].at_s, one.at_s))
        if one.kind == BEGINS:
            open_orders.add(one.order)
        elif one.kind in ENDS:
            open_orders.discard(one.order)
    yield from (("continuous", at_s) for at_s in _firsts(_shifts(worked), CONTINUOUS_S))
    yield from (("day", at_s) for at_s in _firsts(_days(worked), DAY_S))


def _shifts(worked: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    found: list[list[tuple[int, int]]] = []
    for begin, end in worked:
        if not found or begin - found[-1][-1][1] >= REST_S:
            found.append([])
        found[-1].append((begin, end))
    return found


def _days(worked: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """All that ends on a day counts to it, as the engines have it."""
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for begin, end in worked:
        found[(end + OFFSET_S) // WHOLE_DAY_S].append((begin, end))
    return list(found.values())


def _firsts(groups: Iterable[list[tuple[int, int]]], amount_s: int) -> Iterable[int]:
    for group in groups:
        total = 0
        for begin, end in group:
            total += end - begin
            if total >= amount_s:
                yield end
                break


class Rider:
    """One rider's state, event by event; `state` is plain JSON."""

    def __init__(self, state: dict[str, Any] | None = None) -> None:
        self.state = state or {"at": 0, "open": [], "rest": 0, "shift": 0, "day": 0, "today": 0, "told": []}

    def take(self, one: Event) -> list[Alert]:
        """Take the next event; what is told of it."""
        state, found = self.state, []
        if state["open"] and one.at_s > state["at"]:
            passed_s = one.at_s - state["at"]
            today = (one.at_s + OFFSET_S) // WHOLE_DAY_S
            if today != state["today"]:
                state.update(today=today, day=0)
            for limit, word, amount_s in (("continuous", "shift", CONTINUOUS_S), ("day", "day", DAY_S)):
                before, state[word] = state[word], state[word] + passed_s
                if before < amount_s <= state[word]:
                    found.append((one.rider, limit, one.at_s))
        if one.kind == BEGINS and one.order not in state["open"]:
            if not state["open"] and one.at_s - state["rest"] >= REST_S:
                state["shift"] = 0
            state["open"].append(one.order)
        elif one.kind in ENDS and one.order in state["open"]:
            state["open"].remove(one.order)
            if not state["open"]:
                state["rest"] = one.at_s
        state["at"] = one.at_s
        return found
