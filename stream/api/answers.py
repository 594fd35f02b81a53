"""Answers to "may he take this order" as they go out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Literal

import msgspec

from detectors.kernels.eligibility import (
    A_AS_OF,
    A_KNOWN,
    A_LEFT,
    A_LIMIT,
    A_RESUME,
    A_STATUS,
    A_VERDICT,
    FAILS,
)
from detectors.kernels.layout import HELD, NONE
from detectors.limits import Limit
from schemas.api import LONGEST_ORDER_MINUTES, MOST_CANDIDATES
from stream.api.riders import Round
from stream.render import utc

VERDICTS: tuple[Literal["PASS", "FAIL", "UNKNOWN"], ...] = ("PASS", "FAIL", "UNKNOWN")
RiderId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.:-]{1,64}\Z")]
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
    names = [(one.policy, one.name) for one in limits]
    found = []
    for rider, line, asked, home in zip(round_.riders, lines, minutes, homes, strict=True):
        why = unsure.get(home if partitions else NONE)
        if why is not None:
            found.append(unknown(rider, asked, why, if_unknown))
            continue
        policy, limit = names[line[A_LIMIT]] if line[A_LIMIT] != NONE else (None, None)
        verdict = line[A_VERDICT]
        reason = None
        if verdict == FAILS:
            reason = "hold" if line[A_STATUS] == HELD else "would_reach"
        found.append(
            Answer(
                rider,
                VERDICTS[verdict],
                reason,
                line[A_KNOWN] == 1,
                asked,
                policy,
                limit,
                line[A_LEFT] if line[A_LEFT] != NONE else None,
                _written(line[A_RESUME]) if line[A_RESUME] != NONE else None,
                _written(line[A_AS_OF]) if line[A_AS_OF] > 0 else None,
                if_unknown,
            )
        )
    return found
