"""What all tests share: the Kafka of the tests that are marked ``kafka``."""

from __future__ import annotations

import contextlib
import fcntl
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


def pytest_configure(config: pytest.Config) -> None:
    if not os.environ.get("PYTEST_XDIST_WORKER"):
        config.pluginmanager.register(_Failures())


class _Failures:
    """Says at the very end what has failed: an internal error of pytest ends a run without its own list."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._lines.append(f"{report.nodeid} ({report.when}): {str(report.longrepr)[-300:]!r}")

    def pytest_internalerror(self, excrepr: object) -> None:
        self._lines.append(f"internal error: {str(excrepr)[-1500:]}")

    def pytest_unconfigure(self) -> None:
        for line in self._lines:
            sys.stderr.write(f"failed: {line}\n")


#: What takes longest is begun first, so that the processes of `make test` end together. Only an order: what
#: is not named comes after these.
LONGEST = (
    "deploy/test_grafana", "stream/webhooks/test_process", "stream/worker/test_worker", "docs/test_run",
    "stream/kafka/topics/test_apply_acls", "stream/api/test_resuming", "deploy/test_starts",
    "stream/worker/test_consumer_watchdog", "stream/offline/test_replay", "chaos/", "stream/api/test_kills",
    "stream/state/", "deploy/", "console/", "stream/worker/", "stream/api/", "detectors/", "oracle/",
)  # fmt: skip


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """`make test` runs most tests on several processes, then those that must keep a time by themselves.

    What shares a fixture of its file goes to one process, every other test to whichever is free.
    """
    which = config.getoption("--alone")
    if which != "with":
        kept = [item for item in items if (item.get_closest_marker("alone") is not None) == (which == "only")]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
        items[:] = kept
    if os.environ.get("PYTEST_XDIST_WORKER"):
        items.sort(key=_rank)
        for item in items:
            if _shares(item):
                item.add_marker(pytest.mark.xdist_group(str(item.path.relative_to(Path(__file__).parent))))


def _rank(item: pytest.Item) -> int:
    place = item.path.relative_to(Path(__file__).parent).as_posix()
    return next((number for number, one in enumerate(LONGEST) if place.startswith(one)), len(LONGEST))


def _shares(item: pytest.Item) -> bool:
    """Whether a test uses what other tests of its file use too, and what takes long to make."""
    fixtures = item._fixtureinfo.name2fixturedefs  # type: ignore[attr-defined]
    return any(one[-1].scope in ("module", "class", "package") for one in fixtures.values())


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
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker | ExistingBroker]:
    """One Kafka for the whole run; tests that stop or kill one start their own by ``Broker.running()``.

    The kernels are there before: a new machine compiles for minutes, and deadlines are for the rest.
    """
    warm_up()
    existing = os.environ.get("RESPITE_BROKER")
    if existing:
        yield ExistingBroker(existing)
    elif os.environ.get("PYTEST_XDIST_WORKER"):
        with shared_broker(tmp_path_factory.getbasetemp().parent / "kafka") as found:
            yield found
    else:
        with Broker.running() as started:
            yield started


#: Until the process ends: the one that started Kafka may be done while others use it, and Python complains of
#: a child that is forgotten and still runs.
_SHARED: list[Broker] = []


@contextlib.contextmanager
def shared_broker(folder: Path) -> Iterator[Broker]:
    """The Kafka of all processes of a run: whoever comes first starts it, whoever leaves last stops it."""
    folder.mkdir(exist_ok=True)
    started = Broker(folder)
    _SHARED.append(started)
    with (folder / "users.lock").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield started.start()
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                started.stop()


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    """A prefix for topics and groups that no other test has, on a broker that many tests share."""
    return f"{re.sub('[^a-z0-9]+', '-', request.node.name.lower())[:60]}-{uuid.uuid4().hex[:8]}."
