"""A report as a page that prints, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from schemas.overview import K
from stream.api.documents.honour import after_told_s
from stream.policies.html_page import STYLE
from stream.report.definitions import DEFINITIONS, TITLES
from stream.report.figures import Figure
from stream.report.week import Alert, Week

_COLUMNS = ("figure", "of", "value", "suppressed", "definition", "chain", "ledger_hash")
_PRINT = """
.zh { display: block; } .en { display: block; color: var(--soft); }
td.s { color: var(--soft); } code { overflow-wrap: anywhere; font-size: .8rem; }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } section { break-inside: avoid; }
  :root { color-scheme: light; --ink: #000; --soft: #444; --line: #999; --paper: #fff; --panel: #fff; } }
"""


@dataclass(frozen=True, slots=True)
class Report:
    """All that a report says.

    Parameters
    ----------
    reader
        ``operator``, ``regulator``, or the platform that it is for.
    heads
        By chain, number and hash of the last line.
    breaches
        Single acceptances; none for a regulator.
    notes
        What the reader must know, Chinese and English.
    """

    week: Week
    reader: str
    figures: Sequence[Figure]
    heads: Mapping[str, str]
    sealed_at: str
    grace_s: int
    breaches: Sequence[Alert]
    excused: Sequence[Alert]
    notes: Sequence[tuple[str, str]]


def as_csv(report: Report) -> str:
    """One line per figure: what, of what, its value, its definition and the hash that it rests on."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(_COLUMNS)
    for one in report.figures:
        value = "" if one.value is None else f"{one.value:g}" if one.value % 1 else str(int(one.value))
        row = (one.name, one.of, value, int(one.value is None), DEFINITIONS[one.name].en, one.chain, one.hash)
        rows.writerow([_plain(cell) for cell in row])
    return out.getvalue()


def _plain(cell: object) -> object:
    """A cell that no table takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@") else cell


def as_page(report: Report) -> str:
    """The page: Chinese, and English below it; nothing is fetched."""
    title = f"Respite {report.week.name}"
    body = [
        f"<h1>{_both(f'暂停派单周报 {report.week.name}', f'Report on holds, week {report.week.name}')}</h1>",
        f"<p>{_both(*_about(report))}</p>",
        *(f"<p>{_both(zh, en)}</p>" for zh, en in report.notes),
        _ledger(report),
        *(_section(name, [one for one in report.figures if one.name == name]) for name in TITLES),
        _single(report),
    ]
    return (
        f'<!doctype html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}{_PRINT}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in body if part)
        + "\n</body>\n</html>\n"
    )


def _both(zh: str, en: str) -> str:
    return f'<span class="zh">{escape(zh)}</span><span class="en" lang="en">{escape(en)}</span>'


def _about(report: Report) -> tuple[str, str]:
    days = f"{report.week.first} – {report.week.last}"
    zh = {"operator": "运营方", "regulator": "监管方"}.get(report.reader, f"平台 {report.reader}")
    en = report.reader if report.reader in ("operator", "regulator") else f"platform {report.reader}"
    return (
        f"{days}，按各政策的时区；读者：{zh}。告知后不足 {report.grace_s} 秒的接单不计入平台。",
        (
            f"{days}, in each policy's time zone; for the {en}. An order accepted less than {report.grace_s} "
            "s after the hold was told is not held against a platform."
        ),
    )


def _ledger(report: Report) -> str:
    rows = "".join(
        f"<tr><td>{escape(chain)}</td><td><code>{head}</code></td></tr>"
        for chain, head in report.heads.items()
    )
    zh = f"数字所依据的记录，最后一次封存于 {report.sealed_at}；respite ledger verify 可离线核对。"
    en = f"What the figures rest on, last sealed {report.sealed_at}; respite ledger verify checks it."
    return f"<section><p>{_both(zh, en)}</p><table>{rows}</table></section>"


def _section(name: str, figures: Sequence[Figure]) -> str:
    if not figures:
        return ""
    title, text = TITLES[name], DEFINITIONS[name]
    rows = "".join(
        f"<tr><td>{escape(one.of) or _both('合计', 'whole')}</td>{_cell(one)}"
        f"<td><code>{escape(one.chain)} {one.hash[:16]}</code></td></tr>"
        for one in figures
    )
    return (
        f"<section><h2>{_both(title.zh, title.en)}</h2><p>{_both(text.zh, text.en)}</p>"
        f"<table>{rows}</table></section>"
    )


def _cell(one: Figure) -> str:
    if one.value is None:
        return f'<td class="n s">{_both("不显示", "not shown")}</td>'
    value = f"{100 * one.value:.2f} %" if one.name == "honour_rate" else f"{one.value:,}"
    return f'<td class="n">{value}</td>'


def _single(report: Report) -> str:
    if not report.breaches and not report.excused:
        return ""
    head = "".join(
        f"<th>{_both(zh, en)}</th>"
        for zh, en in (
            ("平台", "platform"), ("骑手", "rider"), ("规则", "limit"), ("接单", "accepted"),
            ("告知", "told_at"), ("告知后秒数", "seconds after"), ("计入", "counts"),
        )
    )  # fmt: skip
    rows = "".join(
        _breach(one, counts=counts)
        for counts, some in ((True, report.breaches), (False, report.excused))
        for one in some
    )
    title = _both("暂停期间的每一次接单", "Every order accepted on hold")
    return f"<section><h2>{title}</h2><table><tr>{head}</tr>{rows}</table></section>"


def _breach(one: Alert, *, counts: bool) -> str:
    after_s = after_told_s(one)
    cells = (
        one["platform"], one["rider_id"], f"{one['policy']} {one['limit']}", one["event_time"],
        (one["hold"] or {}).get("told_at") or "-", "-" if after_s is None else str(after_s),
    )  # fmt: skip
    texts = "".join(f"<td>{escape(str(cell))}</td>" for cell in cells)
    return f"<tr>{texts}<td>{_both('是', 'yes') if counts else _both('否', 'no')}</td></tr>"


SUPPRESSED_NOTE = (
    (
        f"涉及少于 {K} 名骑手的数字不显示，并隐去更多数字，使其无法由合计推算；"
        "只报告已经结束且已成定论的整周，因此两份报告不能相减。"
    ),
    (
        f"Figures about fewer than {K} riders are not shown, and as many more that no sum gives them away. "
        "Only whole weeks that are over and final are reported, so that no two reports can be subtracted."
    ),
)
