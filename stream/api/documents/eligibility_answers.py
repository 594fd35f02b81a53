"""Answers to "may he take this order" as they go out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from detectors.kernels.layout.codes import CLEAR, HELD
from detectors.kernels.layout.values import NONE
from detectors.kernels.reading.columns import (
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
from detectors.limits import Limit
from schemas.decode.rounds import Written, read_candidates, write_rows
from schemas.eligibility import LONGEST_ORDER_MINUTES, MOST_CANDIDATES
from schemas.faults.field import json_fault, written
from schemas.names import is_id
from stream.api.documents.batch import Batch
from stream.output.alert_json import utc

VERDICTS: tuple[Literal["PASS", "FAIL", "UNKNOWN"], ...] = ("PASS", "FAIL", "UNKNOWN")
RiderId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
#: To JSON Schema 25.0 is an integer too.
OrderMinutes = Annotated[float, msgspec.Meta(ge=1, le=LONGEST_ORDER_MINUTES, multiple_of=1)]


class EligibilityAnswer(msgspec.Struct, frozen=True, gc=False):
    """`schemas.eligibility.Eligibility`, quick to make and to write by the hundred thousand."""

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
    """`schemas.eligibility.Candidate`."""

    rider_id: RiderId
    minutes: OrderMinutes


class CandidatesIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`schemas.eligibility.Candidates`."""

    candidates: Annotated[list[CandidateIn], msgspec.Meta(max_length=MOST_CANDIDATES)]


class Answers(msgspec.Struct, frozen=True):
    """`schemas.eligibility.Eligibilities`."""

    answers: list[EligibilityAnswer]


def unknown(
    rider: str, minutes: int, reason: str, if_unknown: Literal["open", "closed"]
) -> EligibilityAnswer:
    """The answer when nothing can be said."""
    told = "unreachable" if reason == "elsewhere" else reason
    return EligibilityAnswer(rider, "UNKNOWN", told, None, minutes, None, None, None, None, None, if_unknown)


def answers_of(
    batch: Batch,
    limits: Sequence[Limit],
    unsure: Mapping[int, str],
    partitions: int | None,
    if_unknown: Literal["open", "closed"],
) -> list[EligibilityAnswer]:
    """The answers of a round; for partitions in ``unsure`` nothing can be said."""
    minutes = (batch.asked.seconds // 60).tolist()
    homes = (batch.murmurs % (partitions or 1)).tolist()
    lines = batch.asked.answers.tolist()
    found = []
    for rider, line, asked, home in zip(batch.riders(), lines, minutes, homes, strict=True):
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
) -> EligibilityAnswer:
    limit = limits[line[A_LIMIT]] if line[A_LIMIT] != NONE else None
    verdict = line[A_VERDICT]
    reason = None
    if verdict == FAILS:
        reason = "hold" if line[A_STATUS] == HELD else "would_reach"
    return EligibilityAnswer(
        rider,
        VERDICTS[verdict],
        reason,
        line[A_KNOWN] == 1,
        minutes,
        limit.policy if limit else None,
        limit.name if limit else None,
        line[A_LEFT] if line[A_LEFT] != NONE else None,
        utc(line[A_RESUME]) if line[A_RESUME] != NONE else None,
        utc(line[A_AS_OF]) if line[A_AS_OF] > 0 else None,
        if_unknown,
    )


class InvalidBatch(ValueError):
    """A request's body asks for no dispatch round; the message says what is wrong."""


def read_batch(body: bytes) -> Batch:
    """The round that a request's body asks for.

    Raises
    ------
    InvalidBatch
        When it is none; the message says what is wrong.
    """
    read = read_candidates(body, MOST_CANDIDATES, LONGEST_ORDER_MINUTES)
    if read is not None:
        return Batch.of_candidates(read)
    try:
        asked = msgspec.json.decode(body, type=CandidatesIn).candidates
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidBatch(f"body: {json_fault(error)}") from error
    riders = [one.rider_id for one in asked]
    wrong = next((rider for rider in riders if not is_id(rider)), None)
    if wrong is not None:
        raise InvalidBatch(f"rider_id {written(wrong)}: must be 1 to 64 characters of A-Z a-z 0-9 _ . : -")
    return Batch.of(riders, [one.minutes for one in asked])


def verdicts_of(batch: Batch, unsure: Mapping[int, str], partitions: int | None) -> list[tuple[str, int]]:
    """How many answers of a round have which verdict."""
    if unsure and not partitions:
        return [("UNKNOWN", len(batch))]
    sure = ~np.isin(batch.murmurs % (partitions or 1), list(unsure))
    found = np.bincount(batch.asked.answers[sure, A_VERDICT], minlength=len(VERDICTS)).tolist()
    counted = dict(zip(VERDICTS, found, strict=True))
    counted["UNKNOWN"] = counted.get("UNKNOWN", 0) + int((~sure).sum())
    return list(counted.items())


#: What stands for the fields that differ in a template.
_MARKS = ("@rider", 1_000_001, 1_000_002, "@resume", "@as_of")


def write_answers(
    batch: Batch,
    limits: Sequence[Limit],
    unsure: Mapping[int, str],
    partitions: int | None,
    if_unknown: Literal["open", "closed"],
) -> bytes:
    """`answers_of`, written: what many riders have in common is put in words once.

    Precondition: ids need no escaping.
    """
    asked = batch.asked
    whys = sorted(set(unsure.values()))
    # 0 for what is known; one more than the reason's place for what is not.
    why = np.zeros(len(batch), dtype=np.int64)
    homes = batch.murmurs % partitions if partitions else np.full(len(batch), NONE)
    for home, reason in unsure.items():
        why[homes == home] = whys.index(reason) + 1
    sure = why == 0
    shape = (len(whys) + 1, len(VERDICTS), len(limits) + 1, 2, 2)
    held = asked.answers[:, A_STATUS] == HELD
    parts = (why, asked.answers[:, A_VERDICT], asked.answers[:, A_LIMIT] + 1, asked.answers[:, A_KNOWN], held)
    key = np.where(sure, np.ravel_multi_index(parts, shape, mode="clip"), why * math.prod(shape[1:]))
    used = np.flatnonzero(np.bincount(key, minlength=1))
    place = np.zeros(math.prod(shape), dtype=np.int64)
    place[used] = np.arange(len(used))
    left, resume, as_of = (
        np.where(sure, asked.answers[:, column], NONE) for column in (A_LEFT, A_RESUME, A_AS_OF)
    )
    written = Written(
        place[key], asked.buf, asked.off, asked.length, asked.seconds // 60, left, resume,
        np.where(as_of > 0, as_of, NONE),
    )  # fmt: skip
    pieces = [_pieces(np.unravel_index(one, shape), whys, limits, if_unknown) for one in used.tolist()]
    return b"".join((b'{"answers":[', write_rows(written, pieces), b"]}"))


def _pieces(
    key: Sequence[Any], whys: Sequence[str], limits: Sequence[Limit], if_unknown: Literal["open", "closed"]
) -> list[bytes]:
    """The text around the fields that differ, of answers that are alike but for these."""
    why, verdict, number, known, held = (int(one) for one in key)
    line = [0] * ANSWER_WORDS
    line[A_VERDICT], line[A_LIMIT], line[A_KNOWN] = verdict, number - 1, known
    line[A_STATUS] = HELD if held else CLEAR
    like = unknown("", 0, whys[why - 1], if_unknown) if why else _answer("", line, 0, limits, if_unknown)
    rider, minutes, left, resume, as_of = _MARKS
    marked = msgspec.structs.replace(
        like, rider_id=rider, minutes=minutes, remaining_s=left, earliest_resume=resume, as_of=as_of
    )
    text = msgspec.json.encode(marked)
    pieces = []
    for mark in (rider, str(minutes), str(left), f'"{resume}"', f'"{as_of}"'):
        before, _, text = text.partition(mark.encode())
        pieces.append(before)
    return [*pieces, text]
