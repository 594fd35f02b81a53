"""How much rest is still missing before a limit counts anew, in words."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from detectors.kernels.layout.values import EVIDENCE_SPANS
from detectors.rider_view import Stretch
from schemas.durations import write_duration
from schemas.instants import parse_instant
from schemas.policy_limit import PolicyLimit

_MINUTE_S = 60
#: Longer rests are said in hours and minutes.
_MOST_MINUTES_S = 3 * 3_600


@dataclass(frozen=True, slots=True)
class Missing:
    """What is missing at an instant, seconds.

    ``now_s``: of the rest that is under way, or begins now. ``later_s``: of later rests, in their order, if
    that one is broken off; ``least_s`` is how long each must at least be where they are summed.
    """

    now_s: int
    later_s: tuple[int, ...]
    least_s: int = 0


def missing_at(rule: PolicyLimit, rests_s: Sequence[int], under_way_s: int) -> Missing:
    """What is missing of the rests that make a limit count anew.

    Parameters
    ----------
    rests_s
        How long each rest was since the episode's first counted second, but for that under way.
    under_way_s
        How long the rest under way has lasted; 0 while the clock runs.

    Examples
    --------
    >>> from schemas.policy_limit import PolicyLimit
    >>> tree = {"name": "a", "kind": "continuous", "clock": "driving", "limit": "4h30min", "reset": "45min"}
    >>> rule = PolicyLimit.model_validate(tree | {"reset_parts": ["15min", "30min"], "effect": "remind"})
    >>> missing_at(rule, [900], 0)
    Missing(now_s=1800, later_s=(1800,), least_s=0)
    >>> missing_at(rule, [], 900)
    Missing(now_s=1800, later_s=(1800,), least_s=0)
    """
    alone_s = (rule.rest_s if rule.kind == "rest_within" else rule.reset_s) or 0
    now_s, least_s = alone_s - under_way_s, 0
    later: tuple[int, ...] = (alone_s,)
    if rule.reset_parts_s:
        taken = _parts_taken(rule.reset_parts_s, rests_s)
        if taken == len(rule.reset_parts_s) - 1:
            now_s = min(now_s, rule.reset_parts_s[-1] - under_way_s)
        later = rule.reset_parts_s[_parts_taken(rule.reset_parts_s, [*rests_s, under_way_s]) :]
    elif rule.reset_sum_s:
        least_s = rule.reset_sum_parts_s or 0
        before_s = sum(one for one in rests_s if one >= least_s)
        now_s = min(now_s, max(least_s, rule.reset_sum_s - before_s) - under_way_s)
        done_s = before_s + (under_way_s if under_way_s >= least_s else 0)
        later = (max(least_s, rule.reset_sum_s - done_s),)
    return Missing(max(0, now_s), later, least_s)


def _parts_taken(parts_s: Sequence[int], rests_s: Sequence[int]) -> int:
    taken = 0
    for rest_s in rests_s:
        if taken < len(parts_s) and rest_s >= parts_s[taken]:
            taken += 1
    return taken


def missing_rest(
    rule: PolicyLimit, alert: dict[str, Any], lang: Literal["zh", "en"], ran: Sequence[Stretch] = ()
) -> str | None:
    """What rest was missing at the instant of an alert, in words.

    Parameters
    ----------
    ran
        When the clock ran whose rests reset the limit, as far as that is known; looked at where it is
        another clock than the limit's, whose own the alert shows.

    None where no rest makes the limit count anew, where its rests are not all known (there are too many),
    and of what has ended.
    """
    if not (rule.reset_s or rule.rest_s) or rule.per is not None or rule.kind == "rolling":
        return None
    if alert["kind"] in ("hold_released", "hold_breached"):
        return None
    at_s = parse_instant(alert["event_time"])
    worked = _worked(alert, at_s) if rule.reset_clock is None else _cut(ran, alert, at_s)
    if not worked:
        return None
    rests_s = [following[0] - one[1] for one, following in itertools.pairwise(worked)]
    return in_words(missing_at(rule, rests_s, at_s - worked[-1][1]), lang)


def _worked(alert: dict[str, Any], at_s: int) -> list[tuple[int, int]]:
    """When the limit's clock ran since its episode began; nothing where not all of it is shown."""
    shown = [(parse_instant(one["start"]), parse_instant(one["end"])) for one in alert["evidence"]]
    return [(start, min(end, at_s)) for start, end in shown] if len(shown) < EVIDENCE_SPANS else []


def _cut(ran: Sequence[Stretch], alert: dict[str, Any], at_s: int) -> list[tuple[int, int]]:
    """The stretches since the episode began; nothing where they are not known from there on."""
    begin_s = parse_instant(alert["window"]["start"])
    found = [
        (one.start_s, at_s if one.end_s is None else min(one.end_s, at_s))
        for one in ran
        if one.start_s <= at_s and (one.end_s is None or one.end_s > begin_s)
    ]
    return found if found and found[0][0] <= begin_s else []


def in_words(found: Missing, lang: Literal["zh", "en"]) -> str:
    """What is missing, as it is said to a person.

    Examples
    --------
    >>> in_words(Missing(1800, (2700,)), "en")
    '30 more minutes now, or 45 later.'
    >>> in_words(Missing(2700, (900, 1800)), "en")
    '45 more minutes now, or 15 and then 30 later.'
    >>> in_words(Missing(1800, (1800,)), "zh")
    '还需休息 30 分钟，现在或稍后均可。'
    """
    amounts = (found.now_s, *found.later_s, found.least_s)
    in_minutes = all(one % _MINUTE_S == 0 and one < _MOST_MINUTES_S for one in amounts)
    if lang == "zh":
        return _in_chinese(found, in_minutes=in_minutes)
    return _in_english(found, in_minutes=in_minutes)


def _in_english(found: Missing, *, in_minutes: bool) -> str:
    def said(amount_s: int) -> str:
        return str(amount_s // _MINUTE_S) if in_minutes else write_duration(max(1, amount_s))

    more = f"{said(found.now_s)} more minutes" if in_minutes else f"{said(found.now_s)} more"
    each = f", in rests of at least {said(found.least_s)}" if found.least_s else ""
    if (found.now_s,) == found.later_s:
        return f"{more}, now or later{each}."
    return f"{more} now, or {' and then '.join(map(said, found.later_s))} later{each}."


def _in_chinese(found: Missing, *, in_minutes: bool) -> str:
    def said(amount_s: int) -> str:
        return f"{amount_s // _MINUTE_S} 分钟" if in_minutes else write_duration(max(1, amount_s))

    each = f"，每次至少 {said(found.least_s)}" if found.least_s else ""
    if (found.now_s,) == found.later_s:
        return f"还需休息 {said(found.now_s)}，现在或稍后均可{each}。"
    later = " 和 ".join(map(said, found.later_s))
    in_turn = "先后" if len(found.later_s) > 1 else ""
    return f"现在再休息 {said(found.now_s)}，或稍后{in_turn}休息 {later}{each}。"
