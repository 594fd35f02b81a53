"""What the API answers; the OpenAPI document is made from these."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schemas.alert import Hold, PolicyRef, Seconds
from schemas.names import Id
from schemas.policy import Clock, Effect, Kind, Release, Words

MOST_CANDIDATES = 100_000
LONGEST_ORDER_MINUTES = 1440
Minutes = Annotated[
    int,
    Field(
        ge=1,
        le=LONGEST_ORDER_MINUTES,
        description="How long the order would be in hand, in minutes, from its acceptance to its delivery.",
    ),
]
_CLOSED = ConfigDict(extra="forbid", frozen=True)


class ProblemDocument(BaseModel):
    """Why there is no answer, and what to do (RFC 9457)."""

    model_config = ConfigDict(title="Problem")

    type: str
    title: str
    status: int
    detail: str
    remedy: str


class Eligibility(BaseModel):
    """Whether an order accepted now would take a rider over a limit that holds.

    An order counts as in hand, and loaded, from now on for so many minutes. FAIL when the rider is on hold,
    or a limit with effect ``hold`` or ``confirm`` would be reached before the order's end or exactly at it.
    UNKNOWN is not PASS: the state of his partition is being restored, stale or out of reach. The answer is
    true at its moment only; ask again before every order. Instants are in UTC.
    """

    model_config = _CLOSED

    rider_id: Annotated[Id, Field(description="The rider asked about.")]
    verdict: Annotated[
        Literal["PASS", "FAIL", "UNKNOWN"],
        Field(
            description="`PASS`: the order may be pushed. `FAIL`: the order must not be pushed. "
            "`UNKNOWN`: it cannot be said; do as `if_unknown` says."
        ),
    ]
    reason: Annotated[
        str | None,
        Field(
            description="Why, for people and logs; null for PASS. FAIL: `hold`, he is due a rest now; "
            "`would_reach`, the order would reach a limit. UNKNOWN: `restoring`, a worker is building up its "
            "state; `stale`, the newest state is too old; `policies`, API and worker judge by different "
            "policies; `version`, they are of different versions; `busy`, his state changed while it was "
            "read; `unreachable`, nobody in reach has it."
        ),
    ]
    known: Annotated[
        bool | None, Field(description="Whether anything is known of him to the asker; null when UNKNOWN.")
    ]
    minutes: Minutes
    policy: Annotated[PolicyRef | None, Field(description="The policy of `limit`; null where that is.")]
    limit: Annotated[
        Id | None,
        Field(description="The binding limit: that of the verdict, or the nearest; null when there is none."),
    ]
    remaining_s: Annotated[
        Seconds | None,
        Field(
            description="Seconds that the clock of `limit` can still run before it is reached; 0 in a hold, "
            "null when there is none."
        ),
    ]
    earliest_resume: Annotated[
        AwareDatetime | None,
        Field(
            description="FAIL: do not ask for this rider again before this instant, which holds if he rests "
            "from now on; null when it is not known, and otherwise."
        ),
    ]
    as_of: Annotated[
        AwareDatetime | None,
        Field(description="The instant up to which all that happened is in the answer; null when UNKNOWN."),
    ]
    if_unknown: Annotated[
        Literal["open", "closed"],
        Field(
            description="The choice made with the asker's key for UNKNOWN and for no answer. `open`: the "
            "order may be pushed. `closed`: the order must not be pushed."
        ),
    ]


class Candidate(BaseModel):
    """One rider of a dispatch round."""

    model_config = _CLOSED

    rider_id: Id
    minutes: Minutes


class Candidates(BaseModel):
    """A dispatch round."""

    model_config = _CLOSED

    candidates: Annotated[tuple[Candidate, ...], Field(max_length=MOST_CANDIDATES)]


class Eligibilities(BaseModel):
    """The answers, in the order of the candidates."""

    model_config = _CLOSED

    answers: tuple[Eligibility, ...]


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
    limits: tuple[LimitState, ...]
    days: Annotated[tuple[Day, ...], Field(description="One per time zone of the policies.")]


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
    window_s: int | None
    rest_s: int | None
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
    earliest_resume: AwareDatetime | None
    estimated: bool
    provisional: bool
    late: bool
    best_reading: Reading
    worst_reading: Reading
    can_be_overridden_by: str
    contest: str
    contest_until: AwareDatetime
    text: str
    retracted: bool


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
