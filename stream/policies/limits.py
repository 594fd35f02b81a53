"""From the limits of policy files to those that the detectors take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detectors.calendar import begin_of
from detectors.kernels.layout.values import INF, PAST, WEEK_S
from detectors.limits import Limit
from schemas.policy import Policy
from schemas.policy_calendar import WEEKDAYS, seconds_of_day
from schemas.policy_limit import PolicyLimit
from stream.policies.calendars import window_starts

#: Of a policy that is judged whatever its dates.
ALWAYS = PAST, INF


def limits_of(policies: Sequence[Policy], *, enforced: bool = True) -> list[Limit]:
    """The limits of policies as the detectors take them; not ``enforced``: whatever the policies' dates."""
    return [
        _limit(policy, one, in_force(policy) if enforced else ALWAYS)
        for policy in policies
        for one in policy.limits
    ]


def in_force(policy: Policy) -> tuple[int, int]:
    """From which instant on a policy is in force, and from which on no longer; epoch seconds."""
    zone = policy.zone
    begins_s = PAST if policy.valid_from is None else begin_of(zone, policy.valid_from)
    ends_s = INF if policy.valid_until is None else begin_of(zone, policy.valid_until, days_later=1)
    return begins_s, ends_s


def amount_s(limit: Limit, window_start_s: int) -> int:
    """The amount of a limit in the window that begins at an instant, seconds: not all weeks are as long."""
    if not limit.per:
        return limit.limit_s
    starts = window_starts(limit.time_zone, limit.window_kind, limit.day_start_s, limit.week_start)
    index = int(np.searchsorted(starts, window_start_s, side="right"))
    return limit.limit_s + int(starts[index] - starts[index - 1]) - WEEK_S


def _limit(policy: Policy, one: PolicyLimit, in_force_s: tuple[int, int]) -> Limit:
    window_s, rest_s = one.window_s or 0, one.rest_s or 0
    within = one.kind == "rest_within"
    return Limit(
        policy=policy.ref,
        name=one.name,
        kind=one.kind,
        clock=one.clock,
        limit_s=one.amount_s,
        time_zone=policy.time_zone,
        effect=one.effect,
        release=one.release or "",
        reset_s=rest_s if within else one.reset_s or 0,
        window_s=0 if within else window_s,
        warn_before_s=tuple(one.warn_before_s),
        remind_every_s=one.remind_every_s or 0,
        hold_for_s=one.hold_for_s or 0,
        reset_parts_s=tuple(one.reset_parts_s),
        reset_sum_s=one.reset_sum_s or 0,
        sum_part_s=one.reset_sum_parts_s or 0,
        reset_clock=one.reset_clock or "",
        weeks=one.weeks or 1,
        day_start_s=seconds_of_day(one.day_start or "00:00"),
        week_start=WEEKDAYS.index(one.week_start or "monday"),
        per=one.per or "",
        between_s=_hours(one),
        condition=one.condition or "",
        when=one.when or "",
        zones=tuple(one.zones or ()),
        dates=tuple(one.dates or ()),
        begins_s=in_force_s[0],
        ends_s=in_force_s[1],
    )


def _hours(one: PolicyLimit) -> tuple[int, ...]:
    """The two times of day, seconds from midnight; none where they are the whole day."""
    if one.between is None or (one.kind != "ban" and one.between[0] == one.between[1]):
        return ()
    return tuple(seconds_of_day(text) for text in one.between)
