"""Topics as they are in Kafka: looked at, made, and mended where they differ."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import (
    TopicAlreadyExistsError,
)

from stream.kafka.admin import KafkaUnavailable
from stream.kafka.topics.wanted import Wanted

_SHOWN_S, _LOOK_S = 10.0, 0.05


_UNKNOWN_TOPIC, _NOT_AUTHORIZED = 3, 29


Say = Callable[[str], None]


class TopicsRefused(ValueError):
    """Topics that a worker must not start on; the message has every fault and what mends it."""


def partition_counts(admin: KafkaAdminClient, topics: Sequence[Wanted]) -> dict[str, int]:
    """Partitions of those topics that exist."""
    counts = {}
    for found in admin.describe_topics([topic.name for topic in topics]):
        if found["error_code"] == _UNKNOWN_TOPIC:
            continue
        if found["error_code"] == _NOT_AUTHORIZED:
            raise KafkaUnavailable(
                f"TopicAuthorizationFailed: no right to topic {found['name']}; "
                "`respite secure` gives each role what it needs"
            )
        if found["error_code"]:
            raise TopicsRefused(
                f"topic {found['name']}: Kafka's error {found['error_code']} when describing it"
            )
        counts[str(found["name"])] = len(found["partitions"])
    return counts


def configs_of(admin: KafkaAdminClient, topics: Sequence[Wanted]) -> dict[str, dict[str, str]]:
    """Values in force, defaults included, of the settings that the contract speaks of."""
    if not topics:
        return {}
    names = (
        "cleanup.policy", "retention.ms", "message.timestamp.type", "max.message.bytes",
        "min.compaction.lag.ms",
    )  # fmt: skip
    asked = [ConfigResource(ConfigResourceType.TOPIC, topic.name, dict.fromkeys(names)) for topic in topics]
    found = admin.describe_configs(asked, config_filter="all")["topic"]
    hidden = [topic for topic, values in found.items() if not values]
    if hidden:
        raise KafkaUnavailable(
            f"TopicAuthorizationFailed: no right to see the settings of {', '.join(hidden)}; "
            "`respite secure` gives each role what it needs"
        )
    return {
        topic: {name: str(entry["value"]) for name, entry in values.items()}
        for topic, values in found.items()
    }


def create(admin: KafkaAdminClient, topic: Wanted, partitions: int, replication: int | None) -> None:
    """Make a topic, unless another process just made the same."""
    options = {
        "num_partitions": partitions,
        "replication_factor": -1 if replication is None else replication,
        "configs": {**topic.hints, **topic.configs},
    }
    try:
        admin.create_topics({topic.name: options}, wait_for_metadata=True)
    except TopicAlreadyExistsError:
        # Two commands at once: fine when both want the same.
        if partition_counts(admin, [topic]) != {topic.name: partitions}:
            raise


def mend(admin: KafkaAdminClient, topics: Sequence[Wanted], say: Say) -> None:
    """Set what differs from what is asked for, and wait until the broker shows it."""
    named = {topic.name: topic for topic in topics}
    mended = []
    for name, current in configs_of(admin, topics).items():
        changes = _changes(named[name], current)
        if changes:
            admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, changes)])
            mended.append(named[name])
            say(f"set on {name}: " + ", ".join(f"{key}={value}" for key, value in changes.items()))
    _await_mended(admin, mended)


def _changes(topic: Wanted, current: Mapping[str, str]) -> dict[str, str]:
    return {
        key: value for key, value in topic.configs.items() if not _suffices(key, current.get(key, ""), value)
    }


def _await_mended(admin: KafkaAdminClient, topics: Sequence[Wanted]) -> None:
    """Wait until it shows: the controller says yes before every broker knows, and a worker may look next."""
    deadline_s = time.monotonic() + _SHOWN_S
    while topics := _unmended(admin, topics):
        if time.monotonic() > deadline_s:
            names = ", ".join(topic.name for topic in topics)
            raise KafkaUnavailable(
                f"the settings of {names} have been changed, and after {_SHOWN_S:g} s the broker still shows "
                "the old ones; see its log and run the command again"
            )
        time.sleep(_LOOK_S)


def _unmended(admin: KafkaAdminClient, topics: Sequence[Wanted]) -> list[Wanted]:
    found = configs_of(admin, topics)
    return [topic for topic in topics if _changes(topic, found[topic.name])]


def _suffices(key: str, current: str, asked: str) -> bool:
    if key == "min.compaction.lag.ms" and current:
        return int(current) >= int(asked)
    if key == "retention.ms" and current:
        return int(current) < 0 or int(current) >= int(asked)
    return current == asked
