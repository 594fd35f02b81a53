"""What a regulator may see of counts: small cells hidden, such that no sum of those shown gives them away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from detectors.verdicts import STATUSES
from schemas.overview import K

Document = dict[str, Any]
SUPPRESSED = -1


def suppress(cells: Mapping[str, int], k: int = K) -> dict[str, int]:
    """Cells with fewer than ``k`` riders hidden, and as many more that the hidden ones cannot be computed.

    With the total published, one hidden cell is total minus the others; so at least two are hidden, with
    ``k`` riders between them, the smallest first. Cells of nobody hide nobody and stay.

    >>> suppress({"a": 100, "b": 30, "c": 3})
    {'a': 100, 'b': -1, 'c': -1}
    """
    hidden = {name for name, count in cells.items() if 0 < count < k}
    rest = sorted((name for name in cells if name not in hidden and cells[name] > 0), key=lambda n: cells[n])
    while hidden and rest and (len(hidden) < 2 or sum(cells[name] for name in hidden) < k):
        hidden.add(rest.pop(0))
    return {name: SUPPRESSED if name in hidden else count for name, count in cells.items()}


def _suppress_table(
    table: Mapping[str, Mapping[str, int]], shown: Sequence[str], k: int
) -> dict[str, dict[str, int]]:
    """A table by row and status; columns whose total is hidden are hidden whole."""
    columns = {
        name: suppress({row: cells[name] for row, cells in table.items()}, k)
        if name in shown
        else dict.fromkeys(table, SUPPRESSED)
        for name in STATUSES
    }
    return {row: {name: columns[name][row] for name in STATUSES} for row in table}


def for_regulator(overview: Document, k: int = K) -> Document:
    """An overview without persons, small cells hidden such that no sum gives them away."""
    statuses = suppress(overview["statuses"], k)
    shown = [name for name, count in statuses.items() if count != SUPPRESSED]
    total = overview["riders"]
    hidden_riders = sum(overview["statuses"][name] for name in statuses if name not in shown)
    # Fewer than k hidden in all, and nothing left to hide them behind: then the total goes as well.
    riders = SUPPRESSED if 0 < total < k or 0 < hidden_riders < k else total
    holds = overview["holds_by_limit"]
    kinds, breaches = suppress(overview["alerts_by_kind"], k), overview["breaches_by_platform"]
    return {
        **overview,
        "k": k,
        "riders": riders,
        "statuses": statuses,
        "holds_by_limit": suppress(holds, k) if "hold" in shown else dict.fromkeys(holds, SUPPRESSED),
        "riders_by_zone": _suppress_table(overview["riders_by_zone"], shown, k),
        "riders_by_platform": _suppress_table(overview["riders_by_platform"], shown, k),
        "breaches_by_platform": dict.fromkeys(breaches, SUPPRESSED)
        if kinds.get("hold_breached") == SUPPRESSED
        else suppress(breaches, k),
        "alerts_by_kind": kinds,
        "persons_shown": False,
        "on_hold": [],
        "nearest": [],
        "shadow": [
            one | {name: _alone(count, k) for name, count in one.items() if name not in ("policy", "limit")}
            for one in overview.get("shadow", ())
        ],
    }


def _alone(count: int, k: int) -> int:
    """A cell that adds up to nothing with others: a rider may be in several."""
    return SUPPRESSED if 0 < count < k else count
