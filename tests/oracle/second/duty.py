"""Duty status of one platform, walked change by change."""

from __future__ import annotations

from collections.abc import Iterable

#: In the order in which the changes of one instant are applied.
STATUSES = ("offline", "off", "sleeper", "on_duty", "driving")


def duty_spans(
    changes: Iterable[tuple[int, str]], maximum_s: int, now: int
) -> list[tuple[str, int, int, str]]:
    """Every stretch of driving or of being on duty, as (status, start, end, what ended it)."""
    spans: list[tuple[str, int, int, str]] = []
    held: tuple[str, int] | None = None
    for t, rank in sorted({(t, STATUSES.index(status)) for t, status in changes}):
        status = STATUSES[rank]
        if held is not None:
            name, since = held
            lapses = since + maximum_s
            if t < lapses and status == name:
                continue
            if t < lapses or (t == lapses and status != name):
                spans.append((name, since, t, "event"))
            else:
                spans.append((name, since, lapses, "maximum"))
        held = (status, t) if status in ("on_duty", "driving") else None
    if held is not None:
        lapses = held[1] + maximum_s
        spans.append((*held, lapses, "maximum") if lapses <= now else (*held, now + 1, "open"))
    return spans
