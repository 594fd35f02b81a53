"""What policies would have done, against a count of every second; and the command that says it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from stream.offline.bad_lines import BadLines
from stream.offline.compare import compare
from stream.offline.compare_page import page
from stream.offline.compare_report import document
from tests.oracle.evidence import instant, read_rider
from tests.oracle.generate import Case, make_case
from tests.oracle.judge import Settings, breaches, resting
from tests.oracle.watch import Watch
from tests.oracle_cases import policy_of, settings_of
from tests.stream.offline.test_replay import EXAMPLE, respite

Doc = dict[str, Any]


@dataclass
class Counted:
    """What the seconds of one policy come to."""

    holds: set[tuple[str, str, int]] = field(default_factory=set)
    reached: Counter[str] = field(default_factory=Counter)
    on_hold: set[tuple[str, int]] = field(default_factory=set)
    above: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)


def count_rider(name: str, events: list[Doc], policy: Doc, case: Case, into: Counted) -> None:
    """Second by second: whether a hold is on, and whether the clock runs at or above a limit."""
    rider = read_rider(events, case.now, case.maxima, 1)
    watches = [Watch(rider, policy, limit, regardless=True) for limit in policy["limits"]]
    confirmed = {instant(event["event_time"]) for event in rider.real if event.get("confirmed")}
    for t, rests in resting(rider, case.now):
        for watch in watches:
            limit = watch.limit["name"]
            told = [*watch.step(t, rests[watch.reset_clock])]
            if watch.hold is not None:
                into.holds.add((name, limit, watch.hold["from"]))
            told += watch.after(t, t in confirmed)
            into.reached[limit] += sum(1 for kind, _ in told if kind == "limit_reached")
            if t < case.now and watch.hold is not None:
                into.on_hold.add((name, t))
            if t < case.now and watch.fired and watch.counts[watch.place(t)]:
                into.above[limit] += 1
        accepted = sorted(place for moment, place in rider.accepted_anew if moment == t)
        for one in breaches(watches, accepted, t, Settings(grace=0)):
            into.accepted[one["platform"]] += 1


def counted(case: Case, policy: Doc) -> Counted:
    found = Counted()
    for name in sorted({event["rider_id"] for event in case.events}):
        own = [
            event
            for event in case.events
            if event["rider_id"] == name and instant(event["event_time"]) <= case.now
        ]
        if own:
            count_rider(name, own, policy, case, found)
    return found


@pytest.mark.parametrize("seed", range(14))
def test_the_counts_are_those_of_every_second(seed: int, tmp_path: Path) -> None:
    case = make_case(seed)
    history = tmp_path / "case.ndjson"
    history.write_text("".join(json.dumps(event) + "\n" for event in case.events), encoding="utf-8")
    policies = [policy_of(one) for one in case.policies]
    found = compare([str(history)], policies, settings_of(case), case.now, BadLines())
    assert found is not None
    naive = [counted(case, one) for one in case.policies]
    for tried, result, wanted in zip(found.tried, document(found)["policies"], naive, strict=True):
        zone = ZoneInfo(tried.policy.time_zone)
        assert result["holds"] == len(wanted.holds)
        assert result["riders_held"] == len({rider for rider, _, _ in wanted.holds})
        seconds = {(r, t) for r, spans in tried.on_hold.items() for a, b in spans for t in range(a, b)}
        assert seconds == wanted.on_hold
        hours = Counter(datetime.fromtimestamp(t, zone).hour for _, t in wanted.on_hold)
        assert [one["minutes_on_hold"] for one in result["by_hour"]] == [
            round(hours[hour] / 60, 1) for hour in range(24)
        ]
        assert {
            one["platform"]: one["orders_accepted_in_holds"]
            for one in result["by_platform"]
            if one["orders_accepted_in_holds"]
        } == dict(wanted.accepted)
        for limit, told in zip(tried.policy.limits, result["limits"], strict=True):
            assert sum(found.above_s(tried, limit).values()) == wanted.above[limit.name], limit
            assert told["reached"] == wanted.reached[limit.name]
    every = set().union(*(one.on_hold for one in naive))
    differing = {second for second in every if not all(second in one.on_hold for one in naive)}
    told_s = sum(
        (datetime.fromisoformat(one["until"]) - datetime.fromisoformat(one["from"])).total_seconds()
        for one in document(found)["differences"]["holds"]
    )
    assert told_s == len(differing)


def test_the_naive_count_sees_something() -> None:
    cases = [make_case(seed) for seed in range(6)]
    found = [counted(case, policy) for case in cases for policy in case.policies]
    assert sum(len(one.on_hold) for one in found) > 1_000
    assert sum(one.above.total() for one in found) > 1_000
    assert sum(one.accepted.total() for one in found) > 3


def test_the_command_says_that_dates_do_not_matter_and_writes_a_page_without_others(tmp_path: Path) -> None:
    page_file, data = tmp_path / "page.html", tmp_path / "all.json"
    done = respite(
        "compare", str(EXAMPLE), "--policy", "cn-gbt-2025", "--policy", "cn-meituan-2024",
        "--html", str(page_file), "--json", str(data),
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert "whatever the dates" in done.stdout.decode()
    result = json.loads(data.read_text(encoding="utf-8"))
    assert result["regardless_of_dates"] is True
    assert [one["policy"] for one in result["policies"]] == ["cn-gbt-2025@1", "cn-meituan-2024@1"]
    assert result["policies"][0]["holds"] >= 2
    assert result["differences"]["riders"] >= 2
    html = page_file.read_text(encoding="utf-8")
    assert "prefers-color-scheme: dark" in html
    assert not any(word in html for word in ("http://", "https://", "src=", "<script", "@import", "url("))
    assert page(result, "zh").count("<svg") == 4


def test_standard_input_is_read_once(tmp_path: Path) -> None:
    data = tmp_path / "all.json"
    names = ("--policy", "cn-gbt-2025", "--policy", "us-nyc-tlc", "--json", str(data))
    done = respite("compare", "-", *names, stdin=EXAMPLE.read_bytes())
    assert done.returncode == 3, done.stderr
    assert json.loads(data.read_text(encoding="utf-8"))["events"] == 28


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--policy", "cn-gbt-2025"], "compare needs two policies or more"),
        (["--policy", "cn-gbt-2025", "--policy", "cn-gbt-2025"], "named twice"),
        (["--policy", "cn-gbt-2025", "--policy", "nothing"], "no such policy"),
    ],
)
def test_wrong_usage_is_refused(arguments: list[str], said: str) -> None:
    done = respite("compare", str(EXAMPLE), *arguments)
    assert done.returncode == 2
    assert said in done.stderr.decode()
