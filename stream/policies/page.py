"""The page of a policy, for a terminal: what it says in words, its source, its examples as timelines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from schemas.policy import Policy
from schemas.policy_examples import Example
from schemas.policy_limit import PolicyLimit
from schemas.policy_timeline import DAY_S, write_local
from schemas.policy_words import in_language
from stream.policies.words import Lang, limit_words, modality, say

_BLOCKS = {"order": "█", "loaded": "▓", "online": "░", "driving": "█", "on_duty": "▒"}
_COLUMNS = 72
#: Examples up to so long are drawn on one scale, longer ones a line per day.
_ONE_SCALE_S = 2 * DAY_S
_MOST_DAYS = 9


def facts(policy: Policy, lang: Lang) -> list[tuple[str, str]]:
    """What the head of a file says, with its labels."""
    found = [
        (say(lang, "适用", "where"), say_words(policy.jurisdiction, lang) or "-"),
        (say(lang, "性质", "kind"), modality(policy, lang)),
        (say(lang, "生效", "in force"), in_force(policy, None, lang)),
        (say(lang, "时区", "time zone"), policy.time_zone),
        (say(lang, "依据", "source"), policy.source),
    ]
    others = {code: text for code, text in policy.title.by_language.items() if code not in (lang, "zh", "en")}
    return found + list(others.items())


def say_words(words: object, lang: Lang) -> str | None:
    """A text of a policy in one language; None where it has none."""
    return None if words is None else str(getattr(words, lang))


def in_force(policy: Policy, today: date | None, lang: Lang) -> str:
    """From when to when; of a day, whether it is in force on it."""
    since, until = policy.valid_from, policy.valid_until
    words = []
    if since:
        coming = today is not None and since > today
        words.append(say(lang, f"{since}起", f"{'from' if coming else 'since'} {since}"))
    if until:
        words.append(say(lang, f"至{until}", f"until {until}"))
    return say(lang, "", " ").join(words) or say(lang, "未注明日期", "no date named")


def limit_rows(one: PolicyLimit, lang: Lang) -> list[tuple[str, str]]:
    """What a page says of a limit, with its labels."""
    words = limit_words(one, lang)
    labels = (("计算", "counts"), ("触发", "fires"), ("重新计数", "begins anew"), ("随后", "then"))
    rows = [(say(lang, *label), text) for label, text in zip(labels, words, strict=True)]
    if one.message:
        others = {code: text for code, text in one.message.by_language.items() if code not in ("zh", "en")}
        rows.append((say(lang, "骑手看到", "rider reads"), say_words(one.message, lang) or ""))
        rows += list(others.items())
    if one.source:
        rows.append((say(lang, "依据", "source"), one.source))
    return rows


def text_page(policy: Policy, lang: Lang) -> str:
    """The page of a policy as text."""
    lines = [f"{policy.ref}  {say_words(policy.title, lang)}", ""]
    lines += [f"  {label}: {text}" for label, text in facts(policy, lang)]
    for one in policy.limits:
        lines += ["", one.name, *(f"  {label}: {text}" for label, text in limit_rows(one, lang))]
    if policy.notes:
        lines += [
            "",
            say(lang, "说明", "Notes"),
            *(f"  - {in_language(note, lang)}" for note in policy.notes),
        ]
    if policy.examples:
        lines += ["", say(lang, "示例", "Examples")]
        for number, example in enumerate(policy.examples, start=1):
            lines += [
                "",
                f"  {number}. {in_language(example.title, lang)}",
                *(f"     {line}" for line in drawn(example, lang)),
            ]
            lines.append(f"     {say(lang, '来源', 'source')}: {example.source}")
    return "\n".join(lines)


def drawn(example: Example, lang: Lang) -> Iterator[str]:
    """An example's timeline in lines of text, and what it reaches."""
    begin_s = min(span.begin_s for span in example.timeline) // 3_600 * 3_600
    end_s = -(-max(example.until_s, begin_s + 1) // 3_600) * 3_600
    if end_s - begin_s <= _ONE_SCALE_S:
        yield from _scale(example, begin_s, end_s)
    else:
        yield from _days(example, lang)
    yield from (f"{say(lang, '发布', 'announced')}: {text}" for text in example.conditions)
    reached = ", ".join(example.reached) or say(lang, "无", "nothing")
    yield f"{say(lang, '达到', 'reached')}: {reached}"


def _scale(example: Example, begin_s: int, end_s: int) -> Iterator[str]:
    column_s = max(60, -(-(end_s - begin_s) // _COLUMNS))
    width = -(-(end_s - begin_s) // column_s)
    for word in dict.fromkeys(span.word for span in example.timeline):
        yield f"{word:8} {_bar(example, word, begin_s, column_s, width)}"
    marks = [" "] * width
    for _, at_s in example.expected:
        marks[min(width - 1, (at_s - begin_s) // column_s)] = "▲"
    if example.expected:
        yield f"{'':8} {''.join(marks).rstrip()}"
    first, last = write_local(begin_s), write_local(end_s)
    yield f"{'':8} {first}{last.rjust(max(len(last) + 1, width - len(first)))}"


def _days(example: Example, lang: Lang) -> Iterator[str]:
    days = sorted({span.begin_s // DAY_S for span in example.timeline})
    for day in days[:_MOST_DAYS]:
        bars = [
            f"{word:8} {_bar(example, word, day * DAY_S, 1_800, 48)}"
            for word in dict.fromkeys(span.word for span in example.timeline)
        ]
        marks = [" "] * 48
        for _, at_s in example.expected:
            if at_s // DAY_S == day:
                marks[at_s % DAY_S // 1_800] = "▲"
        yield from (f"D{day + 1:<4}{bar}" for bar in bars)
        if "▲" in marks:
            yield f"{'':14}{''.join(marks).rstrip()}"
    if len(days) > _MOST_DAYS:
        more = len(days) - _MOST_DAYS
        yield say(lang, f"……以及之后的{more}个工作日", f"... and {more} more days of work")


def _bar(example: Example, word: str, begin_s: int, column_s: int, width: int) -> str:
    spans = [span for span in example.timeline if span.word == word]
    return "".join(
        _BLOCKS[word] if any(span.begin_s < at_s + column_s and span.end_s > at_s for span in spans) else "·"
        for at_s in range(begin_s, begin_s + width * column_s, column_s)
    )
