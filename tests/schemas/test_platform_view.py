"""What a platform may not see is said in one place."""

from __future__ import annotations

from typing import Any

from schemas.platform_view import alert_view, concerns, explanation_view

ALERT = {
    "alert_id": "a",
    "platform": None,
    "evidence": [1],
    "window": {"start": "s"},
    "zone": "310105",
    "clock": "order",
}


def test_an_alert_is_shown_without_what_tells_where_else_a_rider_works() -> None:
    assert alert_view(ALERT) == {"alert_id": "a", "platform": None, "clock": "order"}


def test_a_breach_concerns_the_breaching_platform_alone() -> None:
    assert concerns("A", ALERT)
    assert concerns("A", {**ALERT, "platform": "A"})
    assert not concerns("A", {**ALERT, "platform": "B"})


def test_an_explanation_keeps_its_fields_and_shows_no_interval() -> None:
    whole: dict[str, Any] = {
        "window_start": "s",
        "window_end": "e",
        "counted": [1],
        "not_counted": [2],
        "limit": "c",
    }
    whole["doubtful"] = [
        {"platform": name, "kind": "brief_session", "counted_s": 5, "reached": True} for name in ("A", "B")
    ]
    assert explanation_view("A", whole) == {
        "window_start": None,
        "window_end": None,
        "counted": [],
        "not_counted": [],
        "limit": "c",
        "rest_stops": None,
        # What the verdict were without it would tell how much of the time others fill.
        "doubtful": [{"platform": "A", "kind": "brief_session", "counted_s": None, "reached": None}],
    }
