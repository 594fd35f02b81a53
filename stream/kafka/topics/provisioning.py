"""The topics of Respite: made as the contract asks, and judged before a worker starts on them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from uuid import UUID

from kafka.admin import KafkaAdminClient
from kafka.errors import (
    ClusterAuthorizationFailedError,
    TopicAuthorizationFailedError,
)

from schemas.policy import InvalidPolicy, Policy
from stream.kafka.admin import KafkaUnavailable, administration
from stream.kafka.topics.existing import Say, TopicsRefused, configs_of, create, mend, partition_counts
from stream.kafka.topics.wanted import SHORTEST_RETENTION_S, ZONE_CONDITION, Wanted, retention_s, wanted
from stream.policies.shadow import all_policies
from stream.settings import Settings

DEFAULT_PARTITIONS = 4
#: Roles of the topics that no other party reads or writes.
_OUR_OWN = ("state", "control", "shadow")
#: Settings that name topics.
_NAMES = (
    "prefix", "source", "alerts", "status", "watermark", "dead_letter", "state", "control", "zone_condition",
    "shadow_alerts", "shadow_state",
)  # fmt: skip


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
    topics = wanted(
        settings, retention_s(all_policies(settings.policies, settings.shadow_policies), settings.lateness)
    )
    with administration(settings) as admin:
        counts = partition_counts(admin, topics)
        number = (
            partitions
            or counts.get(settings.source_topic)
            or max(_like_the_source(topics, counts).values(), default=DEFAULT_PARTITIONS)
        )
        faults = _differing(_like_the_source(topics, counts), number, settings)
        if faults:
            raise TopicsRefused("\n".join(faults))
        for topic in topics:
            if topic.name not in counts:
                own = topic.partitions or number
                create(admin, topic, own, replication)
                say(f"made {topic.name} with {own} partition{'s' if own > 1 else ''}")
        mend(admin, [topic for topic in topics if topic.name in counts], say)
    return number


def _kept_s(settings: Settings) -> int:
    return retention_s(all_policies(settings.policies, settings.shadow_policies), settings.lateness)


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
    policies = all_policies(settings.policies, settings.shadow_policies)
    topics = wanted(settings, retention_s(policies, settings.lateness))
    if not looks_at_conditions(policies):
        topics = [topic for topic in topics if topic.role != ZONE_CONDITION]
    with administration(settings) as admin:
        counts = partition_counts(admin, topics)
        if settings.source_topic in counts:
            counts |= _make_our_own(admin, topics, counts, counts[settings.source_topic])
        configs = configs_of(admin, [topic for topic in topics if topic.name in counts])
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
    faults += _of_conditions(settings, configs)
    if faults:
        faults = ["; ".join(faults), f"mend it with: {mending_command(settings)}"]
    if number:
        faults += _differing(_like_the_source(topics, counts), number, settings)
    if faults:
        raise TopicsRefused("\n".join(faults))
    return number


def looks_at_conditions(policies: Sequence[Policy]) -> bool:
    """Whether a limit of these policies is on only where a condition is announced."""
    return any(one.condition or one.when for policy in policies for one in policy.limits)


def _of_conditions(settings: Settings, configs: Mapping[str, Mapping[str, str]]) -> list[str]:
    """What is wrong with the topic of conditions, where it is looked at."""
    # A condition is announced when Kafka takes it, whatever the message says.
    found = configs.get(settings.zone_condition_topic)
    if found is None or settings.clock == "event" or found["message.timestamp.type"] == "LogAppendTime":
        return []
    stamped_by = found["message.timestamp.type"]
    name = settings.zone_condition_topic
    return [f"topic {name} has message.timestamp.type={stamped_by}, must be LogAppendTime"]


def _like_the_source(topics: Sequence[Wanted], counts: Mapping[str, int]) -> dict[str, int]:
    """The counts of those topics that must have as many partitions as the source."""
    own = {topic.name for topic in topics if topic.partitions is not None}
    return {name: count for name, count in counts.items() if name not in own}


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
        if name in _NAMES and value != field.default:
            options.append(f"--{name.replace('_', '-')} {value}")
    options += [f"--shadow-policy {one}" for one in settings.shadow_policies]
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
