"""The examples of the collection of policies, judged by the oracle from their text.

Examples that last longer than a working day are left to the engine, for the oracle counts second by second.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.oracle.judge import Settings, judge_rider

FOLDER = Path(__file__).resolve().parents[2] / "detectors" / "policies"
POLICIES = {
    path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.toml"))
}
LONGEST_S = 9 * 3600
_DURATIONS = ("limit", "reset", "window", "rest", "remind_every", "hold_for", "reset_sum", "reset_sum_parts")
_LISTS = ("warn_before", "reset_parts")
_SPAN = re.compile(r"(?:D(\d+) )?([\d:]+)-([\d:]+) (\w+)(?: @(\S+))?")
_INSTANT = re.compile(r"(?:D(\d+) )?([\d:]+)")


def seconds_of(duration: str) -> int:
    """A duration in seconds; amounts of the rulebook go beyond the 14 days of today's policies."""
    units = {"d": 86_400, "h": 3600, "min": 60, "s": 1}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)(d|h|min|s)", duration))


def limit_of(written: Mapping[str, Any]) -> dict[str, Any]:
    """A limit as the oracle takes it: durations in seconds, absent ones None."""
    found: dict[str, Any] = {"release": None, "warn_before_s": []}
    found |= dict.fromkeys(("limit_s", "reset_s", "window_s", "rest_s", "remind_every_s", "hold_for_s"))
    for name, value in written.items():
        if name in _DURATIONS:
            found[f"{name}_s"] = seconds_of(value)
        elif name in _LISTS:
            found[f"{name}_s"] = [seconds_of(one) for one in value]
        else:
            found[name] = value
    return found


def second_of_day(text: str) -> int:
    parts = [int(part) for part in text.split(":")]
    return parts[0] * 3600 + parts[1] * 60 + (parts[2] if len(parts) > 2 else 0)


class Day:
    """Local instants of an example."""

    def __init__(self, example: Mapping[str, Any], zone: str) -> None:
        self._date = example["date"]
        self._zone = ZoneInfo(zone)

    def at(self, day: int, second: int) -> datetime:
        date = self._date + timedelta(days=day - 1)
        return datetime.combine(date, time(second // 3600, second // 60 % 60, second % 60), self._zone)

    def written(self, instant: str) -> str:
        when = datetime.fromisoformat(instant)
        day = (when.date() - self._date).days + 1
        clock = when.strftime("%H:%M:%S" if when.second else "%H:%M")
        return clock if day == 1 else f"D{day} {clock}"


def spans_of(example: Mapping[str, Any], day: Day) -> Iterator[tuple[datetime, datetime, str, str]]:
    number, before = 1, None
    for span in example["spans"]:
        match = _SPAN.fullmatch(span)
        assert match, span
        begin, end = second_of_day(match[2]), second_of_day(match[3])
        if match[1]:
            number = int(match[1])
        elif before is not None and begin < before:
            number += 1
        before = begin
        yield day.at(number, begin), day.at(number + (end <= begin), end), match[4], match[5] or "p"


def events_of(example: Mapping[str, Any], day: Day) -> tuple[list[dict[str, Any]], int]:
    """The events of an example's spans, and *now*."""
    events: list[dict[str, Any]] = []

    def add(when: datetime, kind: str, platform: str, **more: str) -> None:
        events.append(
            {"schema": "work-state/1", "event_id": f"e{len(events)}", "rider_id": "r", "platform": platform}
            | {"event_time": when.isoformat(), "type": kind, **more}
        )

    now = day.at(1, 0)
    for number, (begin, end, word, platform) in enumerate(spans_of(example, day)):
        now = max(now, end)
        if word in ("order", "loaded"):
            add(begin, "order_accepted", platform, order_id=f"o{number}")
            if word == "loaded":
                add(begin, "order_picked_up", platform, order_id=f"o{number}")
            add(end, "order_delivered", platform, order_id=f"o{number}")
        elif word == "online":
            add(begin, "online", platform)
            add(end, "offline", platform)
        else:
            add(begin, "duty_status", platform, duty=word)
            add(end, "duty_status", platform, duty="off")
    if "until" in example:
        match = _INSTANT.fullmatch(example["until"])
        assert match, example["until"]
        now = day.at(int(match[1] or 1), second_of_day(match[2]))
    return events, int(now.timestamp())


def is_short(policy: Mapping[str, Any], example: Mapping[str, Any]) -> bool:
    events, now_s = events_of(example, Day(example, policy["time_zone"]))
    first_s = min((datetime.fromisoformat(one["event_time"]).timestamp() for one in events), default=now_s)
    return now_s - first_s <= LONGEST_S


SHORT = [
    pytest.param(policy, example, id=f"{name}: {example['title']}")
    for name, policy in POLICIES.items()
    for example in policy["example"]
    if is_short(policy, example)
]


def test_the_collection_is_whole_and_each_policy_has_an_example_on_both_sides_of_a_limit() -> None:
    assert len(POLICIES) == 22
    assert all(name == policy["name"] for name, policy in POLICIES.items())
    for policy in POLICIES.values():
        assert any(one["reached"] for one in policy["example"]), policy["name"]
        assert any(not one["reached"] for one in policy["example"]), policy["name"]


@pytest.mark.parametrize(("policy", "example"), SHORT)
def test_an_example_reaches_what_it_says(policy: Mapping[str, Any], example: Mapping[str, Any]) -> None:
    day = Day(example, policy["time_zone"])
    events, now_s = events_of(example, day)
    judged = {
        **{name: policy[name] for name in ("name", "version", "time_zone", "source")},
        "limits": [limit_of(one) for one in policy["limit"]],
    }
    alerts, _ = judge_rider("r", events, [judged], now_s, Settings(unit=1, regardless=True), [])
    reached = sorted(
        (one for one in alerts if one["kind"] == "limit_reached"), key=lambda one: one["event_time"]
    )
    assert [f"{one['limit']} {day.written(one['event_time'])}" for one in reached] == example["reached"]
