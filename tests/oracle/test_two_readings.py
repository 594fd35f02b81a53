"""Two readings of the contract and the rulebook, made apart, against each other over the whole grammar."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oracle import condition_cases
from tests.oracle.judge import Settings, judge
from tests.oracle.rulebook_cases import RulebookCase, make_case
from tests.oracle.second import judge as second_judge

CHUNKS = [range(start, start + 20) for start in range(0, 120, 20)]
IDENTITY = ("rider_id", "policy", "limit", "kind", "event_time", "platform")


def by_identity(alerts: list[dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    found = {tuple(one[name] for name in IDENTITY): one for one in alerts}
    assert len(found) == len(alerts), "two alerts under one identity"
    return found


def second(
    case: RulebookCase, messages: list[bytes] | None = None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The second reading of a case."""
    settings = case.settings
    result = second_judge(
        case.events,
        case.policies,
        case.now,
        lateness_s=settings.lateness,
        breach_grace_s=settings.grace,
        max_open_order_s=settings.maxima.order_s,
        max_open_session_s=settings.maxima.session_s,
        max_open_break_s=settings.maxima.break_s,
        max_open_duty_s=settings.maxima.duty_s,
        step_s=settings.unit,
        regardless_of_dates=settings.regardless,
        messages=messages,
    )
    return result.alerts, result.statuses


def differences(case: RulebookCase, messages: list[bytes] | None = None) -> list[str]:
    """Where the two readings differ, in words."""
    alerts, statuses = judge(case.events, case.policies, case.now, case.settings, messages=messages)
    others, other_statuses = second(case, messages)
    one, two = by_identity(alerts), by_identity(others)
    found = [f"only the first says {key}" for key in sorted(one.keys() - two.keys(), key=str)]
    found += [f"only the second says {key}" for key in sorted(two.keys() - one.keys(), key=str)]
    for key in sorted(one.keys() & two.keys(), key=str):
        for name, value in one[key].items():
            if two[key][name] != value:
                found.append(f"{key}: {name} {value} or {two[key][name]}")
    if statuses != other_statuses:
        found.append(f"statuses {statuses} or {other_statuses}")
    return found


@pytest.mark.parametrize("seeds", CHUNKS, ids=lambda seeds: f"seeds {seeds.start}-{seeds.stop - 1}")
def test_both_readings_tell_the_same(seeds: range) -> None:
    for seed in seeds:
        assert differences(make_case(seed)) == [], f"seed {seed}"


@pytest.mark.parametrize("seeds", [range(start, start + 20) for start in range(0, 60, 20)], ids=str)
def test_both_readings_of_bans_and_conditions_tell_the_same(seeds: range) -> None:
    for seed in seeds:
        made = condition_cases.make_case(seed)
        case = made.case
        settings = Settings(grace=case.grace, maxima=case.maxima)
        found = RulebookCase(seed, case.events, case.policies, case.now, settings)
        assert differences(found, made.messages) == [], f"seed {seed}"
