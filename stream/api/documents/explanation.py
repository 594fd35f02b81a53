"""Why an alert was told: the explanation object, in Chinese or English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from detectors.doubts import Doubt
from detectors.reading import Certain
from detectors.rider_view import Stretch
from schemas.durations import write_duration
from schemas.policy import Policy
from schemas.policy_calendar import CALENDAR_KINDS, WEEKDAYS
from schemas.policy_limit import PolicyLimit
from stream.api.documents.ban_texts import over_with, said_of
from stream.api.documents.missing_rest import missing_rest

Document = dict[str, Any]
Language = Literal["zh", "en"]
Pair = tuple[str, str]
#: Reviews are asked for within this; PWD (EU) 2024/2831 Art. 11 gives two weeks for the answer.
CONTEST_DAYS = 14
_WEEKDAYS_ZH = dict(zip(WEEKDAYS, "一二三四五六日", strict=True))
CLOCKS: Mapping[str, Mapping[str, str]] = {
    "order": {
        "zh": "接单时间：在所有平台上手中至少有一单的时间，同时多单只算一次。",
        "en": "Order time: time with at least one order in hand on any platform; several at once count once.",
    },
    "loaded": {
        "zh": "载货时间：在所有平台上至少有一单已取货、未送达的时间。",
        "en": "Loaded time: time with at least one order picked up and not yet delivered, on any platform.",
    },
    "driving": {
        "zh": "驾驶时间：在任一平台上状态为驾驶（driving）的时间。",
        "en": "Driving time: time with the duty status driving on any platform.",
    },
    "duty": {
        "zh": "值勤时间：状态为驾驶或值勤（on_duty）的时间，加上在线时间和有单在手的时间。",
        "en": "Duty time: time driving or on duty on any platform, and all online and order time.",
    },
    "online": {
        "zh": "在线时间：在任一平台上线且未小休的时间，加上有单在手的时间。",
        "en": "Online time: time online on any platform, without that platform's breaks, and all order time.",
    },
}
_TEXTS: Mapping[str, Mapping[str, str]] = {
    "confirm": {"zh": "骑手本人确认后可继续。", "en": "The rider, by confirming that he wants to go on."},
    "nobody": {
        "zh": "无人可以提前解除；条件满足后自动解除。",
        "en": "Nobody; it ends by itself once its condition is met.",
    },
    "contest": {
        "zh": "向提供数据的平台或监管部门提出异议，并注明决定编号；"
        "数据有误时，平台发送更正事件（void），判定会自动重算。",
        "en": "Object to the platform that sent the data, or to the regulator, naming the decision id. Where "
        "data are wrong the platform sends a correction (void), and the verdict is computed anew.",
    },
    "certain": {
        "zh": "没有不确定的数据，结论不变。",
        "en": "No data are uncertain; the verdict is the same.",
    },
    "worst": {"zh": "不确定的时间全部计入。", "en": "All uncertain time is counted."},
    "best": {
        "zh": "只计确定的时间：未结束的、或由上限截断的订单和上线时段不计入。",
        "en": "Only certain time is counted: orders and sessions that are open, or were ended by a maximum, "
        "are left out.",
    },
    "unknown": {
        "zh": "无法再区分哪些时间不确定：数据已合并，或骑手的当前状态不在此处。",
        "en": "Which time is uncertain can no longer be told apart: the data have been merged, or the state "
        "of the rider is not at hand.",
    },
}


_DOUBTS: Mapping[str, Mapping[str, str]] = {
    "repeated_online": {
        "zh": "平台在数小时无任何事件之后再次发送上线（online），中间的时间按在线计入；"
        "可能漏发了下线（offline）。",
        "en": "The platform sent online again after hours without any event, and the time between counts as "
        "online; an offline may be missing.",
    },
    "brief_session": {
        "zh": "上线后几秒内即下线；这段极短的上线会打断休息。",
        "en": "Online and offline within seconds; so short a session interrupts a rest.",
    },
    "reused_order": {
        "zh": "同一订单号在订单送达后（或结束很久后）再次接单；可能被用于另一订单。",
        "en": "The order id was accepted again after its delivery, or long after its end; it may stand for "
        "another order.",
    },
    "shared_order": {
        "zh": "同一订单同时由另一名骑手接单；可能没有为其中一人发送取消。",
        "en": "Another rider had the same order at the same time; a cancellation may be missing.",
    },
}


def clock_means(clock: str) -> dict[str, str]:
    """A clock in plain words."""
    return dict(CLOCKS[clock])


class Explainer:
    """Explains alerts of the policies that judge here."""

    def __init__(self, policies: Sequence[Policy]) -> None:
        self._rules = {(policy.ref, one.name): (policy, one) for policy in policies for one in policy.limits}

    def explain(
        self,
        alert: Document,
        certain: Certain | None,
        lang: Language,
        *,
        retracted: bool,
        doubts: Sequence[tuple[Doubt, str, Certain]] = (),
        ran: Sequence[Stretch] = (),
    ) -> Document | None:
        """The explanation of an alert; None when its policy is no longer named here.

        Longer than others, longer because it is the table of a document's fields.

        Parameters
        ----------
        certain
            What its limit said at its instant by what is certain alone; None when that cannot be said.
        doubts
            What of it is doubtful: of which platform, and what the limit said without it.
        ran
            When the clock ran that resets the limit, where it is another than the limit's own.
        """
        found = self._rules.get((alert["policy"], alert["limit"]))
        if found is None:
            return None
        policy, rule = found
        hold = alert["hold"]
        counted = [(one["start"], one["end"]) for one in alert["evidence"]]
        event_time = datetime.fromisoformat(alert["event_time"])
        worst, best = _readings(alert, certain, lang)
        resume = hold["until"] if hold else None
        return {
            "decision_id": alert["alert_id"],
            "kind": alert["kind"],
            "rider_id": alert["rider_id"],
            "policy": alert["policy"],
            "limit": alert["limit"],
            "modality": policy.modality,
            "source": alert["source"],
            "clock": alert["clock"],
            "clock_means": CLOCKS[alert["clock"]][lang] + _hours(rule, lang),
            "time_zone": policy.time_zone,
            "window_start": alert["window"]["start"],
            "window_end": alert["window"]["end"],
            "counted_s": alert["counted_s"],
            "counted": counted,
            "not_counted": gaps(alert["window"]["start"], alert["window"]["end"], counted),
            "limit_s": alert["limit_s"],
            "over_s": max(0, alert["counted_s"] - alert["limit_s"]),
            "first_instant": alert["event_time"],
            "resets_by": resets_by(rule, lang),
            "rest_missing": missing_rest(rule, alert, lang, ran),
            "earliest_resume": resume,
            "estimated": alert["estimated"],
            "provisional": alert["provisional"],
            "late": _is_late(alert),
            "best_reading": best,
            "worst_reading": worst,
            "doubtful": [_doubtful(*one, event_time, lang) for one in doubts],
            "can_be_overridden_by": _TEXTS["confirm" if rule.effect == "confirm" else "nobody"][lang],
            "contest": _TEXTS["contest"][lang],
            "contest_until": (event_time + timedelta(days=CONTEST_DAYS)).isoformat(),
            "text": _text(alert, rule, lang, retracted=retracted),
            "retracted": retracted,
            "rest_stops": None,
        }


def gaps(start: str, end: str, counted: Sequence[Pair]) -> list[Pair]:
    """What of a window lies between the counted intervals.

    >>> gaps(
    ...     "2026-01-01T08:00:00Z", "2026-01-01T10:00:00Z", [("2026-01-01T08:30:00Z", "2026-01-01T10:00:00Z")]
    ... )
    [('2026-01-01T08:00:00Z', '2026-01-01T08:30:00Z')]
    """
    found = []
    at = start
    for first, last in counted:
        if datetime.fromisoformat(first) > datetime.fromisoformat(at):
            found.append((at, first))
        at = last
    if datetime.fromisoformat(end) > datetime.fromisoformat(at):
        found.append((at, end))
    return found


def resets_by(rule: PolicyLimit, lang: Language) -> str:
    """What makes a limit count anew, in words."""
    rest_s = rule.rest_s if rule.kind == "rest_within" else rule.reset_s
    if rule.kind == "ban":
        return over_with(rule, lang)
    if rule.window_kind in CALENDAR_KINDS:
        return _with_the_calendar(rule, lang)
    if rest_s:
        return _with_rests(rule, write_duration(rest_s), lang)
    window = write_duration(rule.window_s or 0)
    if lang == "zh":
        return f"只计最近 {window} 内的时间，较早的时间随时间推移不再计入。"
    return f"Only time in the last {window} counts; older time falls out as time passes."


def _with_rests(rule: PolicyLimit, text: str, lang: Language) -> str:
    parts = [write_duration(part) for part in rule.reset_parts_s]
    total, least = write_duration(rule.reset_sum_s or 0), write_duration(rule.reset_sum_parts_s or 0)
    if lang == "zh":
        ways = f"连续休息至少 {text}"
        ways += f"，或依次休息至少 {'、'.join(parts)}" if parts else ""
        ways += f"，或每次至少 {least} 的休息合计 {total}" if rule.reset_sum_s else ""
        clock = f"（以“{rule.reset_clock}”时钟停止为休息）" if rule.reset_clock else ""
        return f"{ways}{clock}后重新计算。"
    ways = f"An unbroken rest of at least {text}"
    ways += f", or rests of at least {', then '.join(parts)}" if parts else ""
    ways += f", or rests of at least {least} each that add up to {total}" if rule.reset_sum_s else ""
    clock = f" (of the clock {rule.reset_clock})" if rule.reset_clock else ""
    makes = "make" if parts or rule.reset_sum_s else "makes"
    return f"{ways}{clock} {makes} the count begin anew."


def _with_the_calendar(rule: PolicyLimit, lang: Language) -> str:
    at, weekday = rule.day_start or "00:00", rule.week_start or "monday"
    if lang == "zh":
        if rule.weeks:
            return f"每周{_WEEKDAYS_ZH[weekday]} {at} 起，只计本周及之前 {rule.weeks - 1} 周。"
        often = {"day": "每日", "month": "每月一日"}.get(rule.window_kind, f"每周{_WEEKDAYS_ZH[weekday]}")
        return f"{often}{'零点' if at == '00:00' else f' {at} '}重新计算。"
    if rule.weeks:
        return (
            f"With each week, which begins on {weekday.capitalize()} at {at}, what lies before the last "
            f"{rule.weeks} weeks falls out."
        )
    anew = {"day": "local day", "month": "month"}.get(rule.window_kind, f"week, on {weekday.capitalize()}")
    return f"The count begins anew with the next {anew}{'' if at == '00:00' else f', at {at}'}."


def _hours(rule: PolicyLimit, lang: Language) -> str:
    """Which hours of the day count, where not all do."""
    if rule.between is None or rule.between[0] == rule.between[1]:
        return ""
    begin, end = rule.between
    return f"只计 {begin} 至 {end} 之间。" if lang == "zh" else f" Only between {begin} and {end}."


def _is_late(alert: Document) -> bool:
    """Whether it was told more than a minute after the instant: its evidence came late."""
    if alert.get("detected_at") is None:
        return False
    told = datetime.fromisoformat(alert["detected_at"]) - datetime.fromisoformat(alert["event_time"])
    return told > timedelta(minutes=1)


def _readings(alert: Document, certain: Certain | None, lang: Language) -> tuple[Document, Document]:
    """The verdict under the worst and the best reading of uncertain data."""
    told = {"counted_s": alert["counted_s"], "reached": alert["counted_s"] >= alert["limit_s"]}
    if not (alert["estimated"] if certain is None else certain.any_uncertain):
        same = {**told, "text": _TEXTS["certain"][lang]}
        return same, same
    worst = {**told, "text": _TEXTS["worst"][lang]}
    if certain is None or certain.counted_s is None:
        return worst, {"counted_s": None, "reached": None, "text": _TEXTS["unknown"][lang]}
    best = {"counted_s": certain.counted_s, "reached": certain.reached, "text": _TEXTS["best"][lang]}
    return worst, best


def _doubtful(doubt: Doubt, platform: str, without: Certain, at: datetime, lang: Language) -> Document:
    """One doubt; it reaches up to the verdict's instant at most, for what came later it does not rest on."""
    start, end = (datetime.fromtimestamp(one, at.tzinfo) for one in (doubt.start_s, doubt.end_s))
    return {
        "kind": doubt.name,
        "platform": platform,
        "start": start.isoformat(),
        "end": min(end, at).isoformat(),
        "counted_s": without.counted_s,
        "reached": without.reached,
        "text": _DOUBTS[doubt.name][lang],
    }


def _text(alert: Document, rule: PolicyLimit, lang: Language, *, retracted: bool) -> str:
    counted, limit = write_duration(max(1, alert["counted_s"])), write_duration(alert["limit_s"])
    at = alert["event_time"][11:16]
    words = "" if rule.message is None else rule.message.zh if lang == "zh" else rule.message.en
    if lang == "zh":
        said = said_of(alert, lang) if rule.kind == "ban" else f"{at}，已累计 {counted}，上限为 {limit}。"
        return f"此提醒已撤回。{said}{words}" if retracted else f"{said}{words}"
    said = f"At {at} the count was {counted}; the limit is {limit}."
    text = f"{said_of(alert, lang) if rule.kind == 'ban' else said} {words}".strip()
    return f"This alert has been taken back. {text}" if retracted else text
