"""What all tests share: the Kafka of the tests that are marked ``kafka``."""

from __future__ import annotations

import os
import re
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

# Loaded here, while nothing else runs: loaded when the tests are over, beside threads that still end, Python
# 3.11 may fail in its parser ("AST constructor recursion depth mismatch", python/cpython#106905).
import hypothesis  # noqa: F401
import pytest
import structlog

from deploy.kafka.broker import Broker
from stream.worker.warm_up import warm_up


class ExistingBroker:
    """The broker that ``RESPITE_BROKER`` names, for machines without Java; it cannot be killed."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--alone",
        choices=("with", "without", "only"),
        default="with",
        help="tests that need the machine for themselves: with the others, without them, or only them",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """`make test` runs most tests on two processes, and then those that must keep a time by themselves."""
    which = config.getoption("--alone")
    if which == "with":
        return
    kept = [item for item in items if (item.get_closest_marker("alone") is not None) == (which == "only")]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


@pytest.fixture(scope="session", autouse=True)
def logs_on_standard_error() -> None:
    """As the service has them: what is written to standard output is only what a command answers."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=sys.__stderr__))


@pytest.fixture(scope="session", autouse=True)
def shared_state_of_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Workers that tests kill leave their riders' state in the tests' own folder."""
    folder = tmp_path_factory.mktemp("shared")
    before = os.environ.get("RESPITE_SHARED_DIR")
    os.environ["RESPITE_SHARED_DIR"] = str(folder)
    yield folder
    if before is None:
        del os.environ["RESPITE_SHARED_DIR"]
    else:
        os.environ["RESPITE_SHARED_DIR"] = before


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker | ExistingBroker]:
    """One Kafka for the whole run; tests that stop or kill one start their own by ``Broker.running()``.

    The kernels are there before: a new machine compiles for minutes, and deadlines are for the rest.
    """
    warm_up()
    existing = os.environ.get("RESPITE_BROKER")
    if existing:
        yield ExistingBroker(existing)
        return
    with Broker.running() as started:
        yield started


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    """A prefix for topics and groups that no other test has, on a broker that many tests share."""
    return f"{re.sub('[^a-z0-9]+', '-', request.node.name.lower())[:60]}-{uuid.uuid4().hex[:8]}."
