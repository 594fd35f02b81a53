"""Bans and conditional limits against a reading second by second, over random histories and announcements."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.oracle.condition_cases import make_case
from tests.oracle.judge import Settings, judge
from tests.oracle_cases import by_identity, replayed

CHUNKS = [range(start, start + 50) for start in range(0, 300, 50)]


@pytest.mark.parametrize("seeds", CHUNKS, ids=lambda seeds: f"seeds {seeds.start}-{seeds.stop - 1}")
def test_replay_tells_what_a_reading_second_by_second_tells(seeds: range) -> None:
    for seed in seeds:
        made = make_case(seed)
        case = made.case
        got = replayed(case, shuffle=seed, messages=made.messages)
        settings = Settings(grace=case.grace, maxima=case.maxima)
        alerts, statuses = judge(case.events, case.policies, case.now, settings, made.messages)
        assert by_identity(got.alerts) == by_identity(alerts), f"seed {seed}"
        assert got.statuses == statuses, f"seed {seed}"


def test_the_histories_make_every_rule_of_conditions_fire() -> None:
    seen: Counter[tuple[str, ...]] = Counter()
    for seed in range(300):
        made = make_case(seed)
        rules = {
            (f"{policy['name']}@{policy['version']}", one["name"]): one
            for policy in made.case.policies
            for one in policy["limits"]
        }
        for told in replayed(made.case, shuffle=seed, messages=made.messages).alerts:
            rule = rules[told["policy"], told["limit"]]
            way = "when" if rule.get("when") else "condition" if rule.get("condition") else "hours"
            if rule["kind"] == "ban" or rule.get("when"):
                seen[rule["kind"], way, told["kind"]] += 1
    for kind in ("approaching", "limit_reached", "hold_released", "hold_breached"):
        assert seen["ban", "condition", kind] >= 10, kind
        assert seen["ban", "hours", kind] >= 10, kind
        for counting in ("continuous", "day", "week", "rolling", "span", "rest_within"):
            assert seen[counting, "when", kind] >= 5, (counting, kind)
