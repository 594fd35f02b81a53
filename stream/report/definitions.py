"""What each figure of a report is, in Chinese and English."""

from __future__ import annotations

from schemas.policy_words import Words


def _w(zh: str, en: str) -> Words:
    return Words(zh=zh, en=en)


TITLES = {
    "holds": _w("开始的暂停派单", "Holds begun"),
    "holds_breached": _w("未被遵守的暂停", "Holds not honoured"),
    "honour_rate": _w("遵守率", "Honour rate"),
    "breaches": _w("暂停期间接的订单", "Breaches"),
    "breaches_excused": _w("不计入的接单", "Acceptances excused"),
    "breaches_after_told": _w("接单距告知的时间", "Breaches by time after telling"),
    "hours_on_hold": _w("暂停小时数", "Hours on hold"),
    "holds_open": _w("尚未结束的暂停", "Holds not ended"),
    "limits_reached": _w("达到上限", "Limits reached"),
    "hours_counted": _w("达到上限时的计时小时", "Hours counted at limits reached"),
    "taken_back": _w("被撤回的暂停", "Holds taken back"),
    "reviews": _w("复核", "Reviews"),
    "late_events": _w("迟到的事件", "Late evidence"),
    "refused_events": _w("被拒的事件", "Refused evidence"),
    "accepted_events": _w("接收的事件", "Evidence accepted"),
    "hours_worked_on_hold": _w("暂停期间的在单小时", "Hours with an order in hand on hold"),
}
DEFINITIONS = {
    "holds": _w(
        "本周开始的暂停，按骑手、政策、规则和开始时刻各计一次；事后撤回的不计。按平台：告知该平台的。",
        "Holds that began in the week, one per rider, policy, limit and beginning; without those taken back. "
        "By platform: those that the platform was told of.",
    ),
    "holds_breached": _w(
        "上述暂停中，至少有一个计入的接单的；周末之后发生的不再计入。",
        "Of these holds, those with at least one breach that counts; what comes after the week's end changes "
        "nothing.",
    ),
    "honour_rate": _w(
        "没有计入的接单的暂停所占的份额。",
        "The share of holds during which no order was accepted that counts.",
    ),
    "breaches": _w(
        "本周在暂停期间接的订单，每个政策、平台和时刻计一次；从告知时刻起不足宽限期的不计入。",
        "Orders accepted inside a hold in the week, one per policy, platform and instant; without those less "
        "than the grace after the hold was told.",
    ),
    "breaches_excused": _w(
        "暂停期间接的，但当时告知还不足宽限期（或尚未告知），因此不计入平台。",
        "Accepted inside a hold, but less than the grace after it was told (or before): not held against the "
        "platform.",
    ),
    "breaches_after_told": _w(
        "计入的接单，按距告知时刻（told_at）的秒数分组。",
        "Breaches that count, by the seconds that they came after told_at.",
    ),
    "hours_on_hold": _w(
        "本周开始且在本周结束前（以最晚的时区为准）已解除的暂停，从开始到结束的总时长。",
        "From beginning to end, of the holds that began in the week and ended before it was over in the last "
        "time zone.",
    ),
    "holds_open": _w(
        "本周开始、到本周结束时（以最晚的时区为准）尚未解除的暂停。",
        "Holds of the week that had not ended when it was over in the last time zone.",
    ),
    "limits_reached": _w(
        "本周达到上限的次数，仅提醒的规则也在内。",
        "How often a limit was reached in the week; limits that only remind too.",
    ),
    "hours_counted": _w(
        "达到上限那一刻该规则已计的时间之和。全部骑手的工时不在记录里，须由事件重算（respite replay）。",
        "What the limit had counted at the instant reached, summed up. Hours worked by everybody are not in "
        "this record; the events give them (respite replay).",
    ),
    "taken_back": _w("迟到的证据撤回的暂停。", "Holds that late evidence has undone."),
    "reviews": _w(
        "本周提出和答复的复核，按结果。", "Reviews asked for and answered in the week, by outcome."
    ),
    "accepted_events": _w("本周接收的事件（Prometheus）。", "Events accepted in the week (from Prometheus)."),
    "late_events": _w(
        "其中发生后五分钟以上才到的（Prometheus）。",
        "Of these, events more than five minutes after they happened (from Prometheus).",
    ),
    "refused_events": _w(
        "本周被拒且写明平台的事件（Prometheus）。",
        "Events refused in the week that name their platform (from Prometheus).",
    ),
    "hours_worked_on_hold": _w(
        "暂停期间手上有订单的时间；暂停前接的也在内（Prometheus）。",
        "Time with an order in hand on hold; orders from before the hold too (from Prometheus).",
    ),
}
assert TITLES.keys() == DEFINITIONS.keys()
