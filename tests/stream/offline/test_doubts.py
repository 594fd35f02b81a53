"""What a person is told of a run: doubtful times, bad lines without end, what workers will refuse."""

from __future__ import annotations

import time

import numpy as np
import pytest

from stream.offline.bad_lines import BadLine, BadLines
from stream.offline.far_ahead import LatestEvents
from stream.offline.refusals_ahead import RefusalsAhead, WorkersClock
from stream.offline.replay import doubted

DAY_S = 86_400
NOON_S = 1_795_406_400


def latest(*batches: list[int]) -> LatestEvents:
    seen = LatestEvents()
    for number, batch in enumerate(batches):
        lines = list(range(1, len(batch) + 1))
        seen.take(f"file{number}", lines, np.array(batch, dtype=np.int64))
    return seen


def test_an_event_of_another_year_is_named_with_the_as_of_that_leaves_it_out() -> None:
    doubt = latest([NOON_S, NOON_S + 60], [NOON_S + 30, NOON_S + 19 * 366 * DAY_S]).doubt()
    assert doubt is not None
    said = doubted(doubt)
    assert said.startswith("file1:2: an event of 2045-12-07T04:00:00Z, 6953 days after all others: ")
    assert said.endswith("--as-of 2026-11-23T04:01:00Z leaves it out")


@pytest.mark.parametrize("gap_s", [0, 1, DAY_S])
def test_a_gap_of_a_day_at_most_is_not_said(gap_s: int) -> None:
    assert latest([NOON_S, NOON_S + gap_s]).doubt() is None


def test_a_gap_of_more_than_a_day_before_the_latest_event_is() -> None:
    assert latest([NOON_S, NOON_S + DAY_S + 1]).doubt() is not None


def test_a_few_among_many_are_doubtful_and_a_history_with_a_weekend_is_not() -> None:
    many = [NOON_S + n for n in range(1000)]
    late = [NOON_S + 30 * DAY_S + n for n in range(3)]
    doubt = latest(many, late).doubt()
    assert doubt is not None
    assert (doubt.events, doubt.first.line, doubt.before_s) == (3, 1, NOON_S + 999)
    assert latest(many, [NOON_S + 3 * DAY_S + n for n in range(1000)]).doubt() is None
    assert latest([]).doubt() is None


def told(reasons: list[str], *, all_errors: bool = False) -> list[str]:
    said: list[str] = []
    bad = BadLines(all_errors=all_errors, tell=said.append)
    for number, reason in enumerate(reasons, start=1):
        bad.add(BadLine("f", number, reason, "why"))
    assert len(bad) == len(reasons)
    bad.report()
    return said


def test_up_to_a_hundred_bad_lines_are_all_shown_with_their_tally() -> None:
    said = told(["invalid"] * 60 + ["malformed"] * 40)
    assert said[0] == "f:1: invalid: why"
    assert said[99] == "f:100: malformed: why"
    assert said[100:] == ["100 lines refused: 60 invalid, 40 malformed"]
    assert told([]) == []


def test_of_more_the_first_ten_of_each_reason_are_shown_in_their_order() -> None:
    said = told(["invalid"] * 500 + ["malformed"] * 11 + ["too_large"] * 2)
    shown = [f"f:{n}: invalid: why" for n in range(1, 11)]
    shown += [f"f:{n}: malformed: why" for n in range(501, 511)]
    shown += ["f:512: too_large: why", "f:513: too_large: why"]
    assert said[:-1] == shown
    assert said[-1] == (
        "513 lines refused: 500 invalid, 11 malformed, 2 too_large (the first 10 of each reason are shown; "
        "--all-errors shows all)"
    )


def test_all_are_shown_as_they_come_when_asked_for() -> None:
    said = told(["invalid"] * 500, all_errors=True)
    assert len(said) == 501
    assert said[-1] == "500 lines refused: 500 invalid"


def ahead(clock: WorkersClock, *event_s: int, lateness_s: int = DAY_S) -> RefusalsAhead:
    found = RefusalsAhead(clock, lateness_s)
    found.take(np.array(event_s, dtype=np.int64), np.zeros(len(event_s), dtype=np.int64))
    return found


def test_an_old_history_for_workers_on_the_wall_clock_is_said_and_no_success() -> None:
    now_s = int(time.time())
    found = ahead(WorkersClock(seen=True, on_wall=True), now_s - DAY_S - 60, now_s - DAY_S + 60, now_s + 400)
    assert (found.too_late, found.future, found.certain) == (1, 1, True)
    late, future = found.sentences(3)
    assert late.startswith("1 of 3 events lie more back than the lateness allowed (1d), the oldest at ")
    assert "the workers will refuse them as too_late. A recorded history is for `respite replay`" in late
    assert future.startswith("1 of 3 events lie more than 5 min after this machine's clock")


def test_where_no_worker_was_seen_it_is_said_and_nothing_is_certain() -> None:
    found = ahead(WorkersClock(seen=False, on_wall=True), NOON_S - 400 * DAY_S)
    assert (found.too_late, found.certain) == (1, False)
    assert "a worker on the wall clock will refuse them" in found.sentences(1)[0]


def test_on_the_events_clock_lateness_is_measured_by_what_was_read_before() -> None:
    clock = WorkersClock(seen=False, on_wall=False, now_s={0: NOON_S})
    assert ahead(clock, NOON_S - DAY_S, NOON_S + 10).too_late == 0
    assert ahead(clock, NOON_S - DAY_S - 1).too_late == 1
    assert ahead(clock, NOON_S + 2 * DAY_S, NOON_S).too_late == 1
    assert ahead(WorkersClock(seen=False, on_wall=False), NOON_S, NOON_S + 1).sentences(2) == []
