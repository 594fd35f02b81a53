"""Alert: what is told of a limit, for the operator, the regulator and Respite's own outlets."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schemas.names import Id
from schemas.policy_limit import Clock, Release
from schemas.policy_words import Words

_STRICT = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
PolicyRef = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}@[1-9][0-9]*$", description="name@version")]
Seconds = Annotated[int, Field(ge=0)]


class Span(BaseModel):
    """A half-open stretch of time, in the policy's time zone."""

    model_config = _STRICT

    start: AwareDatetime
    end: AwareDatetime


class Hold(BaseModel):
    """A time in which no new order may be pushed to the rider."""

    model_config = _STRICT

    from_: Annotated[AwareDatetime, Field(alias="from", description="When it began.")]
    until: Annotated[
        AwareDatetime | None, Field(description="The earliest end known; the end, once released.")
    ]
    release: Annotated[
        Release | Literal["review"],
        Field(description="How it ends; review: an operator has ended it."),
    ]
    told_at: Annotated[AwareDatetime | None, Field(description="When its first alert was published.")]


class Alert(BaseModel):
    """One verdict told; per ``alert_id`` the last message counts, until a ``retracted`` names it."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, title="Alert")

    schema_: Annotated[Literal["fatigue-alert/1"], Field(alias="schema")]
    alert_id: Annotated[str, Field(min_length=1)]
    kind: Literal["approaching", "limit_reached", "reminder", "hold_released", "hold_breached", "retracted"]
    rider_id: Id
    policy: PolicyRef
    limit: Id
    clock: Clock
    event_time: AwareDatetime
    counted_s: Seconds
    limit_s: Seconds
    window: Span
    hold: Hold | None
    provisional: Annotated[bool, Field(description="Evidence that may change it can still arrive.")]
    estimated: Annotated[
        bool, Field(description="The evidence shown is open, or ended where a maximum ended it.")
    ]
    platform: Id | None
    zone: Id | None
    source: str
    evidence: Annotated[tuple[Span, ...], Field(max_length=50)]
    message: Words | None
    supersedes: Annotated[str | None, Field(description="Of a retraction: the alert that it takes back.")]
    detected_at: AwareDatetime | None = None
