"""A worker that no longer hears a broker which answers others ends; one whose broker is away waits."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from deploy.kafka.broker import Broker
from stream.worker.consumer_watchdog import ConsumerDead, ConsumerWatchdog, FetchProgress
from tests.stream.worker.processes import PARTITIONS, Topic, Workers, after_wake, settings_for, until

AFTER_S = 300
_AWAY = "KafkaConnectionError: nobody there"


class Ear:
    """A `ConsumerWatchdog` whose clock, consumer and broker are the test's."""

    def __init__(self, after_s: int = AFTER_S) -> None:
        self.now_s = 1000.0
        self.heard: Mapping[int, FetchProgress] = {0: FetchProgress(1, 10), 1: FetchProgress(1, 10)}
        self.away: dict[int, str] = {}
        self.asked = 0
        self.hearing = ConsumerWatchdog(after_s, lambda: self.heard, self._ask, lambda: self.now_s)

    async def _ask(self, number: int) -> str | None:
        self.asked += 1
        return self.away.get(number)

    def look(self, after_s: float) -> None:
        self.now_s += after_s
        asyncio.run(self.hearing.look())


def test_one_that_hears_nothing_of_a_broker_that_answers_ends_and_says_what_to_do() -> None:
    ear = Ear()
    ear.look(0)
    ear.look(AFTER_S - 1)
    assert ear.asked == 0
    ear.look(1)
    assert ear.asked == 1
    ear.look(29)
    with pytest.raises(ConsumerDead, match=r"for 330 s.*supervisor starts it again \(RESPITE_DEAF_AFTER"):
        ear.look(1)


@pytest.mark.parametrize(
    "heard",
    [{0: FetchProgress(1, 10), 1: FetchProgress(2, 10)}, {0: FetchProgress(1, 20), 1: FetchProgress(1, 10)}],
)
def test_one_partition_that_is_heard_or_judged_is_enough(heard: Mapping[int, FetchProgress]) -> None:
    ear = Ear()
    ear.look(0)
    ear.look(AFTER_S + 1)
    ear.heard = heard
    ear.look(29)
    ear.look(AFTER_S - 1)
    assert ear.asked == 1


def test_while_nothing_ought_to_be_heard_nothing_is_missed() -> None:
    ear = Ear()
    ear.look(0)
    ear.heard = {}
    ear.look(2 * AFTER_S)
    ear.heard = {0: FetchProgress(1, 10)}
    ear.look(2 * AFTER_S)
    ear.look(AFTER_S - 1)
    assert ear.asked == 0


def test_a_broker_that_is_away_or_has_just_come_back_is_waited_for() -> None:
    ear = Ear()
    ear.away = {0: _AWAY, 1: _AWAY}
    ear.look(0)
    for _ in range(20):
        ear.look(AFTER_S)
    ear.away = {}
    ear.look(10)
    ear.look(29)
    ear.away = {0: _AWAY, 1: _AWAY}
    ear.look(1)
    ear.away = {}
    ear.look(1)
    ear.look(29)
    with pytest.raises(ConsumerDead):
        ear.look(1)


def test_one_leader_that_answers_is_enough() -> None:
    ear = Ear()
    ear.away = {0: _AWAY}
    ear.look(0)
    ear.look(AFTER_S)
    with pytest.raises(ConsumerDead, match="asked about partition 1"):
        ear.look(AFTER_S)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that are deaf after four seconds."""
    monkeypatch.setenv("RESPITE_DEAF_AFTER", "4s")


@pytest.mark.kafka
@pytest.mark.usefixtures("soon")
def test_a_worker_whose_fetching_has_died_inside_ends(broker: Broker, tmp_path: Path, prefix: str) -> None:
    workers = Workers(settings_for(broker.bootstrap, prefix), tmp_path)
    try:
        worker = workers.start(module="tests.chaos.blockable")
        until(lambda: workers.live() >= PARTITIONS, "all partitions are live", workers)
        # An idle topic is heard too: for longer than both waits together it goes on.
        deadline = time.monotonic() + 12
        until(lambda: time.monotonic() > deadline or worker.poll() is not None, "time passes", workers)
        assert worker.poll() is None, workers.log(0)
        worker.send_signal(signal.SIGHUP)
        until(lambda: worker.poll() is not None, "the worker ends", workers)
        assert worker.returncode == 1
        assert "has heard nothing of the broker for" in workers.log(0)
        assert "RESPITE_DEAF_AFTER" in workers.log(0)
    finally:
        workers.stop()


@pytest.mark.kafka
@pytest.mark.usefixtures("soon")
def test_a_worker_whose_broker_is_away_waits_and_goes_on(tmp_path: Path, prefix: str) -> None:
    with Broker.running(tmp_path / "kafka") as own:
        settings = settings_for(own.bootstrap, prefix)
        workers = Workers(settings, tmp_path)
        try:
            worker = workers.start()
            until(lambda: workers.live() >= PARTITIONS, "all partitions are live", workers)
            own.kill()
            until(
                lambda: "the broker is silent, to others too" in workers.log(0), "it has been asked", workers
            )
            deadline = time.monotonic() + 12
            until(lambda: time.monotonic() > deadline or worker.poll() is not None, "time passes", workers)
            assert worker.poll() is None, workers.log(0)
            own.start()
            watermarks = Topic(settings, settings.watermark_topic)
            until(lambda: after_wake(watermarks), "every partition goes on", workers)
            watermarks.close()
            deadline = time.monotonic() + 12
            until(lambda: time.monotonic() > deadline or worker.poll() is not None, "time passes", workers)
            assert worker.poll() is None, workers.log(0)
            assert "deaf" not in workers.log(0)
        finally:
            workers.stop()
