"""What the API answers; the OpenAPI document is made from these."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schemas.alert import Hold, PolicyRef, Seconds
from schemas.names import Id
from schemas.policy_limit import Clock, Effect, Kind, Release
from schemas.policy_words import Words
from schemas.rest_stops import RestStopView

_CLOSED = ConfigDict(extra="forbid", frozen=True)


class ProblemDocument(BaseModel):
    """Why there is no answer, and what to do (RFC 9457)."""

    model_config = ConfigDict(title="Problem")

    type: str
    title: str
    status: int
    detail: str
    remedy: str


class HoldView(BaseModel):
    """A hold that is on; ``until`` is not before this, null where not known."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    from_: Annotated[AwareDatetime, Field(alias="from")]
    until: AwareDatetime | None
    release: Release


class LimitState(BaseModel):
    """What one limit says of a rider at ``as_of``, in the policy's time zone."""

    model_config = _CLOSED

    policy: PolicyRef
    limit: Id
    kind: Kind
    clock: Clock
    effect: Effect
    counted_s: int
    limit_s: int
    left_s: int
    reached: bool
    counting_since: AwareDatetime | None
    resets_at: Annotated[
        AwareDatetime | None, Field(description="If he rested from now on; null where that is not known.")
    ]
    hold: HoldView | None


class Interval(BaseModel):
    """A half-open stretch in which a clock ran; ``open`` when it runs still."""

    model_config = _CLOSED

    start: AwareDatetime
    end: AwareDatetime
    open: bool
    ended_by_maximum: bool


class Day(BaseModel):
    """A local day of a policy: what each clock did."""

    model_config = _CLOSED

    time_zone: str
    day: date
    start: AwareDatetime
    end: AwareDatetime
    clocks: dict[Clock, tuple[Interval, ...]]


class RiderState(BaseModel):
    """One rider: all limits under all clocks, and his day."""

    model_config = _CLOSED

    rider_id: Id
    status: Literal["clear", "approaching", "hold"]
    as_of: AwareDatetime
    orders_in_hand: int
    last_event: AwareDatetime | None
    limits: Annotated[tuple[LimitState, ...], Field(description="Those of policies in force at `as_of`.")]
    days: Annotated[tuple[Day, ...], Field(description="One per time zone of the policies.")]
    days_before: Annotated[tuple[Day, ...], Field(description="The local day before each of these.")]
    rest_stops: Annotated[
        tuple[RestStopView, ...] | None,
        Field(
            description="On hold: rest stops of his zone that are open until it can end; null: not on hold, "
            "or no file of rest stops."
        ),
    ]


class RiderSummary(BaseModel):
    """What a platform may know of its rider."""

    model_config = _CLOSED

    rider_id: Id
    status: Literal["clear", "approaching", "hold"]
    as_of: AwareDatetime
    hold_until: AwareDatetime | None
    remaining_s: Seconds | None


class LimitText(BaseModel):
    """A limit of a policy as data and in words."""

    model_config = _CLOSED

    name: Id
    kind: Kind
    clock: Clock
    clock_means: Words
    limit_s: int
    reset_s: int | None
    reset_parts_s: tuple[int, ...]
    reset_sum_s: int | None
    reset_sum_parts_s: int | None
    reset_clock: Clock | None
    window_s: int | None
    rest_s: int | None
    per: Literal["week"] | None
    day_start: str | None
    week_start: str | None
    weeks: int | None
    between: Annotated[
        tuple[str, str] | None,
        Field(description="Only these local hours count, a ban is on in them; null where all do."),
    ]
    condition: Annotated[
        str | None, Field(description="Of a ban: on where and while this is announced; null for others.")
    ]
    when: Annotated[
        str | None, Field(description="Told only where and while this is announced; null: always.")
    ]
    dates: Annotated[
        tuple[str, str] | None, Field(description="Days of the year on which the hours of a ban are on.")
    ]
    zones: Annotated[
        tuple[str, ...] | None, Field(description="Zones of a ban in certain hours; null for all.")
    ]
    warn_before_s: tuple[int, ...]
    remind_every_s: int | None
    effect: Effect
    release: Release | None
    hold_for_s: int | None
    message: Words | None
    source: str


class PolicyText(BaseModel):
    """A policy as a page shows it."""

    model_config = _CLOSED

    policy: PolicyRef
    time_zone: str
    valid_from: date | None
    valid_until: date | None
    modality: str
    title: Words
    source: str
    limits: tuple[LimitText, ...]


class Policies(BaseModel):
    """The policies that judge here."""

    model_config = _CLOSED

    policies: tuple[PolicyText, ...]


class Reading(BaseModel):
    """The verdict if uncertain data is read one way; null where that cannot be said."""

    model_config = _CLOSED

    counted_s: int | None
    reached: bool | None
    text: str


class DoubtfulEvidence(BaseModel):
    """Evidence that counts as told and may be wrong; the verdict without it, null where it cannot be said."""

    model_config = _CLOSED

    kind: Literal["repeated_online", "brief_session", "reused_order", "shared_order"]
    platform: Id
    start: AwareDatetime
    end: AwareDatetime
    counted_s: int | None
    reached: bool | None
    text: str


class Explained(BaseModel):
    """Why an alert was told, complete enough to be contested."""

    model_config = _CLOSED

    decision_id: str
    kind: str
    rider_id: Id
    policy: PolicyRef
    limit: Id
    modality: str
    source: str
    clock: Clock
    clock_means: str
    time_zone: str
    window_start: AwareDatetime | None
    window_end: AwareDatetime | None
    counted_s: int
    counted: tuple[tuple[AwareDatetime, AwareDatetime], ...]
    not_counted: tuple[tuple[AwareDatetime, AwareDatetime], ...]
    limit_s: int
    over_s: int
    first_instant: AwareDatetime
    resets_by: str
    rest_missing: Annotated[
        str | None,
        Field(
            description="What rest was missing at the instant; null where no rest resets, or it is not known."
        ),
    ]
    earliest_resume: AwareDatetime | None
    estimated: bool
    provisional: bool
    late: bool
    best_reading: Reading
    worst_reading: Reading
    doubtful: Annotated[
        tuple[DoubtfulEvidence, ...], Field(description="Flags of quality, each by itself; the last 16.")
    ]
    can_be_overridden_by: str
    contest: str
    contest_until: AwareDatetime
    text: str
    retracted: bool
    rest_stops: Annotated[
        tuple[RestStopView, ...] | None,
        Field(
            description="Of a hold: rest stops of the rider's zone that are open until it can end; null: no "
            "hold, or no file of rest stops, or not shown to this role."
        ),
    ]


class ToldAlert(BaseModel):
    """An alert of a rider, as lists show it; the explanation is under its id."""

    model_config = _CLOSED

    alert_id: str
    kind: Literal["approaching", "limit_reached", "reminder", "hold_released", "hold_breached"]
    policy: PolicyRef
    limit: Id
    clock: Clock
    event_time: AwareDatetime
    counted_s: Seconds
    limit_s: Seconds
    hold: Hold | None
    platform: Annotated[Id | None, Field(description="Of a breach: who pushed the order.")]
    retracted: bool


class ToldAlerts(BaseModel):
    """The recent alerts of a rider, the earliest first."""

    model_config = _CLOSED

    alerts: tuple[ToldAlert, ...]


class Health(BaseModel):
    """Alive."""

    model_config = _CLOSED

    status: Literal["ok"]


class Ready(BaseModel):
    """Whether answers other than UNKNOWN can be expected."""

    model_config = _CLOSED

    ready: bool
    reason: str | None
