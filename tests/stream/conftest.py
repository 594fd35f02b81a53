"""Topics and worker processes for tests that need real ones; who needs other settings has his own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stream.settings import Settings
from tests.stream.worker.processes import Workers, settings_for


@pytest.fixture
def settings(broker: Any, prefix: str) -> Settings:
    return settings_for(broker.bootstrap, prefix)


@pytest.fixture
def workers(settings: Settings, tmp_path: Path) -> Iterator[Workers]:
    made = Workers(settings, tmp_path)
    yield made
    made.stop()
