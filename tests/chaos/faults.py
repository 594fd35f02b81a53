"""The faults of a run: each does its worst to a city and returns when the fault itself is over."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType

from detectors.kernels.layout.values import PAGES
from schemas.checkpoint import MARKER_KEY
from schemas.checkpoint_page import page_key
from tests.chaos.city import PARTITIONS, City
from tests.chaos.machine import (
    block_interpreter,
    block_loop,
    clock_back,
    clock_forward,
    fill_disk,
    pass_by,
    starve_worker,
)
from tests.stream.topic_contents import records_of

Fault = Callable[[City], None]
#: Longer than the group's session time-out of 10 s: the partitions are given to others meanwhile.
OVER_A_SESSION_S = 12.5


def kill_worker(city: City) -> None:
    """``kill -9`` of a worker; its supervisor starts it again at once."""
    slot = city.rng.randrange(len(city.workers))
    city.workers[slot].kill()
    city.workers[slot].wait(10)
    city.start_worker(slot)


def kill_all_workers(city: City) -> None:
    """``kill -9`` of every worker at once."""
    for process in city.workers:
        process.kill()
    for slot, process in enumerate(city.workers):
        process.wait(10)
        city.start_worker(slot)


def restart_worker(city: City) -> None:
    """``SIGTERM``: the worker drains and leaves, another takes its place."""
    slot = city.rng.randrange(len(city.workers))
    process = city.workers[slot]
    process.send_signal(signal.SIGTERM)
    code = process.wait(15)
    assert code == 0, f"a worker asked to stop has ended with {code}"
    city.start_worker(slot)


def pause_worker(city: City) -> None:
    """``SIGSTOP`` for longer than a session: it wakes up after it has been succeeded."""
    process = city.workers[city.rng.randrange(len(city.workers))]
    process.send_signal(signal.SIGSTOP)
    pass_by(OVER_A_SESSION_S)
    process.send_signal(signal.SIGCONT)


def storm(city: City) -> None:
    """Workers come and go, a rebalance every few seconds."""
    for _ in range(3):
        city.start_worker(len(city.workers))
        pass_by(city.rng.uniform(2, 5))
        process = city.workers.pop()
        process.kill()
        process.wait(10)


def kill_broker(city: City) -> None:
    """``kill -9`` of the broker, started again on its data."""
    city.broker.kill()
    city.broker.start()


def pause_broker(city: City) -> None:
    """The broker freezes for 8 s with its connections open."""
    city.broker.pause()
    pass_by(8)
    city.broker.resume()


def reset_connections(city: City) -> None:
    """Every connection of the workers is reset."""
    city.proxy.reset()


def delay(city: City) -> None:
    """200 ms more on every piece, for 6 s."""
    city.proxy.delay_s = 0.2
    pass_by(6)
    city.proxy.delay_s = 0.0


def partition(city: City) -> None:
    """Nothing passes between workers and broker for longer than a session."""
    with city.proxy.partitioned():
        pass_by(OVER_A_SESSION_S)


def _into_state(city: City, key: bytes, value: bytes | None) -> None:
    producer = KafkaProducer(bootstrap_servers=city.settings.broker)
    number = city.rng.randrange(PARTITIONS)
    producer.send(city.settings.state_topic, value, key=key, partition=number)
    producer.flush()
    producer.close()


def _state_of(city: City) -> dict[bytes, bytes]:
    """Records of the state, whichever partition they lie in."""
    records = records_of(city.settings.broker, city.settings.state_topic)
    return {one.key: one.value for one in records if one.key and one.value}


def damage_pages(city: City) -> None:
    """A flipped bit in one page, another cut short, a third gone; then every worker is killed."""
    whole = {key: value for key, value in _state_of(city).items() if key.startswith(b"page/")}
    for key, value in city.rng.sample(sorted(whole.items()), min(3, len(whole))):
        at = city.rng.randrange(len(value))
        flipped = value[:at] + bytes([value[at] ^ (1 << city.rng.randrange(8))]) + value[at + 1 :]
        _into_state(city, key, city.rng.choice([flipped, value[:at], None]))
    _into_state(city, page_key(city.rng.randrange(PAGES), 0), b"not a page at all")
    kill_all_workers(city)


def damage_marker(city: City) -> None:
    """The marker of a partition is overwritten with rubbish; then every worker is killed."""
    _into_state(city, MARKER_KEY, b"RS rubbish")
    kill_all_workers(city)


def truncate_state(city: City) -> None:
    """The state topic loses all its records; then every worker is killed."""
    _delete_records(city, city.settings.state_topic)
    kill_all_workers(city)


def lose_group(city: City) -> None:
    """All workers are killed and the group's offsets are set back to the start."""
    for process in city.workers:
        process.kill()
        process.wait(10)
    admin = KafkaAdminClient(bootstrap_servers=city.settings.broker)
    try:
        deadline = time.monotonic() + 30
        # The group must be empty for that: its dead members are in it until their session ends.
        while (
            admin.describe_groups(["chaos"])["chaos"]["group_state"] != "Empty"
            and time.monotonic() < deadline
        ):
            pass_by(0.5)
        admin.delete_groups(["chaos"])
    finally:
        admin.close()
    for slot in range(len(city.workers)):
        city.start_worker(slot)


def announce_between_owners(city: City) -> None:
    """Conditions are announced while every partition is without an owner, and as they are taken over."""
    city.announce()
    pass_by(2)
    for process in city.workers:
        process.kill()
        process.wait(10)
    for _ in range(3):
        city.announce()
        pass_by(city.rng.uniform(0, 2))
    for slot in range(len(city.workers)):
        city.start_worker(slot)
    for _ in range(3):
        pass_by(city.rng.uniform(0, 5))
        city.announce()


def _delete_records(city: City, topic: str) -> None:
    places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    consumer = KafkaConsumer(bootstrap_servers=city.settings.broker)
    ends = consumer.end_offsets(places)
    consumer.close()
    admin = KafkaAdminClient(bootstrap_servers=city.settings.broker)
    try:
        # Kafka deletes records only of topics that are not just compacted.
        _set_policy(admin, topic, "compact,delete")
        admin.delete_records(ends)
        _set_policy(admin, topic, "compact")
    finally:
        admin.close()


def _set_policy(admin: KafkaAdminClient, topic: str, policy: str) -> None:
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"cleanup.policy": policy})])


#: Name, fault, how long the city may take to be current again afterwards.
FAULTS: dict[str, tuple[Fault, float]] = {
    "worker killed": (kill_worker, 60),
    "all workers killed": (kill_all_workers, 60),
    "worker stopped in order": (restart_worker, 60),
    "worker paused and succeeded": (pause_worker, 60),
    "rebalance storm": (storm, 90),
    "broker killed": (kill_broker, 90),
    "broker paused": (pause_broker, 60),
    "connections reset": (reset_connections, 60),
    "200 ms of delay": (delay, 60),
    "network partition": (partition, 90),
    "pages damaged": (damage_pages, 90),
    "marker damaged": (damage_marker, 90),
    "state truncated": (truncate_state, 90),
    "group's offsets lost": (lose_group, 90),
    "event loop blocked": (block_loop, 60),
    "interpreter blocked": (block_interpreter, 60),
    "worker out of memory": (starve_worker, 60),
    "broker's disk full": (fill_disk, 90),
    "clock an hour forward": (clock_forward, 60),
    "clock an hour back": (clock_back, 60),
    "conditions announced between owners": (announce_between_owners, 60),
}
#: What the short form tries.
SHORT = (
    "worker killed",
    "worker paused and succeeded",
    "broker killed",
    "connections reset",
    "pages damaged",
)
