"""The dispatcher's question and its answers; the OpenAPI document is made from these."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schemas.alert import PolicyRef, Seconds
from schemas.names import Id

MOST_CANDIDATES = 100_000
LONGEST_ORDER_MINUTES = 1440
Minutes = Annotated[
    int,
    Field(
        ge=1,
        le=LONGEST_ORDER_MINUTES,
        description="How long the order would be in hand, in minutes, from its acceptance to its delivery.",
    ),
]
_CLOSED = ConfigDict(extra="forbid", frozen=True)


class Eligibility(BaseModel):
    """Whether an order accepted now would take a rider over a limit that holds.

    An order counts as in hand, and loaded, from now on for so many minutes. FAIL when the rider is on hold,
    or a limit with effect ``hold`` or ``confirm`` would be reached before the order's end or exactly at it.
    UNKNOWN is not PASS: the state of his partition is being restored, stale or out of reach. The answer is
    true at its moment only; ask again before every order. Instants are in UTC.
    """

    model_config = _CLOSED

    rider_id: Annotated[Id, Field(description="The rider asked about.")]
    verdict: Annotated[
        Literal["PASS", "FAIL", "UNKNOWN"],
        Field(
            description="`PASS`: the order may be pushed. `FAIL`: the order must not be pushed. "
            "`UNKNOWN`: it cannot be said; do as `if_unknown` says."
        ),
    ]
    reason: Annotated[
        str | None,
        Field(
            description="Why, for people and logs; null for PASS. FAIL: `hold`, he is due a rest now; "
            "`would_reach`, the order would reach a limit. UNKNOWN: `restoring`, a worker is building up its "
            "state; `stale`, the newest state is too old; `policies`, API and worker judge by different "
            "policies; `version`, they are of different versions; `busy`, his state changed while it was "
            "read; `unreachable`, nobody in reach has it."
        ),
    ]
    known: Annotated[
        bool | None, Field(description="Whether anything is known of him to the asker; null when UNKNOWN.")
    ]
    minutes: Minutes
    policy: Annotated[PolicyRef | None, Field(description="The policy of `limit`; null where that is.")]
    limit: Annotated[
        Id | None,
        Field(description="The binding limit: that of the verdict, or the nearest; null when there is none."),
    ]
    remaining_s: Annotated[
        Seconds | None,
        Field(
            description="Seconds that the clock of `limit` can still run before it is reached; 0 in a hold, "
            "null when there is none."
        ),
    ]
    earliest_resume: Annotated[
        AwareDatetime | None,
        Field(
            description="FAIL: do not ask for this rider again before this instant, which holds if he rests "
            "from now on; null when it is not known, and otherwise."
        ),
    ]
    as_of: Annotated[
        AwareDatetime | None,
        Field(description="The instant up to which all that happened is in the answer; null when UNKNOWN."),
    ]
    if_unknown: Annotated[
        Literal["open", "closed"],
        Field(
            description="The choice made with the asker's key for UNKNOWN and for no answer. `open`: the "
            "order may be pushed. `closed`: the order must not be pushed."
        ),
    ]


class Candidate(BaseModel):
    """One rider of a dispatch round."""

    model_config = _CLOSED

    rider_id: Id
    minutes: Minutes


class Candidates(BaseModel):
    """A dispatch round."""

    model_config = _CLOSED

    candidates: Annotated[tuple[Candidate, ...], Field(max_length=MOST_CANDIDATES)]


class Eligibilities(BaseModel):
    """The answers, in the order of the candidates."""

    model_config = _CLOSED

    answers: tuple[Eligibility, ...]
