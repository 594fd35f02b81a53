"""A policy's limits in plain words, Chinese or English: what is counted, when it fires, what resets it."""

from __future__ import annotations

from typing import Literal, NamedTuple

from schemas.policy import Policy
from schemas.policy_limit import PolicyLimit

Lang = Literal["zh", "en"]
_CLOCKS = {
    "order": ("手中有订单的时间（任何平台；同时几单只计一次）",
              "time with an order in hand, on any platform; several at once count once"),
    "loaded": ("从取货（乘客上车）到送达的时间", "time from pick-up to delivery, goods or passengers aboard"),
    "online": ("任何平台的在线时间（扣除在该平台的休息），以及手中有订单的时间",
               "time online on any platform, without its breaks, and time with an order in hand"),
    "driving": ("驾驶时间", "time at the wheel"),
    "duty": ("工作时间：驾驶、其他工作和在线", "working time: driving, other work, and time online"),
}  # fmt: skip
_RESTS = {
    "order": ("没有订单", "without an order in hand"),
    "loaded": ("车上没有货物或乘客", "with nothing and nobody aboard"),
    "online": ("离线且没有订单", "offline and without an order"),
    "driving": ("不驾驶", "without driving"),
    "duty": ("不工作也不在线", "off duty and offline"),
}
_MODALITIES = {
    "law": ("法律法规", "law"),
    "agreement": ("集体协商", "agreement"),
    "standard": ("标准或指导意见", "standard"),
    "platform": ("平台规则", "platform's own rule"),
}
_NEW = {
    "day": ("新的一天", "a new day"),
    "week": ("新的一周", "a new week"),
    "month": ("新的一月", "a new month"),
}
_WEEKDAYS = {
    "monday": ("星期一", "Monday"), "tuesday": ("星期二", "Tuesday"), "wednesday": ("星期三", "Wednesday"),
    "thursday": ("星期四", "Thursday"), "friday": ("星期五", "Friday"), "saturday": ("星期六", "Saturday"),
    "sunday": ("星期日", "Sunday"),
}  # fmt: skip


class LimitWords(NamedTuple):
    """What a page says of one limit."""

    counts: str
    fires: str
    resets: str
    then: str


def say(lang: Lang, zh: str, en: str) -> str:
    """One of two texts."""
    return zh if lang == "zh" else en


def duration(seconds: int, lang: Lang) -> str:
    """A duration for people, without days.

    Examples
    --------
    >>> duration(16_200, "en"), duration(16_200, "zh")
    ('4 h 30 min', '4小时30分钟')
    """
    units = ((3_600, "小时", " h"), (60, "分钟", " min"), (1, "秒", " s"))
    parts = []
    for unit_s, zh, en in units:
        count, seconds = divmod(seconds, unit_s)
        if count:
            parts.append(f"{count}{say(lang, zh, en)}")
    return say(lang, "", " ").join(parts) or say(lang, "0秒", "0 s")


def modality(policy: Policy, lang: Lang) -> str:
    """How binding a policy is."""
    return say(lang, *_MODALITIES[policy.modality])


def clock(name: str, lang: Lang) -> str:
    """What a clock counts."""
    return say(lang, *_CLOCKS[name])


def limit_words(one: PolicyLimit, lang: Lang) -> LimitWords:
    """One limit in words."""
    return LimitWords(_counts(one, lang), _fires(one, lang), _resets(one, lang), _then(one, lang))


def _counts(one: PolicyLimit, lang: Lang) -> str:
    what = clock(one.clock, lang)
    if one.kind == "ban":
        return say(lang, f"不计时间。工作指{what}", f"no time is counted. Work is {what}")
    work = what.removeprefix(say(lang, "工作时间：", "working time: "))
    if one.per is not None:
        return say(
            lang,
            f"自本周（从{_week(one, lang)}起）开始经过的时间，直到有一次足够的休息。工作指{work}",
            f"time since the week began on {_week(one, lang)}, while no rest is long enough. Work is {work}",
        )
    if one.kind in ("span", "rest_within"):
        rest = duration(one.reset_s or one.rest_s or 0, lang)
        return say(
            lang,
            f"自上次休息满{rest}后第一次开始工作起经过的时间，中间的休息也算在内。工作指{work}",
            f"time that passes from the first work after a rest of {rest}, breaks included. Work is {work}",
        )
    hours = ""
    if one.between is not None:
        begin, end = one.between
        hours = say(lang, f"（只计{begin}至{end}）", f", between {begin} and {end} only")
    window = _window(one, lang)
    return say(lang, f"{window}的{what}{hours}", f"{what}; {window}{hours}")


def _week(one: PolicyLimit, lang: Lang) -> str:
    """The weekday on which weeks begin."""
    return say(lang, *_WEEKDAYS[one.week_start or "monday"])


def _window(one: PolicyLimit, lang: Lang) -> str:
    if one.kind == "continuous":
        return say(lang, "上次足够的休息以来累计", "added up since the last rest that is long enough")
    if one.kind == "rolling":
        window = duration(one.window_s or 0, lang)
        since = say(lang, "、上次足够的休息以来", ", since the last rest that is long enough")
        return say(lang, f"最近{window}内", f"in the last {window}") + (since if one.reset_s else "")
    begun = (
        ""
        if one.day_start in (None, "00:00")
        else say(lang, f"（从{one.day_start}起）", f" from {one.day_start}")
    )
    if one.kind == "day":
        return say(lang, f"每个日历日{begun}", f"in each calendar day{begun}")
    if one.kind == "month":
        return say(lang, f"每个日历月{begun}", f"in each calendar month{begun}")
    weekday = _week(one, lang)
    if one.weeks:
        return say(
            lang,
            f"本周及之前{one.weeks - 1}周（每周从{weekday}起）",
            f"in this calendar week, from {weekday}, and the {one.weeks - 1} before it",
        )
    return say(lang, f"每个日历周（从{weekday}起）{begun}", f"in each calendar week, from {weekday}{begun}")


def _fires(one: PolicyLimit, lang: Lang) -> str:
    if one.kind == "ban":
        where = _ban(one, lang)
        return say(lang, f"{where}且仍在工作时", f"{where}, while work goes on")
    text = _amount_fires(one, lang)
    if one.when:
        where = say(
            lang,
            f"仅在骑手所在区域发布“{one.when}”期间",
            f"only while {one.when} is announced where the rider is",
        )
        return say(lang, f"{where}，{text}", f"{text}, {where}")
    return text


def _ban(one: PolicyLimit, lang: Lang) -> str:
    """When and where a ban is on."""
    if one.condition:
        return say(
            lang,
            f"骑手所在区域发布“{one.condition}”期间",
            f"as soon as {one.condition}, announced for the rider's zone, is on",
        )
    begin, end = one.between or ("00:00", "00:00")
    dates = ""
    if one.dates:
        dates = say(lang, f"每年{one.dates[0]}至{one.dates[1]}的", f" from {one.dates[0]} to {one.dates[1]}")
    zones = ", ".join(one.zones or ())
    zones = zones and say(lang, f"在区域{zones}，", f" in the zones {zones}")
    return say(lang, f"{zones}{dates}{begin}至{end}", f"between {begin} and {end}{dates}{zones}")


def _amount_fires(one: PolicyLimit, lang: Lang) -> str:
    amount = duration(one.amount_s, lang)
    if one.per is not None:
        rest = duration(one.rest_s or 0, lang)
        return say(
            lang,
            f"本周内还能容下{rest}休息的最后时刻，且仍在工作时",
            f"at the last moment at which a rest of {rest} still fits into the week, while work goes on",
        )
    if one.kind == "rest_within":
        rest, window = duration(one.rest_s or 0, lang), duration(one.window_s or 0, lang)
        return say(
            lang,
            f"满{amount}：{window}内还能容下{rest}休息的最后时刻",
            f"at {amount}: the last moment at which a rest of {rest} still fits into {window}",
        )
    if one.kind == "span":
        return say(lang, f"满{amount}且仍在工作时", f"at {amount}, while work goes on")
    if one.weeks:
        each = duration(one.amount_s // one.weeks, lang)
        return say(
            lang,
            f"合计满{amount}（平均每周{each}）且仍在工作时",
            f"at {amount} in all, {each} a week on average, while work goes on",
        )
    return say(lang, f"满{amount}", f"at {amount}")


def _resets(one: PolicyLimit, lang: Lang) -> str:
    if one.kind == "ban":
        return say(lang, "结束后再次开始时", "when it is on again after it has ended")
    if one.window_kind in ("day", "week", "month"):
        return say(lang, *_NEW[one.window_kind])
    rests = []
    rest_s = one.rest_s if one.kind == "rest_within" else one.reset_s
    if rest_s:
        rests.append(
            say(lang, f"一次{duration(rest_s, lang)}的休息", f"one rest of {duration(rest_s, lang)}")
        )
    if one.reset_parts_s:
        parts = [duration(part, lang) for part in one.reset_parts_s]
        rests.append(say(lang, "先后" + "、再".join(parts) + "的休息", "rests of " + ", then ".join(parts)))
    if one.reset_sum_s:
        total, part = duration(one.reset_sum_s, lang), duration(one.reset_sum_parts_s or 0, lang)
        rests.append(
            say(
                lang,
                f"合计{total}的休息（每次不少于{part}）",
                f"rests of at least {part} each that add up to {total}",
            )
        )
    if one.kind == "rolling":
        window = duration(one.window_s or 0, lang)
        rests.append(
            say(lang, f"早于{window}的时间不再计入", f"what is older than {window} no longer counts")
        )
    text = say(lang, "；或", "; or ").join(rests)
    if rest_s:
        what = say(lang, *_RESTS[one.reset_clock or one.clock])
        text += say(lang, f"。休息指{what}", f". Rest is time {what}")
    return text


def _then(one: PolicyLimit, lang: Lang) -> str:
    parts = [_effect(one, lang)]
    if one.warn_before_s:
        leads = [duration(lead, lang) for lead in one.warn_before_s]
        parts.append(say(lang, f"提前{'、'.join(leads)}预警", f"A warning {', '.join(leads)} before"))
    if one.remind_every_s:
        every = duration(one.remind_every_s, lang)
        parts.append(say(lang, f"之后每满{every}再次提醒", f"Reminded again every {every}"))
    return say(lang, "。", ". ").join(parts)


def _effect(one: PolicyLimit, lang: Lang) -> str:
    if one.effect == "remind":
        return say(lang, "提醒", "A reminder")
    if one.effect == "confirm":
        return say(
            lang,
            "暂停派新单，直到骑手确认要继续，或计数重新开始",
            "No new order until the rider confirms, or the count begins anew",
        )
    if one.kind == "ban" and one.release == "window":
        return say(lang, "暂停派新单，直到禁令结束", "No new order until the ban is over where the rider is")
    ends = {
        "rest": ("直到足够的休息完成", "until a rest that is long enough is complete"),
        "window": ("直到计数低于上限", "until the count is below the limit again")
        if one.kind == "rolling"
        else (
            f"直到{_NEW.get(one.window_kind, _NEW['day'])[0]}",
            f"until {_NEW.get(one.window_kind, _NEW['day'])[1]} begins",
        ),
        "elapsed": (f"{duration(one.hold_for_s or 0, lang)}", f"for {duration(one.hold_for_s or 0, lang)}"),
    }
    text = say(lang, "暂停派新单：", "No new order ") + say(lang, *ends[one.release or "rest"])
    if one.when:
        text += say(lang, f"，或“{one.when}”结束", f", or until {one.when} is over")
    return text
