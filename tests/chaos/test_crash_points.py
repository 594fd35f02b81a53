"""A crash at every step between fetch and commit, and bugs planted to see that the suite sees them."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from stream.kafka.topics import provisioning
from stream.settings import Settings
from tests.chaos.history import History
from tests.chaos.partition_runs import POINTS, Steps, World, chain
from tests.chaos.verify import committed_at_most, compare

pytestmark = pytest.mark.kafka
PARTITIONS = 2
LIVES = 48
#: Parts that are sent while all partitions are live, each life.
LATER = 5


@pytest.fixture
def settings(broker: Any, prefix: str) -> Settings:
    made = Settings(broker=broker.bootstrap, prefix=prefix, group=prefix, clock="event", checkpoint_every=1)
    provisioning.ensure_topics(made, PARTITIONS)
    return made


@pytest.mark.parametrize("seed", [1, 2])
def test_after_crashes_at_every_step_what_stands_is_what_the_evidence_says(
    settings: Settings, tmp_path: Path, seed: int
) -> None:
    history = History(settings, seed, parts=LIVES * (1 + LATER))
    world = World(settings, PARTITIONS)
    crashes: Counter[str] = Counter()
    reached: dict[int, int] = {}
    for steps in chain(seed, LIVES):
        history.send_more()
        life = asyncio.run(world.live(steps, [history.send_more] * LATER))
        crashes[(life.crashed or "none").split(",")[0]] += 1
        reached |= life.commits
    history.send_rest()
    last = asyncio.run(world.live(Steps()))
    assert last.crashed is None
    found = compare(settings, world.run, [history.write(tmp_path)])
    assert found.good, found.text()
    assert not found.doubled
    assert found.alerts > 50
    assert not committed_at_most(settings, world.run, reached | last.commits)
    # A point that was never crashed at has proven nothing.
    assert set(POINTS) <= set(crashes), crashes
    assert sum(crashes.values()) - crashes["none"] >= LIVES * 2 // 3, crashes
