"""The topics of Respite: made as the contract asks, and judged before a worker starts on them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import (
    ClusterAuthorizationFailedError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
)

from schemas.policy import DAY_S, LONGEST_CALENDAR_S, InvalidPolicy, Policy
from stream.kafka.admin import KafkaUnavailable, administration
from stream.policies.loader import load_all
from stream.settings import Settings

DEFAULT_PARTITIONS = 4
SHORTEST_RETENTION_S = 8 * DAY_S
_SHOWN_S, _LOOK_S = 10.0, 0.05
_UNKNOWN_TOPIC, _NOT_AUTHORIZED = 3, 29
#: Roles of the topics that no other party reads or writes.
_OUR_OWN = ("state", "control")
#: A restore reads all of it, so what has been overwritten should go soon.
_STATE_HINTS = {
    "segment.ms": "600000",
    "segment.bytes": "67108864",
    "min.cleanable.dirty.ratio": "0.1",
    "delete.retention.ms": "600000",
}

Say = Callable[[str], None]


class TopicsRefused(ValueError):
    """Topics that a worker must not start on; the message has every fault and what mends it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One topic as it should be.

    Parameters
    ----------
    role
        What Respite uses it for: ``source``, ``alerts``, …
    configs
        What the contract asks for; set on a topic that stands there already, too.
    hints
        What is set only on a topic that is made new; an operator may know better.
    """

    role: str
    name: str
    configs: Mapping[str, str]
    hints: Mapping[str, str]


def retention_s(policies: Sequence[Policy], lateness_s: int) -> int:
    """How long events must be kept: the longest window, the allowed lateness and a day, at least 8 days."""
    windows_s = [
        limit.window_s or LONGEST_CALENDAR_S.get(limit.kind, 0)
        for policy in policies
        for limit in policy.limits
    ]
    return max(SHORTEST_RETENTION_S, max(windows_s, default=0) + lateness_s + DAY_S)


def wanted(settings: Settings, keep_s: int) -> list[Wanted]:
    """The topics of a worker with these settings; ``keep_s`` as `retention_s` says."""
    keep = {"cleanup.policy": "delete", "retention.ms": str(keep_s * 1000)}
    # Readers begin with the whole topic, so what has been overwritten should go within the hour.
    compact, often = (
        {"cleanup.policy": "compact"},
        {"segment.ms": "3600000", "min.cleanable.dirty.ratio": "0.2"},
    )
    return [
        Wanted("source", settings.source_topic, {**keep, "message.timestamp.type": "LogAppendTime"}, {}),
        Wanted("alerts", settings.alerts_topic, keep, {}),
        Wanted("status", settings.status_topic, compact, often),
        Wanted("watermark", settings.watermark_topic, compact, often),
        # A refused message may be as large as a broker takes, and its headers grow by ours.
        Wanted("dead_letter", settings.dead_letter_topic, {**keep, "max.message.bytes": "2097152"}, {}),
        Wanted("state", settings.state_topic, {**compact, "max.message.bytes": "2097152"}, _STATE_HINTS),
        # An order to forget must be there for as long as what it forgets can be read again.
        Wanted("control", settings.control_topic, {**keep, "message.timestamp.type": "LogAppendTime"}, {}),
        *(Wanted("outlet", settings.alerts_of(one), keep, {}) for one in settings.outlets),
        *(Wanted("outlet", settings.status_of(one), compact, often) for one in settings.outlets),
    ]


def ensure_topics(
    settings: Settings,
    partitions: int | None = None,
    replication: int | None = None,
    say: Say = lambda _: None,
) -> int:
    """Make what is missing, mend what differs, and return the number of partitions.

    Parameters
    ----------
    partitions
        None: as many as the topics have that stand there already, else 4. Never changed afterwards, because
        riders would change their places.
    replication
        None: the broker's default.
    say
        Told of each change.

    Raises
    ------
    TopicsRefused
        When topics stand there with other partition counts.
    InvalidPolicy
        When the policies, which decide how long events are kept, cannot be loaded.
    KafkaUnavailable
        When Kafka cannot be reached or refuses.
    """
    topics = wanted(settings, retention_s(load_all(settings.policies), settings.lateness))
    with administration(settings) as admin:
        counts = partition_counts(admin, topics)
        number = (
            partitions
            or counts.get(settings.source_topic)
            or max(counts.values(), default=DEFAULT_PARTITIONS)
        )
        faults = _differing(counts, number, settings)
        if faults:
            raise TopicsRefused("\n".join(faults))
        for topic in topics:
            if topic.name not in counts:
                create(admin, topic, number, replication)
                say(f"made {topic.name} with {number} partitions")
        _mend(admin, [topic for topic in topics if topic.name in counts], say)
    return number


def checked_partitions(settings: Settings) -> int:
    """The number of partitions of topics that a worker may start on.

    Where the topics that others see are there, those that are ours alone are made.

    Raises
    ------
    TopicsRefused
        With every fault: a topic is missing, partition counts differ, the source lacks ``LogAppendTime``.
    InvalidPolicy
        When the policies, which decide how long events are kept, cannot be loaded.
    KafkaUnavailable
        When Kafka cannot be reached or refuses.
    """
    topics = wanted(settings, retention_s(load_all(settings.policies), settings.lateness))
    with administration(settings) as admin:
        counts = partition_counts(admin, topics)
        if settings.source_topic in counts:
            counts |= _make_our_own(admin, topics, counts, counts[settings.source_topic])
        configs = _configs(admin, [topic for topic in topics if topic.name in counts])
    source = settings.source_topic
    number = counts.get(source, 0)
    faults = [f"topic {topic.name} is missing" for topic in topics if topic.name not in counts]
    # With the events' own clock nothing is judged by the time of arrival.
    stamped_by = configs[source]["message.timestamp.type"] if number else "LogAppendTime"
    if settings.clock == "wall" and stamped_by != "LogAppendTime":
        faults.append(
            f"topic {source} has message.timestamp.type={stamped_by}: the arrival must be what Kafka saw "
            "(LogAppendTime), not what a producer says"
        )
    if faults:
        faults = ["; ".join(faults), f"mend it with: {mending_command(settings)}"]
    if number:
        faults += _differing(counts, number, settings)
    if faults:
        raise TopicsRefused("\n".join(faults))
    return number


def _make_our_own(
    admin: KafkaAdminClient, topics: Sequence[Wanted], counts: Mapping[str, int], number: int
) -> dict[str, int]:
    """Make what is nobody's affair but ours, where somebody else has made the rest; the topics made."""
    made: dict[str, int] = {}
    for topic in topics:
        if topic.role in _OUR_OWN and topic.name not in counts:
            # Without the right to, it is missing, and the refusal names the command.
            with suppress(TopicAuthorizationFailedError, ClusterAuthorizationFailedError):
                create(admin, topic, number, None)
                made[topic.name] = number
    return made


def topic_id(settings: Settings, name: str) -> str:
    """The id that Kafka gave a topic when it was made (KIP-516); empty where the broker has none.

    Raises
    ------
    KafkaUnavailable
        Kafka cannot be reached or refuses.
    """
    with administration(settings) as admin:
        found = admin.describe_topics([name])[0].get("topic_id")
    return "" if found is None or not UUID(str(found)).int else str(found)


def source_partitions(settings: Settings) -> int:
    """The number of partitions of the source, for those who write into it.

    Raises
    ------
    TopicsRefused
        There is no such topic.
    """
    source = wanted(settings, SHORTEST_RETENTION_S)[0]
    with administration(settings) as admin:
        found = partition_counts(admin, [source])
    if not found:
        raise TopicsRefused(f"topic {source.name} is missing; make it with: {mending_command(settings)}")
    return found[source.name]


def mending_command(settings: Settings) -> str:
    """What makes or mends the topics of these settings; credentials come from the environment."""
    options = [f"--broker {settings.broker}"]
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if (
            name in ("prefix", "source", "alerts", "status", "watermark", "dead_letter", "state", "control")
            and value != field.default
        ):
            options.append(f"--{name.replace('_', '-')} {value}")
    if settings.outlets:
        options.append(f"--outlets {','.join(settings.outlets)}")
    return " ".join(["respite topics", *options])


def run(settings: Settings, partitions: int | None = None, replication: int | None = None) -> int:
    """The command ``respite topics``; the exit status."""
    try:
        number = ensure_topics(settings, partitions, replication, say=_tell)
        checked_partitions(settings)
    except (TopicsRefused, InvalidPolicy) as error:
        _tell(str(error))
        return 2
    except KafkaUnavailable as error:
        _tell(str(error))
        return 1
    _tell(f"the topics stand, with {number} partitions each")
    return 0


def _tell(text: str) -> None:
    sys.stderr.write(text + "\n")


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


def _configs(admin: KafkaAdminClient, topics: Sequence[Wanted]) -> dict[str, dict[str, str]]:
    """Values in force, defaults included, of the settings that the contract speaks of."""
    if not topics:
        return {}
    names = ("cleanup.policy", "retention.ms", "message.timestamp.type", "max.message.bytes")
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


def _mend(admin: KafkaAdminClient, topics: Sequence[Wanted], say: Say) -> None:
    named = {topic.name: topic for topic in topics}
    mended = []
    for name, current in _configs(admin, topics).items():
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
    found = _configs(admin, topics)
    return [topic for topic in topics if _changes(topic, found[topic.name])]


def _suffices(key: str, current: str, asked: str) -> bool:
    if key == "retention.ms" and current:
        return int(current) < 0 or int(current) >= int(asked)
    return current == asked


def _differing(counts: Mapping[str, int], number: int, settings: Settings) -> list[str]:
    others = ", ".join(f"{name} has {count}" for name, count in counts.items() if count != number)
    if not others:
        return []
    fault = (
        f"every topic must have {number} partitions, but {others}: a rider's place follows from the count, "
        "which is fixed once data is there. Keep the source's count and remove the topics that differ, "
        f"or begin anew under other names: {mending_command(settings)} --partitions {number} --prefix NEW."
    )
    return [fault]
