"""Rests that add up, and the clock whose rests they are: what limits may say of them (RULEBOOK 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.durations import write_duration
from schemas.faults.meant import listed

if TYPE_CHECKING:
    from schemas.policy_limit import PolicyLimit

MOST_PARTS = 4
SHORTEST_PART_S = 60
#: Clocks that run whenever the limit's does.
RESET_CLOCKS = {
    "order": ("online", "duty"),
    "loaded": ("order", "online", "duty"),
    "online": ("duty",),
    "driving": ("duty",),
    "duty": (),
}
_WITH_RESET = ("continuous", "span", "rolling")


def rest_faults(one: PolicyLimit) -> list[str]:
    """What contradicts itself in a limit's rests."""
    given = {
        "reset_parts": bool(one.reset_parts_s),
        "reset_sum": one.reset_sum_s is not None,
        "reset_sum_parts": one.reset_sum_parts_s is not None,
    }
    if one.kind != "continuous":
        faults = [
            f"`{key}` has no meaning for kind {one.kind}: leave it out"
            for key, is_given in given.items()
            if is_given
        ]
        return faults + _clock_faults(one)
    faults = []
    if given["reset_parts"] and (given["reset_sum"] or given["reset_sum_parts"]):
        faults.append("`reset_parts` and `reset_sum` are two ways to say it: name one of them")
    if given["reset_sum"] != given["reset_sum_parts"]:
        lacks = "reset_sum_parts" if given["reset_sum"] else "reset_sum"
        faults.append(f"`reset_sum` and `reset_sum_parts` go together: add `{lacks}`, which is missing")
    return faults + _part_faults(one) + _clock_faults(one)


def _part_faults(one: PolicyLimit) -> list[str]:
    faults = []
    reset_s, parts = one.reset_s or 0, one.reset_parts_s
    if parts and not 2 <= len(parts) <= MOST_PARTS:
        faults.append(f"`reset_parts` has {len(parts)}, must be 2 to {MOST_PARTS} rests")
    for part in parts:
        if part < SHORTEST_PART_S:
            faults.append(f"`reset_parts` {write_duration(part)} must be at least 1min")
        if reset_s and part >= reset_s:
            faults.append(f"`reset_parts` {write_duration(part)} must be below `reset`")
    if one.reset_sum_s and reset_s and one.reset_sum_s > reset_s:
        faults.append(f"`reset_sum` {write_duration(one.reset_sum_s)} must be at most `reset`")
    if one.reset_sum_s and one.reset_sum_parts_s and one.reset_sum_parts_s > one.reset_sum_s:
        faults.append(
            f"`reset_sum_parts` {write_duration(one.reset_sum_parts_s)} must be at most `reset_sum`"
        )
    return faults


def _clock_faults(one: PolicyLimit) -> list[str]:
    if one.reset_clock is None:
        return []
    if one.kind not in _WITH_RESET or one.reset_s is None:
        return ["`reset_clock` goes with a `reset` only: leave it out"]
    if one.reset_clock not in RESET_CLOCKS[one.clock]:
        allowed = [f'"{name}"' for name in RESET_CLOCKS[one.clock]]
        choice = f"it must be {listed(allowed)}, or left out" if allowed else "leave it out"
        return [f'`reset_clock` "{one.reset_clock}" does not run whenever {one.clock} does: {choice}']
    return []
