from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stream.kafka.topics import provisioning
from stream.settings import Settings
from tests.stream.api.world import World
from tests.stream.worker.processes import PARTITIONS


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def settings(broker: Any, prefix: str) -> Settings:
    """On the wall clock, as an API beside a worker is asked."""
    made = Settings(broker=broker.bootstrap, prefix=prefix, group=prefix)
    provisioning.ensure_topics(made, PARTITIONS)
    return made
