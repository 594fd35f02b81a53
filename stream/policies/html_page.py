"""The page of a policy as one HTML file: nothing is fetched, light and dark as the reader's screen is."""

from __future__ import annotations

from html import escape

from schemas.policy import Policy
from schemas.policy_examples import Example
from schemas.policy_timeline import DAY_S, Span, write_local
from schemas.policy_words import Words, in_language
from stream.policies.page import facts, limit_rows, say_words
from stream.policies.words import Lang, say

STYLE = """
:root { color-scheme: light dark; --ink: #1c2733; --soft: #5b6875; --line: #d5dce3; --paper: #ffffff;
  --panel: #f4f7f9; --order: #1f6f8b; --loaded: #7a4fa3; --online: #8fb8c9; --driving: #b3541e;
  --on_duty: #d9a441; --mark: #b3261e; --b0: #1f6f8b; --b1: #b3541e; --b2: #7a4fa3; --b3: #58822f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e9ee; --soft: #9fb0bf; --line: #36424e;
  --paper: #14191e; --panel: #1d242b; --order: #5fb3d0; --loaded: #b892dd; --online: #46697a;
  --driving: #e8894f; --on_duty: #e0b45f; --mark: #ff8a80; --b0: #5fb3d0; --b1: #e8894f; --b2: #b892dd;
  --b3: #9cc46a; } }
body { margin: 0 auto; padding: 1.5rem; max-width: 60rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, "Noto Sans CJK SC", sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .2rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; } p { margin: .4rem 0; }
code, .ref { font-family: ui-monospace, monospace; color: var(--soft); }
section, figure { background: var(--panel); border: 1px solid var(--line); border-radius: .4rem;
  padding: .8rem 1rem; margin: .8rem 0; overflow-x: auto; }
dl { display: grid; grid-template-columns: minmax(6rem, max-content) 1fr; gap: .25rem 1rem; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; } td.n, th.n { text-align: right; }
svg { display: block; max-width: 100%; height: auto; } svg text { fill: var(--soft); font-size: 11px; }
figcaption { color: var(--soft); font-size: .9rem; }
@media (max-width: 34rem) { dl { grid-template-columns: 1fr; } dt { margin-top: .4rem; } }
"""
_LEFT, _WIDTH, _ROW = 64, 640, 18


def document(title: str, lang: Lang, body: str) -> str:
    """A whole page around its body."""
    code = "zh-CN" if lang == "zh" else "en"
    return (
        f'<!doctype html>\n<html lang="{code}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def html_page(policy: Policy, lang: Lang) -> str:
    """The page of a policy."""
    title = say_words(policy.title, lang) or policy.name
    parts = [f'<h1>{escape(title)}</h1><p class="ref">{policy.ref}</p>', _list(facts(policy, lang))]
    parts.append(f"<h2>{say(lang, '规则', 'Limits')}</h2>")
    parts += [f"<section><h3><code>{one.name}</code></h3>{_list(limit_rows(one, lang))}</section>"
              for one in policy.limits]  # fmt: skip
    if policy.notes:
        notes = "".join(
            f"<li{_lang_of(note)}>{escape(in_language(note, lang))}</li>" for note in policy.notes
        )
        parts.append(f"<h2>{say(lang, '说明', 'Notes')}</h2><ul>{notes}</ul>")
    if policy.examples:
        parts.append(f"<h2>{say(lang, '示例', 'Examples')}</h2>")
        parts += [_example(number, one, lang) for number, one in enumerate(policy.examples, start=1)]
    return document(f"{policy.ref} {title}", lang, "\n".join(parts))


def _list(rows: list[tuple[str, str]]) -> str:
    cells = "".join(f"<dt>{escape(label)}</dt><dd>{escape(text)}</dd>" for label, text in rows)
    return f"<dl>{cells}</dl>"


def _example(number: int, example: Example, lang: Lang) -> str:
    reached = ", ".join(example.reached) or say(lang, "无", "nothing")
    about = [
        (say(lang, "达到", "reached"), reached),
        (say(lang, "来源", "source"), example.source),
        (
            say(lang, "时段", "spans"),
            "; ".join(example.spans[:12]) + (" …" if len(example.spans) > 12 else ""),
        ),
    ]
    title = escape(in_language(example.title, lang))
    return (
        f"<figure><figcaption{_lang_of(example.title)}>{number}. {title}</figcaption>"
        f"{timeline_svg(example, reached)}{_list(about)}</figure>"
    )


def _lang_of(said: str | Words) -> str:
    """The attribute of a text that is in English whatever the page is in."""
    return ' lang="en"' if isinstance(said, str) else ""


def timeline_svg(example: Example, label: str) -> str:
    """A drawing of an example: a row per kind of span, or per day where it lasts longer than two."""
    spans = example.timeline
    begin_s = min(span.begin_s for span in spans) // 3_600 * 3_600
    end_s = -(-example.until_s // 3_600) * 3_600
    if end_s - begin_s <= 2 * DAY_S:
        words = list(dict.fromkeys(span.word for span in spans))
        rows = [(word, begin_s, [span for span in spans if span.word == word]) for word in words]
        length_s = max(3_600, end_s - begin_s)
    else:
        days = range(begin_s // DAY_S, -(-end_s // DAY_S))
        rows = [(f"D{day + 1}", day * DAY_S, list(spans)) for day in days]
        length_s = DAY_S
    drawn = "".join(_row(at, row, length_s, example.expected) for at, row in enumerate(rows))
    height = len(rows) * _ROW + 22
    axis = _axis(rows[0][1] if length_s != DAY_S or len(rows) < 3 else 0, length_s, len(rows) * _ROW)
    return (
        f'<svg viewBox="0 0 {_LEFT + _WIDTH + 8} {height}" role="img" '
        f'aria-label="{escape(label, quote=True)}">'
        f"{drawn}{axis}</svg>"
    )


def _row(
    at: int, row: tuple[str, int, list[Span]], length_s: int, expected: tuple[tuple[str, int], ...]
) -> str:
    name, begin_s, spans = row
    top, scale = at * _ROW, _WIDTH / length_s
    parts = [f'<text x="0" y="{top + 13}">{escape(name)}</text>']
    for span in spans:
        first, last = max(span.begin_s, begin_s), min(span.end_s, begin_s + length_s)
        if first < last:
            parts.append(
                f'<rect x="{_LEFT + (first - begin_s) * scale:.1f}" y="{top + 3}" height="12" '
                f'width="{max(0.5, (last - first) * scale):.1f}" fill="var(--{span.word})"/>'
            )
    for _, at_s in expected:
        if begin_s <= at_s <= begin_s + length_s:
            x = _LEFT + (at_s - begin_s) * scale
            parts.append(
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{top + _ROW}" '
                'stroke="var(--mark)" stroke-width="2"/>'
            )
    return "".join(parts)


def _axis(begin_s: int, length_s: int, top: int) -> str:
    step_s = 3_600 * next(hours for hours in (1, 2, 3, 6, 12, 24) if length_s / 3_600 / hours <= 13)
    first = -(-begin_s // step_s) * step_s
    ticks = []
    for at_s in range(first, begin_s + length_s + 1, step_s):
        x = _LEFT + (at_s - begin_s) * _WIDTH / length_s
        ticks.append(
            f'<text x="{x:.1f}" y="{top + 14}" text-anchor="middle">{write_local(at_s % DAY_S)}</text>'
        )
    return "".join(ticks)
