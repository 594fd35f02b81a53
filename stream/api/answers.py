"""Answers to "may he take this order" as they go out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from detectors.kernels.eligibility import (
    A_AS_OF,
    A_KNOWN,
    A_LEFT,
    A_LIMIT,
    A_RESUME,
    A_STATUS,
    A_VERDICT,
    ANSWER_WORDS,
    FAILS,
)
from detectors.kernels.layout import HELD, NONE
from detectors.limits import Limit
from schemas.api import LONGEST_ORDER_MINUTES, MOST_CANDIDATES
from stream.api.riders import Round
from stream.render import utc

VERDICTS: tuple[Literal["PASS", "FAIL", "UNKNOWN"], ...] = ("PASS", "FAIL", "UNKNOWN")
#: Their characters are checked together, by `check_ids`: a pattern here would take as long as the judging.
RiderId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
#: To JSON Schema 25.0 is an integer too.
OrderMinutes = Annotated[float, msgspec.Meta(ge=1, le=LONGEST_ORDER_MINUTES, multiple_of=1)]
_written = lru_cache(maxsize=200_000)(utc)


class Answer(msgspec.Struct, frozen=True, gc=False):
    """`schemas.api.Eligibility`, quick to make and to write by the hundred thousand."""

    rider_id: str
    verdict: Literal["PASS", "FAIL", "UNKNOWN"]
    reason: str | None
    known: bool | None
    minutes: int
    policy: str | None
    limit: str | None
    remaining_s: int | None
    earliest_resume: str | None
    as_of: str | None
    if_unknown: Literal["open", "closed"]


class CandidateIn(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """`schemas.api.Candidate`."""

    rider_id: RiderId
    minutes: OrderMinutes


class CandidatesIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`schemas.api.Candidates`."""

    candidates: Annotated[list[CandidateIn], msgspec.Meta(max_length=MOST_CANDIDATES)]


class Answers(msgspec.Struct, frozen=True):
    """`schemas.api.Eligibilities`."""

    answers: list[Answer]


def unknown(rider: str, minutes: int, reason: str, if_unknown: Literal["open", "closed"]) -> Answer:
    """The answer when nothing can be said."""
    told = "unreachable" if reason == "elsewhere" else reason
    return Answer(rider, "UNKNOWN", told, None, minutes, None, None, None, None, None, if_unknown)


def answers_of(
    round_: Round,
    limits: Sequence[Limit],
    unsure: Mapping[int, str],
    partitions: int | None,
    if_unknown: Literal["open", "closed"],
) -> list[Answer]:
    """The answers of a round; for partitions in ``unsure`` nothing can be said."""
    minutes = (round_.asked.seconds // 60).tolist()
    homes = (round_.murmurs % (partitions or 1)).tolist()
    lines = round_.asked.answers.tolist()
    found = []
    for rider, line, asked, home in zip(round_.riders, lines, minutes, homes, strict=True):
        why = unsure.get(home if partitions else NONE)
        if why is not None:
            found.append(unknown(rider, asked, why, if_unknown))
        else:
            found.append(_answer(rider, line, asked, limits, if_unknown))
    return found


def _answer(
    rider: str,
    line: Sequence[int],
    minutes: int,
    limits: Sequence[Limit],
    if_unknown: Literal["open", "closed"],
) -> Answer:
    limit = limits[line[A_LIMIT]] if line[A_LIMIT] != NONE else None
    verdict = line[A_VERDICT]
    reason = None
    if verdict == FAILS:
        reason = "hold" if line[A_STATUS] == HELD else "would_reach"
    return Answer(
        rider,
        VERDICTS[verdict],
        reason,
        line[A_KNOWN] == 1,
        minutes,
        limit.policy if limit else None,
        limit.name if limit else None,
        line[A_LEFT] if line[A_LEFT] != NONE else None,
        _written(line[A_RESUME]) if line[A_RESUME] != NONE else None,
        _written(line[A_AS_OF]) if line[A_AS_OF] > 0 else None,
        if_unknown,
    )


_ALLOWED = np.zeros(256, dtype=np.bool_)
_ALLOWED[
    np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-", dtype=np.uint8)
] = True
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


def wrong_id(riders: Sequence[str]) -> str | None:
    """The first that is no rider's id; None when all are."""
    joined = "".join(riders)
    if joined.isascii() and _ALLOWED[np.frombuffer(joined.encode(), dtype=np.uint8)].all():
        return None
    return next(rider for rider in riders if not _ID.fullmatch(rider))


def verdicts_of(round_: Round, unsure: Mapping[int, str], partitions: int | None) -> list[tuple[str, int]]:
    """How many answers of a round have which verdict."""
    if unsure and not partitions:
        return [("UNKNOWN", len(round_.riders))]
    sure = ~np.isin(round_.murmurs % (partitions or 1), list(unsure))
    found = np.bincount(round_.asked.answers[sure, A_VERDICT], minlength=len(VERDICTS)).tolist()
    counted = dict(zip(VERDICTS, found, strict=True))
    counted["UNKNOWN"] = counted.get("UNKNOWN", 0) + int((~sure).sum())
    return list(counted.items())


def write_answers(
    round_: Round,
    limits: Sequence[Limit],
    unsure: Mapping[int, str],
    partitions: int | None,
    if_unknown: Literal["open", "closed"],
) -> bytes:
    """`answers_of`, written: what many riders have in common is put in words once.

    Precondition: `wrong_id` has found none, so ids need no escaping.
    """
    answers = round_.asked.answers
    count = len(round_.riders)
    shared = [
        answers[:, column].tolist() for column in (A_VERDICT, A_LIMIT, A_RESUME, A_KNOWN, A_AS_OF, A_STATUS)
    ]
    minutes = (round_.asked.seconds // 60).tolist()
    whys: Sequence[str | None] = [None] * count
    if unsure:
        homes = (round_.murmurs % partitions).tolist() if partitions else [NONE] * count
        whys = [unsure.get(home) for home in homes]
    left = [one if one != NONE else "null" for one in answers[:, A_LEFT].tolist()]
    words: dict[tuple[object, ...], tuple[str, str]] = {}
    parts = []
    for rider, seconds, key in zip(
        round_.riders, left, zip(*shared, minutes, whys, strict=True), strict=True
    ):
        around = words.get(key)
        if around is None:
            around = words[key] = _around(key, limits, if_unknown)
        parts.append(f'{{"rider_id":"{rider}"{around[0]}{seconds if key[-1] is None else "null"}{around[1]}')
    return f'{{"answers":[{",".join(parts)}]}}'.encode()


def _around(
    key: tuple[Any, ...], limits: Sequence[Limit], if_unknown: Literal["open", "closed"]
) -> tuple[str, str]:
    """What stands before and after the seconds left, the rider's id apart."""
    verdict, number, resume, known, as_of, status, minutes, why = key
    line = [0] * ANSWER_WORDS
    line[A_VERDICT], line[A_LIMIT], line[A_RESUME], line[A_KNOWN] = verdict, number, resume, known
    line[A_AS_OF], line[A_STATUS], line[A_LEFT] = as_of, status, 0
    answer = unknown("", minutes, why, if_unknown) if why else _answer("", line, minutes, limits, if_unknown)
    text = msgspec.json.encode(answer).decode()
    before, mark, after = text.partition('"remaining_s":')
    return before.removeprefix('{"rider_id":""') + mark, after[after.index(",") :]
