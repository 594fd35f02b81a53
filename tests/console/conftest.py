"""A browser for the console's tests, and what a real worker's test beside the API uses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from stream.api.queries.query_service import QueryService
from tests.console.browser import Visit, chromium
from tests.console.served import a_day, a_desk, a_past, reviews_of, served
from tests.stream.api.compiled import compile_api
from tests.stream.api.conftest import settings
from tests.stream.api.test_with_worker import api, policy
from tests.stream.api.world import World
from tests.stream.conftest import workers

__all__ = ["api", "policy", "settings", "workers"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    compile_api()
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World(tmp_path_factory.mktemp("world"), policy=("cn-gbt-2025", "cn-meituan-2024"))
    a_desk(made)
    a_day(made)
    return made


@pytest.fixture(scope="module")
def address(world: World) -> Iterator[str]:
    def prepare(made: World, service: QueryService) -> None:
        a_past(made, service)
        if service.reviews is not None:
            reviews_of(made, service)

    with served(world, prepare=prepare) as found:
        yield found


@pytest.fixture
def services() -> list[QueryService]:
    """Where an `address` puts the service behind it, for tests that look into it."""
    return []


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    made = Visit(browser, address)
    yield made
    made.close()
