"""From a platform's events to its receiver: worker, the platform's topic, ``respite webhooks``, a request."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from schemas.decode import murmur2
from stream.kafka.topics import provisioning
from stream.settings import Settings
from tests.stream.api.test_with_worker import POLICY
from tests.stream.topic_contents import records_of
from tests.stream.webhooks.outlet import FAST, Outlet
from tests.stream.webhooks.receiver import Got, Receiver, Reply
from tests.stream.worker.processes import PARTITIONS, Workers, until, written

pytestmark = pytest.mark.kafka
OURS = tuple(f"r{number}" for number in range(30))
THEIRS = tuple(f"s{number}" for number in range(30))
#: Of every rider: a limit was near, was reached, and an order was pushed all the same.
KINDS = ["approaching", "limit_reached", "hold_breached"]


def told_to(got: list[Got], rider: str) -> list[str]:
    """The kinds of a rider's alerts as they came, repeats left out."""
    once = dict.fromkeys((one.webhook_id, one.body["kind"]) for one in got if one.body["rider_id"] == rider)
    return [kind for _, kind in once]


@pytest.fixture
def settings(broker: Any, prefix: str) -> Settings:
    made = Settings(broker=broker.bootstrap, prefix=prefix, group=prefix, outlets=("alpha", "omega"))
    provisioning.ensure_topics(made, PARTITIONS)
    return made


def work(settings: Settings, riders: tuple[str, ...], platform: str) -> None:
    """Riders who reached their limit minutes ago, and whose platform pushed them another order then."""
    producer = KafkaProducer(bootstrap_servers=settings.broker)
    now_s = int(time.time())
    for rider in riders:
        for order, ago_s in (("first", 600), ("second", 300)):
            event = {
                "schema": "work-state/1", "event_id": f"{rider}-{order}", "rider_id": rider,
                "order_id": order, "platform": platform, "event_time": written(now_s - ago_s),
                "type": "order_accepted",
            }  # fmt: skip
            place = murmur2(rider.encode()) % PARTITIONS
            producer.send(settings.source_topic, json.dumps(event).encode(), partition=place)
    producer.close()


def test_what_a_worker_tells_a_platform_arrives_signed_whole_and_in_order_though_the_sender_is_killed(
    settings: Settings, workers: Workers, tmp_path: Path
) -> None:
    policy = tmp_path / "quick.toml"
    text = POLICY.replace('limit = "5s"', 'limit = "60s"\nwarn_before = ["20s"]')
    policy.write_text(text, encoding="utf-8")
    outlet = Outlet(settings, tmp_path, made=True)
    # Slow, so that it is killed in the middle: after it has committed some, with requests under way.
    with Receiver(lambda *_: Reply(delay_s=0.2)) as receiver:
        config = outlet.config(receiver.url, FAST + "concurrency = 4\n")
        try:
            sender = outlet.start(config)
            workers.start(policy=str(policy), outlets=settings.outlets)
            work(settings, OURS, "alpha")
            work(settings, THEIRS, "omega")
            until(lambda: len(receiver.got) > 40, "some have arrived", workers)
            sender.kill()
            sender.wait(10)
            before = len(receiver.got)
            assert before < len(OURS) * len(KINDS)
            outlet.start(config)
            until(lambda: all(told_to(receiver.accepted, one) == KINDS for one in OURS), "all", workers)
        finally:
            outlet.stop()
    # Every signature was verified by the library; nothing of others, nothing that platforms must not see.
    assert receiver.forged == []
    assert {one.body["rider_id"] for one in receiver.got} == set(OURS)
    assert not any({"zone", "window", "evidence"} & set(one.body) for one in receiver.got)
    # A repeat has the id of the first, and the same body; what is new has its own.
    bodies = {one.webhook_id: one.body for one in receiver.got}
    assert all(one.body == bodies[one.webhook_id] for one in receiver.got)
    assert len(bodies) == len({one["alert_id"] for one in bodies.values()}) == len(OURS) * len(KINDS)
    lying = {json.loads(one.value or b"")["alert_id"] for one in records_of(settings.broker, outlet.alerts)}
    assert {one["alert_id"] for one in bodies.values()} == lying
