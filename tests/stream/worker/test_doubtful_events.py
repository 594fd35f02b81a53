"""Doubtful events: counted by platform and kind, and nothing else is told because of them."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from stream.metrics.regulator import RegulatorCollector
from stream.settings import Settings
from stream.state.shm_reader import SharedPartition
from stream.state.shm_writer import digest_of, shared_folder
from tests.stream.partition_runs import (
    Life,
    assert_as_replayed,
    at_once,
    event,
    made,
    riders,
    second_of,
    send,
)

pytestmark = pytest.mark.kafka
HOUR_S = 3600
BEGIN_S = int(time.time()) // HOUR_S * HOUR_S - 12 * HOUR_S


@pytest.fixture
def settings(broker: Any, prefix: str, tmp_path: Any) -> Settings:
    return made(broker.bootstrap, prefix, shared_dir=str(tmp_path / "shared"))


def counted(life: Life) -> dict[tuple[str, str], float]:
    """What a scrape shows of doubtful events, without zeros."""
    registry = CollectorRegistry()
    registry.register(RegulatorCollector(lambda: [life.partition], None, 0))
    return {
        (sample.labels["platform"], sample.labels["kind"]): sample.value
        for family in registry.collect()
        if family.name == "respite_doubtful_events"
        for sample in family.samples
        if sample.value and sample.name.endswith("_total")
    }


def test_each_kind_is_counted_and_verdicts_are_those_of_the_contract(settings: Settings) -> None:
    rider, other = riders(2)
    evidence = [
        event(rider, BEGIN_S, "online"),
        event(rider, BEGIN_S + 5, "offline"),
        event(rider, BEGIN_S + 600, "online"),
        event(rider, BEGIN_S + 4 * HOUR_S, "online"),
        event(rider, BEGIN_S + 4 * HOUR_S + 60, "order_accepted", "x", "B"),
        event(rider, BEGIN_S + 4 * HOUR_S + 900, "order_delivered", "x", "B"),
        event(rider, BEGIN_S + 6 * HOUR_S, "order_accepted", "x", "B"),
        event(other, BEGIN_S + 6 * HOUR_S + 600, "order_accepted", "x", "B"),
        event(other, BEGIN_S + 6 * HOUR_S + 1800, "order_delivered", "x", "B"),
    ]

    async def run() -> None:
        life = await Life(settings, BEGIN_S).begin()
        await life.go(BEGIN_S)
        for one in evidence:
            await at_once(settings, [one])
            await life.go(second_of(one))
        await life.go(BEGIN_S + 7 * HOUR_S)
        kinds = {
            ("A", "brief_session"): 1,
            ("A", "repeated_online"): 1,
            ("B", "reused_order"): 1,
            ("B", "shared_order"): 1,
        }
        assert counted(life) == kinds
        folder = shared_folder(settings.shared_dir, settings.group, settings.prefix)
        assert folder is not None
        shared = SharedPartition(folder / "p0", 0, digest_of(life.run.limits, settings.store(0)))
        (line,) = shared.two_riders().tolist()
        assert line[1:] == [BEGIN_S + 6 * HOUR_S + 600, BEGIN_S + 6 * HOUR_S + 1800]
        await life.crash()
        await assert_as_replayed(settings, evidence, BEGIN_S + 7 * HOUR_S)

    asyncio.run(run())


def test_an_order_of_riders_in_two_partitions_of_one_worker_is_counted(settings: Settings) -> None:
    (first,), (second,) = riders(1, 0), riders(1, 1)

    async def run(*, catching_up: bool) -> dict[tuple[str, str], float]:
        order = f"o-{catching_up}"
        sent = {
            0: [event(first, BEGIN_S, "order_accepted", order)],
            1: [
                event(second, BEGIN_S + 600, "order_accepted", order),
                event(second, BEGIN_S + 1800, "order_delivered", order),
            ],
        }
        one = await Life(settings, BEGIN_S).begin()
        two = await Life(settings, BEGIN_S, number=1, beside=one).begin()
        await one.go(BEGIN_S)
        await two.go(BEGIN_S)
        for number, life in ((0, one), (1, two)):
            await send(settings, [(event_, BEGIN_S + 1800) for event_ in sent[number]], number)
            await life.go(BEGIN_S + 1800 + (HOUR_S if catching_up else 0))
        found = counted(two)
        assert counted(one) == {}
        await one.crash()
        await two.crash()
        return found

    assert asyncio.run(run(catching_up=False)) == {("A", "shared_order"): 1}
    # An hour behind it cannot be told from an order whose cancellation has not been read yet.
    assert asyncio.run(run(catching_up=True)) == {}
