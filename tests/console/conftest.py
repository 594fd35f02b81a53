"""A browser for the console's tests, and what a real worker's test beside the API uses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.console.browser import chromium
from tests.stream.api.compiled import compile_api
from tests.stream.api.conftest import settings
from tests.stream.api.test_with_worker import api, policy
from tests.stream.conftest import workers

__all__ = ["api", "policy", "settings", "workers"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    compile_api()
    with chromium() as started:
        yield started
