"""A comparison as one HTML file with plots and the tables beside them; nothing is fetched."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from stream.policies.html_page import document as html_document
from stream.policies.words import Lang, say

Document = dict[str, Any]
_SHOWN = 200
_COLOURS = ("var(--b0)", "var(--b1)", "var(--b2)", "var(--b3)")
_LEFT, _WIDTH, _HEIGHT = 56, 680, 180
_OF_MODELS = ("mean", "median", "p90")
_KEYS = (
    ("riders_reached", "达到上限的骑手", "riders who reach a limit"),
    ("riders_held", "被暂停派单的骑手", "riders held"),
    ("holds", "暂停次数", "holds"),
    ("minutes_on_hold", "暂停总分钟", "minutes on hold"),
    ("orders_accepted_in_holds", "暂停期间接的订单", "orders accepted in holds"),
)


def page(result: Document, lang: Lang) -> str:
    """The page of a comparison."""
    policies = result["policies"]
    refs = [one["policy"] for one in policies]
    title = say(lang, "同一段历史，不同规则", "The same history under several rules")
    parts = [
        f"<h1>{title}</h1><p class='ref'>{escape(', '.join(refs))}</p>",
        f"<p>{_intro(result, lang)}</p>",
        _table(
            ["", *refs],
            [[say(lang, zh, en), *(_number(one[key]) for one in policies)] for key, zh, en in _KEYS],
        ),
        _by_limit(policies, lang),
        *_by_hour(policies, refs, lang),
        *_by_platform(policies, refs, lang),
        _models(result, refs, lang),
        _differences(result["differences"], lang),
    ]
    return html_document(f"{title}: {', '.join(refs)}", lang, "\n".join(parts))


def _intro(result: Document, lang: Lang) -> str:
    return say(
        lang,
        f"{result['riders']:,}名骑手的{result['events']:,}个事件，截至{result['now']}。"
        "每个政策都按全程适用来判定，不看其生效日期。暂停期间接的订单，从暂停开始的那一秒算起。",
        f"{result['events']:,} events of {result['riders']:,} riders, up to {result['now']}. "
        "Each policy is judged throughout, whatever its dates in force. "
        "Orders accepted in holds count from the hold's first second.",
    )


def _by_limit(policies: Sequence[Document], lang: Lang) -> str:
    head = [
        say(lang, "政策", "policy"), say(lang, "规则", "limit"), say(lang, "达到次数", "reached"),
        say(lang, "骑手", "riders"), say(lang, "暂停次数", "holds"),
        say(lang, "超出上限的工时（小时）", "hours worked above"),
    ]  # fmt: skip
    rows = [
        [one["policy"], limit["limit"], *(_number(limit[key]) for key in
         ("reached", "riders_reached", "holds", "hours_above"))]
        for one in policies for limit in one["limits"]
    ]  # fmt: skip
    return f"<h2>{say(lang, '按规则', 'By limit')}</h2>{_table(head, rows, texts=2)}"


def _by_hour(policies: Sequence[Document], refs: Sequence[str], lang: Lang) -> list[str]:
    hours = [str(hour) for hour in range(24)]
    parts = [
        f"<h2>{say(lang, '按小时（各政策当地时间）', 'By hour of day, each policy in its own zone')}</h2>"
    ]
    for key, zh, en in (
        ("minutes_on_hold", "暂停分钟", "minutes on hold"),
        ("orders_accepted_in_holds", "暂停期间接的订单", "orders accepted in holds"),
    ):
        series = [[one["by_hour"][hour][key] for hour in range(24)] for one in policies]
        table = _table(["", *refs], [[hours[at], *(_number(one[at]) for one in series)] for at in range(24)])
        parts.append(_figure(say(lang, zh, en), bars(hours, series, say(lang, zh, en)), refs, table, lang))
    return parts


def _by_platform(policies: Sequence[Document], refs: Sequence[str], lang: Lang) -> list[str]:
    names = sorted({each["platform"] for one in policies for each in one["by_platform"]})
    parts = [f"<h2>{say(lang, '按平台', 'By platform')}</h2>"]
    for key, zh, en in (
        ("riders_held", "被暂停派单的骑手", "riders held"),
        ("orders_accepted_in_holds", "暂停期间接的订单", "orders accepted in holds"),
    ):
        series = [
            [next((row[key] for row in one["by_platform"] if row["platform"] == name), 0) for name in names]
            for one in policies
        ]
        rows = [[name, *(_number(one[at]) for one in series)] for at, name in enumerate(names)]
        figure = bars(names, series, say(lang, zh, en))
        parts.append(_figure(say(lang, zh, en), figure, refs, _table(["", *refs], rows), lang))
    return parts


def _models(result: Document, refs: Sequence[str], lang: Lang) -> str:
    if "models" not in result:
        return ""
    said = say(
        lang,
        "以下为模型依据工作时间所作的推算，不是关于任何人的事实，也不作任何决定。少于十名骑手的数字不予显示。",
        "What models predict from work times: no fact about a person, and it decides nothing. Numbers of "
        "fewer than ten riders are not shown.",
    )
    words = {
        "in_holds": say(lang, "暂停期间仍在工作", "working in its holds"),
        "outside_holds": say(lang, "暂停之外的工作", "working outside its holds"),
    }
    rows = []
    for ref, one in zip(refs, result["policies"], strict=True):
        for place, word in words.items():
            for model in one["models"][place]:
                cells = ("–" if model[key] is None else f"{model[key]:,.2f}" for key in _OF_MODELS)
                rows.append([ref, word, f"{model['model']} ({model['of']})", *cells])
    head = [
        say(lang, "政策", "policy"), "", say(lang, "模型", "model"), say(lang, "平均", "mean"),
        say(lang, "中位数", "median"), say(lang, "九成位", "a tenth above"),
    ]  # fmt: skip
    return f"<h2>{say(lang, '模型', 'Models')}</h2><p>{said}</p>{_table(head, rows, texts=3)}"


def _figure(caption: str, svg: str, refs: Sequence[str], table: str, lang: Lang) -> str:
    legend = " ".join(
        f'<span style="color:{_COLOURS[at % 4]}">■</span> {escape(ref)}' for at, ref in enumerate(refs)
    )
    numbers = say(lang, "数字", "numbers")
    return (
        f"<figure><figcaption>{caption}: {legend}</figcaption>{svg}"
        f"<details><summary>{numbers}</summary>{table}</details></figure>"
    )


def bars(labels: Sequence[str], series: Sequence[Sequence[float]], about: str) -> str:
    """Grouped bars as an inline picture."""
    top = max((value for one in series for value in one), default=0) or 1
    group = _WIDTH / max(1, len(labels))
    width = group * 0.8 / len(series)
    parts = []
    for share in (0, 0.5, 1):
        y, number = 8 + _HEIGHT * (1 - share), _number(round(top * share, 1))
        parts.append(
            f'<line x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="var(--line)"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{number}</text>'
        )
    for place, one in enumerate(series):
        for at, value in enumerate(one):
            height = value / top * _HEIGHT
            x = _LEFT + at * group + group * 0.1 + place * width
            parts.append(
                f'<rect x="{x:.1f}" y="{8 + _HEIGHT - height:.1f}" width="{width:.1f}" height="{height:.1f}" '
                f'fill="{_COLOURS[place % 4]}"/>'
            )
    for at, label in enumerate(labels):
        x = _LEFT + (at + 0.5) * group
        parts.append(f'<text x="{x:.1f}" y="{_HEIGHT + 24}" text-anchor="middle">{escape(label)}</text>')
    return (
        f'<svg viewBox="0 0 {_LEFT + _WIDTH + 4} {_HEIGHT + 30}" role="img" '
        f'aria-label="{escape(about, quote=True)}">{"".join(parts)}</svg>'
    )


def _differences(found: Document, lang: Lang) -> str:
    head = [
        say(lang, "骑手", "rider"), say(lang, "从", "from"), say(lang, "到", "until"),
        say(lang, "暂停派单", "on hold by"), say(lang, "不暂停", "not by"),
    ]  # fmt: skip
    rows = [
        [one["rider_id"], one["from"], one["until"], ", ".join(one["on_hold_by"]), ", ".join(one["not_by"])]
        for one in found["holds"][:_SHOWN]
    ]
    reached = [[one["rider_id"], one["at"], one["policy"], one["limit"]] for one in found["reached"][:_SHOWN]]
    labels = [
        say(lang, "骑手", "rider"), say(lang, "时刻", "at"),
        say(lang, "只有", "only"), say(lang, "达到", "reaches"),
    ]  # fmt: skip
    text = say(
        lang,
        f"{found['riders']:,}名骑手的结果不同。下面各列出前{_SHOWN}条，JSON中有全部。",
        f"They differ for {found['riders']:,} riders. The first {_SHOWN} of each are here, "
        "all are in the JSON.",
    )
    return (
        f"<h2>{say(lang, '不同之处', 'Where they differ')}</h2><p>{text}</p>"
        f"<details open><summary>{say(lang, '暂停', 'holds')}</summary>"
        f"{_table(head, rows, texts=5)}</details>"
        f"<details><summary>{say(lang, '达到上限', 'limits reached')}</summary>"
        f"{_table(labels, reached, texts=4)}</details>"
    )


def _number(value: float) -> str:
    return f"{value:,}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], texts: int = 1) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        kinds = ["" if at < texts else " class=n" for at in range(len(cells))]
        found = (f"<{tag}{kind}>{escape(cell)}</{tag}>" for kind, cell in zip(kinds, cells, strict=True))
        return f"<tr>{''.join(found)}</tr>"

    body = "".join(line(row, "td") for row in rows)
    return f"<table><thead>{line(head, 'th')}</thead><tbody>{body}</tbody></table>"
