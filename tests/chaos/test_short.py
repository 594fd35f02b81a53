"""The short form of the fault suite; `make chaos` is the long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.__main__ import break_everything
from tests.chaos.faults import SHORT

pytestmark = [pytest.mark.kafka, pytest.mark.alone]


def test_a_city_broken_in_the_worst_ways_loses_nothing(tmp_path: Path) -> None:
    rows, found = break_everything(tmp_path, seed=7, rounds=1, names=list(SHORT))
    assert found.good, found.text()
    assert not found.doubled
    assert len(rows) == len(SHORT)
    assert found.alerts > 100
