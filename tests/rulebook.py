"""Cases of the rulebook's grammar before the engine and before the oracle."""

from __future__ import annotations

from typing import Any

from tests.oracle.generate import Case
from tests.oracle.judge import judge
from tests.oracle.rulebook_cases import RulebookCase
from tests.oracle_cases import by_identity, replayed

Doc = dict[str, Any]


def plain(case: RulebookCase) -> Case:
    """The case as the tests of the contract take it."""
    settings = case.settings
    return Case(case.seed, case.events, case.policies, case.now, settings.grace, settings.maxima)


def differences(case: RulebookCase) -> list[str]:
    """Where the engine and the oracle differ, in words."""
    if not case.events or not case.policies:
        return []
    settings = case.settings
    got = replayed(plain(case), shuffle=case.seed, regardless=settings.regardless)
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
