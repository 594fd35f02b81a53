"""One limit of a policy: what is counted, when it is reached, what then happens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, model_validator

from schemas.durations import LONGEST_S, parse_amount, parse_limit_duration, write_duration
from schemas.faults.meant import listed
from schemas.names import Id
from schemas.policy_calendar import (
    CALENDAR_KINDS,
    LONGEST_CALENDAR_S,
    MOST_WEEKS,
    WEEK_S,
    Weekday,
    calendar_faults,
    checked_hours,
    checked_time,
)
from schemas.policy_gates import checked_dates, gate_faults
from schemas.policy_rests import rest_faults
from schemas.policy_words import Text, Words
from schemas.zone_condition import checked_zone

Duration = Annotated[int, BeforeValidator(parse_limit_duration)]
Amount = Annotated[int, BeforeValidator(parse_amount)]
Weeks = Annotated[StrictInt, Field(ge=2, le=MOST_WEEKS)]
LocalTime = Annotated[str, BeforeValidator(checked_time)]
Dates = Annotated[tuple[str, str], BeforeValidator(checked_dates)]
Zones = Annotated[tuple[Annotated[str, BeforeValidator(checked_zone)], ...], Field(min_length=1)]
Hours = Annotated[tuple[str, str], BeforeValidator(checked_hours)]
Kind = Literal["continuous", "day", "week", "month", "rolling", "span", "rest_within", "ban"]
Clock = Literal["order", "online", "loaded", "driving", "duty"]
Effect = Literal["remind", "confirm", "hold"]
Release = Literal["rest", "elapsed", "window", "confirm"]


def releases_of(kind: str, effect: str, *, has_reset: bool) -> tuple[str, ...]:
    """The releases that a limit may name; the first is the default, none for reminders."""
    if effect == "remind":
        return ()
    if effect == "confirm":
        return ("confirm",)
    if kind in ("continuous", "span", "rest_within"):
        return ("rest", "elapsed")
    if kind == "rolling" and has_reset:
        return ("rest", "window", "elapsed")
    return ("window", "elapsed")


class PolicyLimit(BaseModel):
    """One limit; durations in seconds after parsing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Id
    kind: Kind
    clock: Clock
    limit_s: Amount | None = Field(default=None, alias="limit")
    reset_s: Duration | None = Field(default=None, alias="reset")
    reset_parts_s: tuple[Duration, ...] = Field(default=(), alias="reset_parts")
    reset_sum_s: Duration | None = Field(default=None, alias="reset_sum")
    reset_sum_parts_s: Duration | None = Field(default=None, alias="reset_sum_parts")
    reset_clock: Clock | None = None
    window_s: Duration | None = Field(default=None, alias="window")
    rest_s: Duration | None = Field(default=None, alias="rest")
    warn_before_s: tuple[Amount, ...] = Field(default=(), alias="warn_before")
    remind_every_s: Duration | None = Field(default=None, alias="remind_every")
    day_start: LocalTime | None = None
    week_start: Weekday | None = None
    weeks: Weeks | None = None
    per: Literal["week"] | None = None
    between: Hours | None = None
    condition: Annotated[
        Id | None, Field(description="Of a ban: it is on where and while this is announced.")
    ] = None
    dates: Annotated[
        Dates | None, Field(description="Of a ban with `between`: both days included, every year.")
    ] = None
    zones: Annotated[
        Zones | None, Field(description="Of a ban with `between`: where; a trailing * stands for any rest.")
    ] = None
    when: Annotated[
        Id | None, Field(description="Of any other kind: told only where and while this is announced.")
    ] = None
    effect: Effect
    release: Release | None = None
    hold_for_s: Duration | None = Field(default=None, alias="hold_for")
    message: Words | None = None
    source: Text | None = None

    @property
    def amount_s(self) -> int:
        """What must be counted for the limit to be reached, seconds; per week, that of one of seven days."""
        if self.per is not None:
            return WEEK_S - (self.rest_s or 0)
        if self.kind == "rest_within":
            return (self.window_s or 0) - (self.rest_s or 0)
        return self.limit_s or 0

    @property
    def window_kind(self) -> str:
        """The kind; of a rest per week, that of its windows."""
        return self.per or self.kind

    @property
    def needs(self) -> frozenset[str]:
        """The keys that say its amount, all of them needed."""
        return needed(self.kind, has_per=self.per is not None)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        calendar = calendar_faults(self)
        faults = [*_pieces(self), *_amounts(self), *calendar, *rest_faults(self), *gate_faults(self)]
        faults += _release(self)
        if faults:
            raise ValueError("; ".join(faults))
        if self.release is None and self.effect != "remind":
            release = releases_of(self.window_kind, self.effect, has_reset=self.reset_s is not None)[0]
            object.__setattr__(self, "release", release)
        return self


#: By kind, the keys that it needs to say its amount.
NEEDED = {
    "continuous": {"limit", "reset"},
    "day": {"limit"},
    "week": {"limit"},
    "month": {"limit"},
    "rolling": {"limit", "window"},
    "span": {"limit", "reset"},
    "rest_within": {"window", "rest"},
    "ban": set(),
}
#: The keys that say amounts.
AMOUNTS = ("limit", "reset", "window", "rest")
_ALLOWED = {**NEEDED, "rolling": {"limit", "window", "reset"}}


def needed(kind: str, *, has_per: bool) -> frozenset[str]:
    """The keys that a limit of a kind needs to say its amount."""
    return frozenset(NEEDED[kind] - {"window"} if has_per and kind == "rest_within" else NEEDED[kind])


def allowed(kind: str, *, has_per: bool) -> frozenset[str]:
    """Those of them that it may have."""
    return frozenset(_ALLOWED[kind] - {"window"} if has_per and kind == "rest_within" else _ALLOWED[kind])


def _pieces(one: PolicyLimit) -> list[str]:
    given = {key for key in ("limit", "reset", "window", "rest") if getattr(one, f"{key}_s") is not None}
    faults = [f"`{key}` is missing: kind {one.kind} needs it" for key in sorted(one.needs - given)]
    may = allowed(one.kind, has_per=one.per is not None)
    faults += [too_much(key, one.kind, has_per=one.per is not None) for key in sorted(given - may)]
    if one.kind in ("rolling", "ban") and one.remind_every_s is not None:
        faults.append(f"`remind_every` has no meaning for kind {one.kind}: leave it out")
    return faults


def _amounts(one: PolicyLimit) -> list[str]:
    faults = []
    if one.per is not None and one.rest_s and one.rest_s > WEEK_S - 2 * 3_600:
        faults.append(f"`rest` {write_duration(one.rest_s)} must be shorter than every week: at most 6d22h")
    if one.kind == "rest_within" and one.window_s and one.rest_s and one.rest_s >= one.window_s:
        rest, window = write_duration(one.rest_s), write_duration(one.window_s)
        faults.append(f"`rest` {rest} must be shorter than `window` {window}")
    if one.kind == "rolling" and one.window_s and one.limit_s and one.limit_s > one.window_s:
        limit, window = write_duration(one.limit_s), write_duration(one.window_s)
        faults.append(f"`limit` {limit} is never reached in a `window` of {window}")
    longest_s = LONGEST_CALENDAR_S.get(one.kind, 0) + (one.weeks or 1) * WEEK_S - WEEK_S
    if longest_s > 0 and one.limit_s and one.limit_s >= longest_s:
        window = f"{one.weeks} weeks" if one.weeks else f"a {one.kind}"
        faults.append(f"`limit` {write_duration(one.limit_s)} is never reached in {window}")
    if one.kind not in CALENDAR_KINDS and one.limit_s and one.limit_s > LONGEST_S:
        faults.append(f"`limit` {write_duration(one.limit_s)} must be at most 14d for kind {one.kind}")
    leads = one.warn_before_s
    faults += [
        f"`warn_before` {write_duration(lead)} must be below the limit"
        for lead in leads
        if 0 < one.amount_s <= lead
    ]
    if len(set(leads)) < len(leads):
        faults.append("`warn_before` names a lead time twice: name each once")
    if one.remind_every_s is not None and one.remind_every_s < 60:
        faults.append("`remind_every` must be at least 1min")
    return faults


def _release(one: PolicyLimit) -> list[str]:
    allowed = releases_of(one.window_kind, one.effect, has_reset=one.reset_s is not None)
    faults = []
    release = one.release or (allowed[0] if allowed else None)
    if one.release is not None and one.release not in allowed:
        # Whether `hold_for` is missing or too much follows from what is chosen instead.
        return [
            f'`release` "{one.release}" is not allowed for kind {one.kind} with effect {one.effect}: '
            + _choice_of_release(allowed)
        ]
    if release == "elapsed" and one.hold_for_s is None:
        faults.append('`hold_for` is missing: release "elapsed" needs it')
    if release != "elapsed" and one.hold_for_s is not None:
        faults.append(
            '`hold_for` goes with release "elapsed" only: '
            + ('leave it out, or write release = "elapsed"' if "elapsed" in allowed else "leave it out")
        )
    return faults


def _choice_of_release(allowed: Sequence[str]) -> str:
    if not allowed:
        return "leave it out, for a reminder holds nobody"
    words = [f'"{name}"' + (" (then with `hold_for`)" if name == "elapsed" else "") for name in allowed[1:]]
    return "it must be " + listed([f'"{allowed[0]}" (the same as leaving it out)', *words])


def too_much(key: str, kind: str, *, has_per: bool) -> str:
    """Why a key cannot stand in a limit of a kind."""
    if key == "window" and has_per:
        return "`window` and `per` are two ways to say it: name one of them"
    return f"`{key}` has no meaning for kind {kind}: leave it out"
