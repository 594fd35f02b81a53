"""Small cells of an overview: hidden, and not to be computed from the others."""

from __future__ import annotations

import pytest

from stream.api.documents.suppression import for_regulator, suppress


@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        ({"a": 100, "b": 50, "c": 3}, {"a": 100, "b": -1, "c": -1}),
        ({"a": 100, "b": 4, "c": 3}, {"a": -1, "b": -1, "c": -1}),
        ({"a": 100, "b": 5, "c": 5}, {"a": 100, "b": -1, "c": -1}),
        ({"a": 100, "b": 10, "c": 0}, {"a": 100, "b": 10, "c": 0}),
        ({"a": 100, "b": 9}, {"a": -1, "b": -1}),
        ({"a": 3}, {"a": -1}),
        ({}, {}),
    ],
)
def test_hidden_cells_cannot_be_computed_from_the_others_and_the_total(
    cells: dict[str, int], shown: dict[str, int]
) -> None:
    assert suppress(cells) == shown


def test_no_sum_over_zones_gives_a_hidden_status_away() -> None:
    zones = {
        "z1": {"clear": 600, "approaching": 30, "hold": 2},
        "z2": {"clear": 400, "approaching": 20, "hold": 1},
    }
    told = for_regulator(
        {
            "riders": 1053,
            "statuses": {"clear": 1000, "approaching": 50, "hold": 3},
            "holds_by_limit": {"p@1/l": 3},
            "riders_by_zone": zones,
            "riders_by_platform": zones,
            "alerts_by_kind": {"approaching": 60, "hold_released": 3, "hold_breached": 12},
            "breaches_by_platform": {"A": 12},
            "on_hold": [{"rider_id": "r"}],
            "nearest": [],
        }
    )
    assert told["statuses"] == {"clear": 1000, "approaching": -1, "hold": -1}
    assert {zone["approaching"] for zone in told["riders_by_zone"].values()} == {-1}
    assert {zone["hold"] for zone in told["riders_by_zone"].values()} == {-1}
    assert told["riders_by_platform"] == told["riders_by_zone"]
    assert told["holds_by_limit"] == {"p@1/l": -1}
    # Hidden beside the released ones; by platform it would be seen after all.
    assert told["alerts_by_kind"]["hold_breached"] == -1
    assert told["breaches_by_platform"] == {"A": -1}
    assert told["on_hold"] == []
