"""Facts worked out by hand beyond the examples; times are of one day in Shanghai."""

from __future__ import annotations

from typing import Any

import pytest

from . import judge
from .examples import Example, brief, clock_s, events, expected, policy
from .timeline import instant_s
from .windows import local, window

HOLD = "c continuous order limit=10min reset=5min effect=hold"
FACTS: dict[str, tuple[Example, dict[str, Any]]] = {
    "at its maximum an order has ended, and only an acceptance begins it anew": (
        Example(
            ["c continuous order limit=15min reset=20min effect=remind"],
            "10:00 A acc 1; 10:10 A pick 1; 10:12 A acc 1; 10:30 A del 1",
            "11:00",
            ["10:17 limit_reached c 900"],
        ),
        {"max_open_order_s": 600},
    ),
    "an end before any beginning counts nothing, so a pick-up may begin the order": (
        Example(
            ["c continuous order limit=15min reset=20min effect=remind"],
            "09:50 A del 1; 10:00 A pick 1; 10:30 A del 1",
            "11:00",
            ["10:15 limit_reached c 900"],
        ),
        {},
    ),
    "an order that begins and ends at once is no time but breaches": (
        Example(
            [HOLD],
            "10:00 A acc 1; 10:12 A del 1; 10:13 B acc 2; 10:13 B del 2",
            "10:20",
            [
                "10:10 limit_reached c 600 until 10:15",
                "10:13 hold_breached c 720 until 10:17 by B",
                "10:17 hold_released c 600 until 10:17",
            ],
        ),
        {},
    ),
    "an order accepted at the end of a hold does not breach it": (
        Example(
            [HOLD],
            "10:00 A acc 1; 10:12 A del 1; 10:17 B acc 2",
            "10:20",
            ["10:10 limit_reached c 600 until 10:15", "10:17 hold_released c 600 until 10:17"],
        ),
        {},
    ),
    "a confirmation at the very instant ends the hold there": (
        Example(
            ["c continuous order limit=10min reset=5min effect=confirm"],
            "10:00 A acc 1; 10:10 B hb confirmed; 10:12 A acc 2; 10:20 A del 1; 10:20 A del 2",
            "10:24",
            ["10:10 limit_reached c 600", "10:10 hold_released c 600 until 10:10"],
        ),
        {},
    ),
    "a trailing window is reached again after it has been below": (
        Example(
            ["r rolling order limit=10min window=20min effect=hold"],
            "10:00 A acc 1; 10:10 A del 1; 10:25 A acc 2; 10:40 A del 2",
            "11:00",
            [
                "10:10 limit_reached r 600",
                "10:20:01 hold_released r 600 until 10:20:01",
                "10:35 limit_reached r 600",
                "10:50:01 hold_released r 600 until 10:50:01",
            ],
        ),
        {},
    ),
    "an offline ends a break, and the next session counts": (
        Example(
            ["o day online limit=20min effect=remind"],
            "10:00 A on; 10:05 A b+; 10:10 A off; 10:20 A on; 11:00 A off",
            "11:00",
            ["10:35 limit_reached o 1200"],
        ),
        {},
    ),
    "an elapsed hold ends before the same instant begins another": (
        Example(
            ["r rolling order limit=10min window=10min effect=hold release=elapsed hold_for=20min"],
            "10:00 A acc 1; 10:19 A del 1; 10:20 A acc 2; 10:40 A del 2",
            "10:32",
            [
                "10:10 limit_reached r 600 until 10:30",
                "10:20 hold_breached r 540 until 10:30 by A",
                "10:30 hold_released r 600 until 10:30",
                "10:30 limit_reached r 600 until 10:50",
            ],
        ),
        {},
    ),
}


@pytest.mark.parametrize("fact", FACTS)
def test_the_oracle_knows_the_fact(fact: str) -> None:
    example, settings = FACTS[fact]
    result = judge(events(example), [policy(example)], clock_s(example.now), **settings)
    assert sorted(map(brief, result.alerts), key=str) == sorted(expected(example), key=str)


def status(example: Example) -> dict[str, Any]:
    (only,) = judge(events(example), [policy(example)], clock_s(example.now)).statuses
    return only


def test_a_status_names_the_hold_that_ends_last_and_else_what_is_reached_next() -> None:
    work = "10:00 A acc 1; 10:12 A del 1"
    held = status(
        Example([HOLD, HOLD.replace("c ", "d ", 1) + " release=elapsed hold_for=9min"], work, "10:13", [])
    )
    assert (held["status"], held["limit"], held["hold_until"], held["remaining_s"]) == (
        "hold",
        "d",
        "2026-11-23T02:19:00Z",
        0,
    )
    clear = status(Example(["a day order limit=1h effect=remind", HOLD], work, "10:17", []))
    assert (clear["status"], clear["limit"], clear["policy"], clear["remaining_s"]) == (
        "clear",
        "c",
        "p@1",
        600,
    )
    done = status(Example(["a day order limit=10min warn=1min effect=remind"], work, "10:17", []))
    assert (done["status"], done["limit"], done["policy"], done["remaining_s"]) == (
        "approaching",
        None,
        None,
        None,
    )


def test_what_is_open_or_ended_by_its_maximum_is_estimated() -> None:
    for work, estimated in (("10:00 A acc 1", True), ("10:00 A acc 1; 13:00 A del 1", False)):
        for now in ("12:30", "14:00"):
            example = Example(["c continuous order limit=2h reset=5min effect=remind"], work, now, [])
            (told,) = judge(events(example), [policy(example)], clock_s(now)).alerts
            assert told["estimated"] == (estimated or now == "12:30")


def test_a_day_begins_at_the_first_instant_of_its_date_even_when_the_clocks_go_back_over_it() -> None:
    assert window("day", "America/St_Johns", instant_s("2010-11-07T03:00:00Z")) == (
        instant_s("2010-11-07T02:30:00Z"),
        instant_s("2010-11-08T03:30:00Z"),
    )
    assert local("America/St_Johns", instant_s("2010-11-07T03:00:00Z")) == "2010-11-06T23:30:00-03:30"
    assert window("day", "America/Sao_Paulo", instant_s("2018-11-04T12:00:00Z"))[0] == instant_s(
        "2018-11-04T03:00:00Z"
    )
    start, end = window("week", "America/New_York", instant_s("2026-03-08T12:00:00Z"))
    assert (local("America/New_York", start), end - start) == ("2026-03-02T00:00:00-05:00", 7 * 86400 - 3600)


def test_a_window_that_begins_at_the_breach_shows_no_evidence() -> None:
    example = Example(
        ["n day order limit=10min effect=hold release=elapsed hold_for=1h"],
        "23:40 A acc 1; 24:00 B acc 2; 24:10 A del 1; 24:10 B del 2",
        "24:05",
        [],
    )
    result = judge(events(example), [policy(example)], clock_s(example.now))
    (breach,) = (alert for alert in result.alerts if alert["kind"] == "hold_breached")
    assert breach["window"]["start"] == breach["window"]["end"] == breach["event_time"]
    assert (breach["counted_s"], breach["evidence"], breach["estimated"]) == (0, [], False)


def test_a_span_resumed_after_its_limit_and_its_first_reminder_tells_the_limit_alone() -> None:
    example = Example(
        ["s span order limit=20min reset=30min remind=5min effect=remind"],
        "10:00 A acc 1; 10:05 A del 1; 10:31 A acc 2; 10:36 A del 2",
        "10:40",
        ["10:31 limit_reached s 1860", "10:35 reminder s 2100"],
    )
    result = judge(events(example), [policy(example)], clock_s(example.now))
    assert sorted(map(brief, result.alerts), key=str) == sorted(expected(example), key=str)
