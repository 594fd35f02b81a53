"""A policy in words."""

from __future__ import annotations

from schemas.durations import write_duration
from schemas.policy import Policy, PolicyLimit


def describe(policy: Policy) -> str:
    """What a policy says, for a person; Chinese and English."""
    lines = [
        f"{policy.ref}  {policy.title.en}",
        f"  {policy.title.zh}",
        f"  {policy.modality}, time zone {policy.time_zone}, valid from {policy.valid_from}",
        f"  source: {policy.source}",
    ]
    for one in policy.limits:
        lines += ["", f"  {one.name}: {_amount(one)}", f"    {_effect(one)}"]
        if one.warn_before_s:
            leads = ", ".join(write_duration(lead) for lead in one.warn_before_s)
            lines.append(f"    warns {leads} before")
        if one.remind_every_s:
            lines.append(f"    reminds every {write_duration(one.remind_every_s)}")
        if one.message:
            lines += [f"    {one.message.zh}", f"    {one.message.en}"]
        if one.source:
            lines.append(f"    source: {one.source}")
    return "\n".join(lines)


def _amount(one: PolicyLimit) -> str:
    text = f"{write_duration(one.amount_s)} of {one.clock} time, {one.kind}"
    if one.weeks:
        text += f", of {one.weeks} weeks together"
    if one.day_start or one.week_start:
        text += f", begun at {one.day_start or '00:00'}" + (f" on {one.week_start}" if one.week_start else "")
    if one.window_s:
        text += f", window {write_duration(one.window_s)}"
    if one.reset_s:
        text += f", begun anew by a rest of {write_duration(one.reset_s)}"
    if one.reset_parts_s:
        text += f", or by rests of {', then '.join(write_duration(part) for part in one.reset_parts_s)}"
    if one.reset_sum_s:
        least = write_duration(one.reset_sum_parts_s or 0)
        text += f", or by rests of {least} each that add up to {write_duration(one.reset_sum_s)}"
    if one.reset_clock:
        text += f"; rests are those of the clock {one.reset_clock}"
    return text


def _effect(one: PolicyLimit) -> str:
    if one.effect == "remind":
        return "reminds"
    if one.effect == "confirm":
        return "holds new orders until the rider confirms or the episode ends"
    after = {
        "rest": "after a rest",
        "window": "when the window ends",
        "elapsed": f"after {write_duration(one.hold_for_s or 0)}",
    }
    return f"holds new orders; released {after[one.release or 'rest']}"
