"""The engine against a reading of the rulebook second by second, over random histories and policies."""

from __future__ import annotations

import pytest

from tests.oracle.rulebook_cases import make_case
from tests.rulebook import differences

CHUNKS = [range(start, start + 20) for start in range(0, 120, 20)]


@pytest.mark.parametrize("seeds", CHUNKS, ids=lambda seeds: f"seeds {seeds.start}-{seeds.stop - 1}")
def test_replay_tells_what_the_rulebook_tells(seeds: range) -> None:
    for seed in seeds:
        assert differences(make_case(seed)) == [], f"seed {seed}"
