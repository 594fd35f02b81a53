"""A worker between a full source and a slow broker holds no more than it can write."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.chaos.city import City
from tests.chaos.flood import FLOOD_BYTES, MESSAGES, flood, letters_of_the_flood

pytestmark = pytest.mark.kafka
#: Of each partition some fetched chunks of 4 MiB and their copies, and what waits for one transaction.
MOST_GROWN_BYTES = 240 << 20


def test_memory_is_bounded_while_the_broker_is_slow_and_nothing_is_lost(tmp_path: Path) -> None:
    city = City(tmp_path, seed=11, workers=1)
    with city.running():
        grown = flood(city).grown_bytes
        assert grown < MOST_GROWN_BYTES < FLOOD_BYTES, f"{grown >> 20} MiB"
        over_s = time.time()
        city.wait_until_fresh(over_s, within_s=120)
        city.feed.stop()
        found = letters_of_the_flood(city)
    assert len(found) == MESSAGES
    assert set(found.values()) == {1}
