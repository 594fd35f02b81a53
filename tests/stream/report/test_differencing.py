"""Two reports, or two exports, of two days: what the later one has more tells of no single rider."""

from __future__ import annotations

import csv
import itertools
import random
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from stream.api.history import views
from stream.api.history.tables import CLOSES_AFTER_S, HOUR_S, History, Told as Counted
from stream.cli.main import app
from tests.stream.ledger.records import alert, read, seen_by, small_ledger, told
from tests.stream.report.test_report import LATER_MS, WEEK

RIDERS = 40
DAY_MS = 86_400_000


def hold(rider: int) -> dict[str, Any]:
    begun = f"2026-11-29T{10 + rider % 10}:{rider:02d}:00+08:00"
    return {"from": begun, "until": None, "release": "rest", "told_at": begun}


def begins(rider: int) -> dict[str, Any]:
    return alert(f"h{rider}", rider=f"r{rider}", event_time=hold(rider)["from"], hold=hold(rider))


def ends(rider: int, at: str) -> dict[str, Any]:
    return alert(f"e{rider}", "hold_released", f"r{rider}", event_time=at, hold={**hold(rider), "until": at})


def breach(rider: int, at: str) -> dict[str, Any]:
    return alert(f"b{rider}", "hold_breached", f"r{rider}", event_time=at, hold=hold(rider), platform="alpha")


def report(folder: Path, reader: str) -> list[dict[str, str]]:
    """The rows of the table, but for what they rest on: the record has grown."""
    table = folder / "r.csv"
    command = ["report", "--week", WEEK, "--ledger", str(folder / "ledger"), "--csv", str(table)]
    command += ["--html", str(folder / "r.html"), *(["--for", reader] if reader else [])]
    answer = CliRunner().invoke(app, command)
    assert answer.exit_code == 0, answer.output
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    return [{name: row[name] for name in ("figure", "of", "value")} for row in rows]


@pytest.mark.parametrize("reader", ["regulator", ""], ids=["regulator", "operator"])
def test_the_report_of_a_day_later_says_the_same_of_the_week(tmp_path: Path, reader: str) -> None:
    # On Monday evening, which is Monday everywhere: the holds that last so long are the week's.
    after = "2026-12-01T20:00:00+08:00"
    ledger = small_ledger(tmp_path, "alpha")
    ledger.begin({(topic, 0): 0 for topic in ledger.topics}, [], LATER_MS)
    whole = [begins(rider) for rider in range(RIDERS)]
    whole += [ends(rider, "2026-11-29T23:00:00+08:00") for rider in range(25)]
    whole += [breach(rider, "2026-11-29T22:00:00+08:00") for rider in range(12)]
    ledger.take(read(told(whole), seen_by("alpha", whole)), LATER_MS)
    first = report(tmp_path, reader)
    assert {"figure": "holds", "of": "", "value": str(RIDERS)} in first
    assert {"figure": "holds_open", "of": "", "value": "15"} in first
    # One rider's hold ends, and another's is breached: the difference of two days would say so.
    more, at = [ends(30, after), breach(31, after)], 2 * len(whole)
    ledger.take(read(told(more, first=at), seen_by("alpha", more, first=at)), LATER_MS + DAY_MS)
    assert report(tmp_path, reader) == first


def hours(history: History) -> dict[str, dict[str, Any]]:
    return {one["start"]: one for one in views.for_regulator(history, [], 8 * 24)["hours"]}


def test_the_export_of_a_day_later_has_whole_hours_more_and_changes_none_that_was_shown() -> None:
    rng = random.Random(5)
    begin_s = 1_800_000_000 // HOUR_S * HOUR_S
    history = History("x")
    seen: dict[str, dict[str, Any]] = {}
    for day in range(2):
        for _ in range(4000):
            kind = rng.choice(["limit_reached"] * 3 + ["hold_breached"])
            at_s = begin_s + day * 86_400 + rng.randrange(86_400)
            # Late evidence of the day before comes too.
            late_s = at_s - 86_400 if day and rng.random() < 0.2 else at_s
            platform = rng.choice("AAB") if kind == "hold_breached" else None
            rider, zone = f"r{rng.randrange(90)}", f"z{rng.randrange(4)}"
            one = Counted(kind, late_s, rider, "p@1/l", zone, platform, late_s)
            history.count(one)
            history.count_platforms(one, ["A", "B"])
        history.close(begin_s + (day + 1) * 86_400 + CLOSES_AFTER_S)
        shown = hours(history)
        assert {name: shown[name] for name in seen} == seen
        assert len(shown) == len(seen) + 24
        seen = shown


def test_two_windows_of_one_export_differ_by_whole_hours() -> None:
    """`hours=24` less `hours=23` is one hour as it is shown, small cells hidden like everywhere."""
    history = History("x")
    begin_s = 1_800_000_000 // HOUR_S * HOUR_S
    for hour in range(30):
        for rider in range(3 if hour == 6 else 30):
            history.count(
                Counted("limit_reached", begin_s + hour * HOUR_S, f"r{rider}", "p@1/l", "z", None, 1)
            )
    history.close(begin_s + 40 * HOUR_S)
    windows = [views.for_regulator(history, [], number)["hours"] for number in range(1, 31)]
    for shorter, longer in itertools.pairwise(windows):
        assert longer[1:] == shorter
    (few,) = [one for one in windows[-1] if one["kinds"]["limit_reached"] < 0]
    assert few["zones"] == {"z": -1}
