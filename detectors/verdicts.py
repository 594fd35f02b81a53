"""What a judge says, as values: verdicts told or taken back, and statuses."""

from __future__ import annotations

from dataclasses import dataclass

from detectors.kernels.layout import codes, record as Record
from detectors.kernels.layout.values import I64, NONE

STATUSES = codes.STATUSES


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

    @property
    def by_review(self) -> bool:
        """Whether it is a hold that an operator's review has ended, at the instant of the verdict."""
        return self.kind == "hold_released" and self.hold_from_s is not None and self.hold_until_s is None


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
        row, action, size = words[at : at + Record.OUT_WORDS]
        body = words[at + Record.OUT_WORDS : at + Record.OUT_WORDS + size]
        outcomes.append(_status(row, body) if action == Record.STATUS else read_verdict(row, action, body))
        at += Record.OUT_WORDS + size
    return outcomes


def _status(row: int, body: list[int]) -> Status:
    code, until, naming, left, now, only_joined = body
    return Status(row, STATUSES[code], _known(until), _known(naming), _known(left), now, only_joined == 1)


def read_verdict(row: int, action: int, body: list[int]) -> Verdict:
    """The verdict of a record's words, as a judge writes them and as riders keep them."""
    key = body[Record.KEY]
    spans = body[Record.WORDS : Record.WORDS + Record.SPAN_WORDS * body[Record.SPANS]]
    return Verdict(
        row=row,
        retracted=action == Record.RETRACT,
        event_time_s=body[Record.INSTANT],
        kind=codes.VERDICTS[key >> Record.KEY_KIND_SHIFT],
        limit=(key >> Record.KEY_LIMIT_SHIFT) & Record.KEY_LIMIT_MASK,
        platform=_known((key & Record.KEY_PLATFORM_MASK) - 1),
        counted_s=body[Record.COUNTED],
        window_start_s=body[Record.START],
        window_end_s=body[Record.END],
        hold_from_s=_known(body[Record.HOLD_FROM]),
        hold_until_s=_known(body[Record.HOLD_UNTIL]),
        told_at_s=_known(body[Record.TOLD_AT]),
        zone=body[Record.ZONE],
        estimated=body[Record.META] & Record.META_ESTIMATED != 0,
        spans=tuple(zip(spans[::2], spans[1::2], strict=True)),
    )
