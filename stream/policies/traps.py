"""What a policy file says legally and hardly means: told by ``respite policy check``, and never refused."""

from __future__ import annotations

import re
from datetime import date

from schemas.durations import write_duration
from schemas.policy import Policy
from schemas.policy_calendar import DAY_S
from schemas.policy_examples import Example
from schemas.policy_limit import PolicyLimit
from schemas.policy_words import in_language

_SHORT_REST_S = 300
#: How long evidence counts without an end, by default.
_LONGEST_S = {
    "order": 3 * 3_600,
    "loaded": 3 * 3_600,
    "online": 16 * 3_600,
    "driving": 16 * 3_600,
    "on_duty": 16 * 3_600,
}
_ETC = re.compile(r"Etc/GMT([+-])(\d+)")


def traps(policy: Policy, today: date) -> list[str]:
    """What is to be looked at once more, with its place and what would mend it."""
    found = _zone(policy)
    if policy.valid_from is not None and policy.valid_from > today:
        found.append(f"valid_from: {policy.valid_from} has not come yet: until then it tells nothing")
    if policy.valid_until is not None and policy.valid_until < today:
        found.append(f"valid_until: {policy.valid_until} is past: it tells nothing any more")
    for number, one in enumerate(policy.limits, start=1):
        found += [f'limit[{number}] "{one.name}": {text}' for text in [*_silent(one), *_odd(one)]]
    for number, example in enumerate(policy.examples, start=1):
        found += [
            f'example[{number}] "{in_language(example.title, "en")}": {text}' for text in _cut_off(example)
        ]
    return found


def _cut_off(example: Example) -> list[str]:
    """Spans of which the end counts nothing: what is open that long has ended before."""
    return [
        f'span {span.place} "{text}" counts for {write_duration(_LONGEST_S[span.word])} at most: '
        "write it as two spans, one after the other"
        for span, text in zip(example.timeline, example.spans, strict=True)
        if span.end_s - span.begin_s > _LONGEST_S[span.word]
    ]


def _zone(policy: Policy) -> list[str]:
    etc = _ETC.fullmatch(policy.time_zone)
    if etc and int(etc[2]):
        lies, other = ("west", "-") if etc[1] == "+" else ("east", "+")
        return [
            (
                f'time_zone: "{policy.time_zone}" lies {etc[2]} h {lies} of Greenwich, UTC{other}{etc[2]}: '
                'its sign is turned round. Name a place, like "Asia/Shanghai"'
            )
        ]
    if "/" not in policy.time_zone and policy.time_zone not in ("UTC", "GMT"):
        return [
            (
                f'time_zone: "{policy.time_zone}" is an old short name, and some know no summer time; name a '
                'place, like "Asia/Shanghai"'
            )
        ]
    return []


def _silent(one: PolicyLimit) -> list[str]:
    """Limits that do not fire again although the count stays above."""
    if one.release != "elapsed" or not one.hold_for_s:
        return []
    hold_for = write_duration(one.hold_for_s)
    if one.kind == "rolling" and one.reset_s is None:
        return [
            (
                f"after its hold of {hold_for} it is silent for good while the count stays at {_amount(one)} "
                'or above: name a `reset`, or release = "window"'
            )
        ]
    rest_s = one.rest_s if one.kind == "rest_within" else one.reset_s
    if rest_s and one.hold_for_s < rest_s:
        return [
            (
                f"its hold of {hold_for} is over before a rest of {write_duration(rest_s)} can be: who goes "
                'on working then is not held again until he has rested; release = "rest" waits for the rest'
            )
        ]
    return []


def _odd(one: PolicyLimit) -> list[str]:
    found = []
    if one.kind == "day" and one.amount_s >= DAY_S:
        found.append(f"`limit` {_amount(one)} can be reached only on a day longer than 24 h: is it meant so?")
    if one.kind == "week" and one.amount_s >= (one.weeks or 1) * 7 * DAY_S:
        found.append(f"`limit` {_amount(one)} can be reached only in a week with a longer day")
    if one.kind == "month" and one.amount_s >= 31 * DAY_S:
        found.append(f"`limit` {_amount(one)} can be reached only in a month with a longer day")
    if one.reset_s and one.reset_s < _SHORT_REST_S:
        found.append(f"`reset` {write_duration(one.reset_s)}: every pause between two orders is such a rest")
    if one.reset_s and one.reset_s > one.amount_s and one.kind == "continuous" and one.amount_s < 3_600:
        found.append(f"`limit` {_amount(one)} is less than an hour: is the unit right?")
    if one.effect != "remind" and one.message is None:
        found.append("has no `message`: the rider is held and reads nothing of why")
    return found


def _amount(one: PolicyLimit) -> str:
    return write_duration(one.amount_s)
