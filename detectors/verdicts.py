"""What a judge says, as values: verdicts told or taken back, and statuses."""

from __future__ import annotations

from dataclasses import dataclass

from detectors.kernels.layout import (
    I64,
    KEY_KIND,
    KEY_LIMIT,
    META_ESTIMATED,
    NONE,
    OUT_WORDS,
    RETRACT,
    STATUS,
    V_COUNTED,
    V_END,
    V_HOLD_FROM,
    V_HOLD_UNTIL,
    V_INSTANT,
    V_KEY,
    V_META,
    V_SPANS,
    V_START,
    V_TOLD_AT,
    V_ZONE,
    VERDICT_WORDS,
)

KINDS = ("approaching", "limit_reached", "reminder", "hold_released", "hold_breached")
STATUSES = ("clear", "approaching", "hold")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One alert without its words; epoch seconds, None where there is none.

    ``row``, ``platform`` and ``zone`` are numbers of the store; ``limit`` is an index of its limit table.
    ``window_end_s`` differs from ``event_time_s`` only where a hold was released. ``spans`` are the clock's
    merged intervals inside the window, half-open, the last 50.
    """

    row: int
    retracted: bool
    event_time_s: int
    kind: str
    limit: int
    platform: int | None
    counted_s: int
    window_start_s: int
    window_end_s: int
    hold_from_s: int | None
    hold_until_s: int | None
    told_at_s: int | None
    zone: int
    estimated: bool
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Status:
    """One dispatch status; ``limit`` is an index of the limit table, None when nothing is left to reach.

    ``only_joined``: nothing has changed, but a platform is new to the rider and has not been told yet.
    """

    row: int
    status: str
    hold_until_s: int | None
    limit: int | None
    remaining_s: int | None
    as_of_s: int
    only_joined: bool = False


Outcome = Verdict | Status


def _known(word: int) -> int | None:
    return None if word == NONE else word


def read_outcomes(out: I64, used: int) -> list[Outcome]:
    """Turn the words that the kernels wrote into values, in their order."""
    outcomes: list[Outcome] = []
    at = 0
    words = out[:used].tolist()
    while at < used:
        row, action, size = words[at : at + OUT_WORDS]
        body = words[at + OUT_WORDS : at + OUT_WORDS + size]
        outcomes.append(_status(row, body) if action == STATUS else read_verdict(row, action, body))
        at += OUT_WORDS + size
    return outcomes


def _status(row: int, body: list[int]) -> Status:
    code, until, naming, left, now, only_joined = body
    return Status(row, STATUSES[code], _known(until), _known(naming), _known(left), now, only_joined == 1)


def read_verdict(row: int, action: int, body: list[int]) -> Verdict:
    """The verdict of a record's words, as a judge writes them and as riders keep them."""
    key = body[V_KEY]
    spans = body[VERDICT_WORDS : VERDICT_WORDS + 2 * body[V_SPANS]]
    return Verdict(
        row=row,
        retracted=action == RETRACT,
        event_time_s=body[V_INSTANT],
        kind=KINDS[key >> KEY_KIND],
        limit=(key >> KEY_LIMIT) & 255,
        platform=_known((key & ((1 << KEY_LIMIT) - 1)) - 1),
        counted_s=body[V_COUNTED],
        window_start_s=body[V_START],
        window_end_s=body[V_END],
        hold_from_s=_known(body[V_HOLD_FROM]),
        hold_until_s=_known(body[V_HOLD_UNTIL]),
        told_at_s=_known(body[V_TOLD_AT]),
        zone=body[V_ZONE],
        estimated=body[V_META] & META_ESTIMATED != 0,
        spans=tuple(zip(spans[::2], spans[1::2], strict=True)),
    )
