"""Conditions of zones as messages: what is good, and what is refused in words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.work_state import LARGEST_BYTES, Refused
from schemas.zone_condition import read_condition

GOOD: dict[str, Any] = {
    "schema": "zone-condition/1",
    "condition_id": "sh-heat-20260712",
    "condition": "heat-37",
    "zones": ["310105", "3101*"],
    "from": "2026-07-12T11:00:00+08:00",
    "until": "2026-07-12T17:00:00.9+08:00",
    "announced_at": "2026-07-12T10:30:00+08:00",
    "source": "a weather service",
    "void": False,
}
LEFT_OUT = object()


def written(changes: dict[str, Any]) -> bytes:
    tree = {**GOOD, **changes}
    return json.dumps({key: value for key, value in tree.items() if value is not LEFT_OUT}).encode()


def test_a_condition_is_read_with_whole_seconds() -> None:
    found = read_condition(written({"more": [1]}), needs_announcement=True)
    assert found.until_s - found.from_s == 6 * 3_600
    assert found.from_s - (found.announced_s or 0) == 1_800
    assert found.zones == ("310105", "3101*")


@pytest.mark.parametrize(
    "changes",
    [
        {"source": None, "void": None},
        {"source": LEFT_OUT, "void": LEFT_OUT},
        {"zones": ["*"]},
        {"until": "2026-07-26T11:00:00+08:00"},
        {"void": True},
    ],
)
def test_what_may_be_left_out_and_what_is_just_allowed(changes: dict[str, Any]) -> None:
    assert read_condition(written(changes), needs_announcement=True).condition == "heat-37"


@pytest.mark.parametrize(("announced"), [LEFT_OUT, None, "nonsense", 7, "2026-07-12T10:30:00"])
def test_with_the_wall_clock_the_field_is_not_looked_at(announced: object) -> None:
    found = read_condition(written({"announced_at": announced}), needs_announcement=False)
    assert found.announced_s is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"condition_id": LEFT_OUT},
            'condition_id is missing: every condition needs it, like "condition_id"',
        ),
        (
            {"condition": "heat 37"},
            'condition = "heat 37": a space cannot stand in it: write 1 to 64',
        ),
        ({"zones": LEFT_OUT}, "zones is missing"),
        ({"zones": []}, "zones = []: must be a list of at least one zone"),
        ({"zones": "310105"}, 'zones = "310105": must be a list of at least one zone'),
        ({"zones": ["31*05"]}, 'zones[1] = "31*05" is no zone: an id like "310105"'),
        ({"zones": ["310105", 5]}, "zones[2] = 5 is no zone"),
        ({"from": "2026-07-12T11:00:00"}, 'from: "2026-07-12T11:00:00" has no offset'),
        ({"from": 5}, "from: is a number, must be a text like"),
        ({"until": GOOD["from"]}, "must be after from ="),
        ({"until": "2026-07-26T11:00:01+08:00"}, "more than 14 days after from"),
        ({"announced_at": LEFT_OUT}, "announced_at is missing"),
        ({"announced_at": None}, "announced_at is missing"),
        ({"void": "true"}, 'void = "true": must be true or false'),
        ({"source": 5}, "source = 5: is a number, must be a text"),
        ({"schema": 5}, 'schema = 5: must be "zone-condition/1"'),
    ],
)
def test_what_is_wrong_is_said_with_the_thing_the_value_and_the_remedy(
    changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(Refused) as refused:
        read_condition(written(changes), needs_announcement=True)
    assert refused.value.reason == "invalid"
    assert said in refused.value.detail


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "malformed"),
        (b"", "malformed"),
        (b"[]", "malformed"),
        (b"\xff", "malformed"),
        (b'{"schema": NaN}', "malformed"),
        (written({"schema": "zone-condition/2"}), "unsupported_schema"),
        (written({"schema": "zone-condition/2", "source": "x" * LARGEST_BYTES}), "too_large"),
    ],
)
def test_the_first_reason_that_applies_is_told(value: bytes | None, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        read_condition(value, needs_announcement=False)
    assert refused.value.reason == reason
