"""What the API's overview answers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schemas.alert import PolicyRef
from schemas.names import Id

#: A cell about fewer people is not shown to a regulator: by the API, and by Prometheus' recording rules.
K = 10
Count = Annotated[int, Field(ge=-1, description="-1: suppressed, fewer than k riders.")]
_CLOSED = ConfigDict(extra="forbid", frozen=True)


class PartitionHealth(BaseModel):
    """How far one partition is."""

    model_config = _CLOSED

    partition: int
    worker: str | None
    now: AwareDatetime | None
    clock: Annotated[
        Literal["wall", "event"] | None, Field(description="What drives *now*; null where it is not known.")
    ]
    said_s: Annotated[
        int | None, Field(description="Seconds of the wall clock since its worker said anything.")
    ]
    lag_s: Annotated[
        int | None, Field(description="How far *now* was behind then; null where events are the clock.")
    ]
    lag_records: int | None
    fresh: bool
    reason: str | None


class Near(BaseModel):
    """A rider on hold or near a limit."""

    model_config = _CLOSED

    rider_id: Id
    status: Literal["clear", "approaching", "hold"]
    policy: PolicyRef | None
    limit: Id | None
    remaining_s: int | None
    hold_until: AwareDatetime | None


class ShadowLimit(BaseModel):
    """What a limit of a policy in the shadow would do now; nobody is held by it."""

    model_config = _CLOSED

    policy: PolicyRef
    limit: Id
    riders_on_hold: Annotated[Count, Field(description="Riders whom it would hold.")]
    working: Annotated[Count, Field(description="Those of them with an order in hand.")]
    orders_accepted: Annotated[
        Count,
        Field(description="Orders accepted in what would have been its holds, in the last day or so."),
    ]


class Overview(BaseModel):
    """What a console shows. Riders appear only to those whose business they are."""

    model_config = _CLOSED

    as_of: AwareDatetime
    k: Annotated[int | None, Field(description="Counts below this are suppressed; null: none are.")]
    complete: Annotated[bool, Field(description="False when some partition is not fresh or not in reach.")]
    riders: Count
    statuses: dict[Literal["clear", "approaching", "hold"], Count]
    holds_by_limit: dict[str, Count]
    riders_by_zone: dict[str, dict[Literal["clear", "approaching", "hold"], Count]]
    riders_by_platform: Annotated[
        dict[str, dict[Literal["clear", "approaching", "hold"], Count]],
        Field(description="A rider of several platforms is counted with each."),
    ]
    breaches_by_platform: dict[str, Count]
    persons_shown: Annotated[
        bool, Field(description="False: riders are not named to this role, whatever the counts say.")
    ]
    rest_stops_named: Annotated[
        bool, Field(description="Whether the API has a file of rest stops, and so answers `/v1/rest-stops`.")
    ]
    on_hold: tuple[Near, ...]
    nearest: Annotated[
        tuple[Near, ...], Field(description="The clock of the limit named runs; who rests is not in it.")
    ]
    alerts_per_minute: float
    alerts_by_kind: dict[str, Count]
    events_per_second: float | None
    dead_letters: dict[str, int]
    partitions: tuple[PartitionHealth, ...]
    shadow: Annotated[
        tuple[ShadowLimit, ...], Field(description="Policies that are tried; empty where none is.")
    ]
