"""The examples of the collection of policies, judged by the oracle from their text.

Examples that last longer than a working day are left to the engine, for the oracle counts second by second.
"""

from __future__ import annotations

import json
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
_SPAN = re.compile(r"(?:D(\d+) )?([\d:]+)-([\d:]+) (\w+)(?: @(\S+))?(?: #(\S+))?")
_CONDITION = re.compile(r"(\S+) (\S+) (?:D(\d+) )?([\d:]+)-([\d:]+) announced (?:D(\d+) )?([\d:]+)")
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


Span = tuple[datetime, datetime, str, str, str | None]


def spans_of(example: Mapping[str, Any], day: Day) -> Iterator[Span]:
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
        until = day.at(number + (end <= begin), end)
        yield day.at(number, begin), until, match[4], match[5] or "p", match[6]


def messages_of(example: Mapping[str, Any], day: Day) -> list[bytes]:
    """The conditions of an example as messages."""
    found = []
    for number, text in enumerate(example.get("conditions", ())):
        match = _CONDITION.fullmatch(text)
        assert match, text
        first, begin, end = int(match[3] or 1), second_of_day(match[4]), second_of_day(match[5])
        message = {
            "condition_id": f"c{number}", "condition": match[1], "zones": match[2].split(","),
            "from": day.at(first, begin).isoformat(),
            "until": day.at(first + (end <= begin), end).isoformat(),
            "announced_at": day.at(int(match[6] or first), second_of_day(match[7])).isoformat(),
        }  # fmt: skip
        found.append(json.dumps(message).encode())
    return found


def events_of(example: Mapping[str, Any], day: Day) -> tuple[list[dict[str, Any]], int]:
    """The events of an example's spans, and *now*."""
    events: list[dict[str, Any]] = []

    def add(when: datetime, kind: str, platform: str | None, zone: str | None, **more: str) -> None:
        events.append(
            {"schema": "work-state/1", "event_id": f"e{len(events)}", "rider_id": "r", "platform": platform}
            | {"event_time": when.isoformat(), "type": kind, "zone": zone, **more}
        )

    now = day.at(1, 0)
    for number, (begin, end, word, *where) in enumerate(spans_of(example, day)):
        now = max(now, end)
        if word in ("order", "loaded"):
            add(begin, "order_accepted", *where, order_id=f"o{number}")
            if word == "loaded":
                add(begin, "order_picked_up", *where, order_id=f"o{number}")
            add(end, "order_delivered", *where, order_id=f"o{number}")
        elif word == "online":
            add(begin, "online", *where)
            add(end, "offline", *where)
        else:
            add(begin, "duty_status", *where, duty=word)
            add(end, "duty_status", *where, duty="off")
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
    assert len(POLICIES) == 27
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
    settings = Settings(unit=1, regardless=True)
    alerts, _ = judge_rider("r", events, [judged], now_s, settings, [], messages_of(example, day))
    reached = sorted(
        (one for one in alerts if one["kind"] == "limit_reached"), key=lambda one: one["event_time"]
    )
    assert [f"{one['limit']} {day.written(one['event_time'])}" for one in reached] == example["reached"]
