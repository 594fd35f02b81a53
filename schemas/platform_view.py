"""What a platform sees of a rider's alerts: its own business, and nothing that shows where else they work.

The one place that says it: outlets, the API's answers, live streams and explanations all ask here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Fields of an alert that would show where, and for whom else, a rider works.
HIDDEN_FIELDS = frozenset({"evidence", "window", "zone"})
#: The same of an explanation: its fields stay, empty.
_HIDDEN_OF_EXPLANATIONS: Mapping[str, Any] = {
    "window_start": None,
    "window_end": None,
    "counted": [],
    "not_counted": [],
    # They lie in the rider's zone.
    "rest_stops": None,
}


def concerns(platform: str, alert: Mapping[str, Any]) -> bool:
    """Whether an alert of a platform's own rider is for it: a breach is the breaching platform's alone."""
    return alert["platform"] in (None, platform)


def alert_view(alert: Mapping[str, Any]) -> dict[str, Any]:
    """An alert as any platform sees it."""
    return {name: value for name, value in alert.items() if name not in HIDDEN_FIELDS}


def explanation_view(platform: str, explanation: Mapping[str, Any]) -> dict[str, Any]:
    """An explanation as a platform sees it: neither intervals nor window, and the doubts of its own evidence.

    What the verdict were without it says how much of that time other platforms fill, and stays hidden.
    """
    doubtful = [
        {**one, "counted_s": None, "reached": None}
        for one in explanation["doubtful"]
        if one["platform"] == platform
    ]
    return {**explanation, **_HIDDEN_OF_EXPLANATIONS, "doubtful": doubtful}
