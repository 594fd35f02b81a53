"""The topics of Respite as the contract asks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas.policy import Policy
from schemas.policy_calendar import DAY_S, LONGEST_CALENDAR_S, WEEK_S
from stream.settings import Settings

SHORTEST_RETENTION_S = 8 * DAY_S
#: The role of a topic that a worker needs only where a policy looks at conditions.
ZONE_CONDITION = "zone_condition"


#: A restore reads all of it, so what has been overwritten should go soon.
_STATE_HINTS = {
    "segment.ms": "600000",
    "segment.bytes": "67108864",
    "min.cleanable.dirty.ratio": "0.1",
    "delete.retention.ms": "600000",
}


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
    #: How many partitions it has; None: as many as the source.
    partitions: int | None = None


def retention_s(policies: Sequence[Policy], lateness_s: int) -> int:
    """How long events must be kept: the longest window, the allowed lateness and a day, at least 8 days."""
    windows_s = [
        limit.window_s or LONGEST_CALENDAR_S.get(limit.window_kind, 0) + ((limit.weeks or 1) - 1) * WEEK_S
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
        Wanted(
            ZONE_CONDITION,
            settings.zone_condition_topic,
            {
                **compact,
                "message.timestamp.type": "LogAppendTime",
                # What can be judged again looks at what had been announced then.
                "min.compaction.lag.ms": str(keep_s * 1000),
            },
            {},
            partitions=1,
        ),
        *_shadow(settings, keep, compact),
        *(Wanted("outlet", settings.alerts_of(one), keep, {}) for one in settings.outlets),
        *(Wanted("outlet", settings.status_of(one), compact, often) for one in settings.outlets),
    ]


def _shadow(settings: Settings, keep: dict[str, str], compact: dict[str, str]) -> list[Wanted]:
    """What policies in the shadow need; nothing where there are none."""
    if not settings.shadow_policies:
        return []
    return [
        Wanted("shadow", settings.shadow_alerts_topic, keep, {}),
        Wanted(
            "shadow", settings.shadow_state_topic, {**compact, "max.message.bytes": "2097152"}, _STATE_HINTS
        ),
    ]
