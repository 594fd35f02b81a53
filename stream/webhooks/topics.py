"""The topics of the webhooks: the platforms' own, which must be there, and that of the dead letters."""

from __future__ import annotations

from schemas.policy_calendar import DAY_S
from stream.kafka.admin import administration
from stream.kafka.topics.existing import TopicsRefused, create, partition_counts
from stream.kafka.topics.wanted import Wanted
from stream.settings import Settings
from stream.webhooks.config import Config, Endpoint

_RETENTION_S = 14 * DAY_S
#: The largest record of a broker's default, and its headers.
_LARGEST_BYTES = 1_200_000


def dead_letters_of(settings: Settings, config: Config) -> str:
    """The topic of what could not be delivered."""
    return settings.prefix + config.dead_letter


def topics_of(settings: Settings, endpoint: Endpoint) -> list[str]:
    """What an endpoint reads."""
    statuses = [settings.status_of(endpoint.platform)] if endpoint.statuses else []
    return [settings.alerts_of(endpoint.platform), *statuses]


def ensure_topics(settings: Settings, config: Config) -> dict[str, int]:
    """Make the topic of the dead letters if it is missing; the platforms' topics must be there.

    Returns the partitions of each.

    Raises
    ------
    TopicsRefused
        Topics of a platform are missing.
    KafkaUnavailable
        Kafka cannot be reached or refuses.
    """
    read = sorted({name for one in config.endpoint for name in topics_of(settings, one)})
    letters = Wanted(
        "webhook_dead_letter",
        dead_letters_of(settings, config),
        {
            "cleanup.policy": "delete",
            "retention.ms": str(_RETENTION_S * 1000),
            "max.message.bytes": str(_LARGEST_BYTES),
        },
        {},
    )
    with administration(settings) as admin:
        counts = partition_counts(admin, [letters, *(Wanted("outlet", name, {}, {}) for name in read)])
        missing = [name for name in read if name not in counts]
        if missing:
            raise TopicsRefused(
                f"missing: {', '.join(missing)}; name the platforms in RESPITE_OUTLETS and run respite topics"
            )
        if letters.name not in counts:
            counts[letters.name] = max(counts.values())
            create(admin, letters, counts[letters.name], None)
    return counts
