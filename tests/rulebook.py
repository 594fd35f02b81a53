"""Cases of the rulebook's grammar before the engine and before the oracle."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.oracle.generate import Case
from tests.oracle.judge import judge
from tests.oracle.rulebook_cases import RulebookCase, make_case
from tests.oracle_cases import by_identity, replayed

Doc = dict[str, Any]
#: What policy files cannot say yet: the loader refuses it.
NOT_YET = ("between",)


def sayable(seed: int) -> RulebookCase:
    """The case of that seed, its policies cut to what the engine judges."""
    case = make_case(seed)
    policies = []
    for policy in case.policies:
        limits = [cut(one) for one in policy["limits"] if one.get("per") != "week"]
        if limits and policy["version"] == 1:
            kept = {key: policy[key] for key in ("name", "version", "time_zone", "source")}
            policies.append(kept | {"limits": limits})
    return replace(case, policies=policies)


def cut(limit: Doc) -> Doc:
    return {key: value for key, value in limit.items() if key not in NOT_YET}


def plain(case: RulebookCase) -> Case:
    """The case as the tests of the contract take it."""
    settings = case.settings
    return Case(case.seed, case.events, case.policies, case.now, settings.grace, settings.maxima)


def differences(case: RulebookCase) -> list[str]:
    """Where the engine and the oracle differ, in words."""
    if not case.events or not case.policies:
        return []
    settings = case.settings
    got = replayed(plain(case), shuffle=case.seed)
    alerts, statuses = judge(case.events, case.policies, case.now, settings)
    one, two = by_identity(got.alerts), by_identity(alerts)
    found = [f"only the engine says {key}" for key in sorted(one.keys() - two.keys(), key=str)]
    found += [f"only the oracle says {key}" for key in sorted(two.keys() - one.keys(), key=str)]
    for key in sorted(one.keys() & two.keys(), key=str):
        found += [
            f"{key}: {name} {value} or {two[key][name]}"
            for name, value in one[key].items()
            if two[key][name] != value
        ]
    if got.statuses != statuses:
        found.append(f"statuses {got.statuses} or {statuses}")
    return found
