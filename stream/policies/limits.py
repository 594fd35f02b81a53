"""From the limits of policy files to those that the detectors take."""

from __future__ import annotations

from collections.abc import Sequence

from detectors.limits import Limit
from schemas.policy import Policy, PolicyLimit
from schemas.policy_calendar import WEEKDAYS, seconds_of_day


def limits_of(policies: Sequence[Policy]) -> list[Limit]:
    """The limits of policies as the detectors take them."""
    return [_limit(policy, one) for policy in policies for one in policy.limits]


def _limit(policy: Policy, one: PolicyLimit) -> Limit:
    window_s, rest_s = one.window_s or 0, one.rest_s or 0
    within = one.kind == "rest_within"
    return Limit(
        policy=policy.ref,
        name=one.name,
        kind=one.kind,
        clock=one.clock,
        limit_s=window_s - rest_s if within else one.limit_s or 0,
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
    )
