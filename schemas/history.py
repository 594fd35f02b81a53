"""What the API answers about the last hours."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schemas.alert import PolicyRef
from schemas.names import Id
from schemas.overview import Count

_CLOSED = ConfigDict(extra="forbid", frozen=True)


class RidersAt(BaseModel):
    """Riders by status at an instant."""

    model_config = _CLOSED

    at: AwareDatetime
    clear: Count
    approaching: Count
    hold: Count
    is_gap: Annotated[bool, Field(description="Between this sample and the one before nothing was seen.")]


class PlatformHour(BaseModel):
    """Of a platform's own riders, in an hour."""

    model_config = _CLOSED

    holds: Annotated[Count, Field(description="Holds begun.")]
    breached: Annotated[Count, Field(description="Of these holds, those that the platform breached.")]
    breaches: Annotated[Count, Field(description="Its breaches in this hour, whenever the hold began.")]


class HourOfAlerts(BaseModel):
    """What was told in an hour, by the alerts' own times; what was taken back later stays counted."""

    model_config = _CLOSED

    start: AwareDatetime
    kinds: dict[str, Count]
    zones: Annotated[dict[str, Count], Field(description="Holds begun, by zone.")]
    platforms: dict[str, PlatformHour]


class LimitUsage(BaseModel):
    """Riders by how much of a limit they have used."""

    model_config = _CLOSED

    policy: PolicyRef
    limit: Id
    tenths: Annotated[
        tuple[Count, ...],
        Field(
            description="Ten tenths of the limit, then those who have reached it.",
            min_length=11,
            max_length=11,
        ),
    ]


class Usage(BaseModel):
    """How much of each limit riders have used."""

    model_config = _CLOSED

    riders: Count
    looked_at: Annotated[Count, Field(description="Of so many; of more an even sample.")]
    limits: tuple[LimitUsage, ...]


class HistoryDocument(BaseModel):
    """The last hours in counts. A regulator sees hours that are over, and counts in multiples of ``k``."""

    model_config = _CLOSED

    as_of: AwareDatetime
    k: Annotated[int | None, Field(description="Counts below this are suppressed; null: none are.")]
    samples_from: Annotated[
        Literal["api", "prometheus"], Field(description="Who has counted riders over time.")
    ]
    samples: tuple[RidersAt, ...]
    hours: tuple[HourOfAlerts, ...]
    usage: Usage
