"""What the API takes and answers about reviews."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schemas.lists import Next
from schemas.names import Id

_CLOSED = ConfigDict(extra="forbid", frozen=True)
Text = Annotated[str, Field(min_length=1, max_length=2000)]
#: Corrections that one answer can bring.
MOST_CORRECTIONS = 200


class ReviewRequest(BaseModel):
    """Why an alert is contested."""

    model_config = _CLOSED

    text: Annotated[Text, Field(description="In words; no names, no phone numbers.")]


class ReviewAnswer(BaseModel):
    """What came of a review."""

    model_config = _CLOSED

    outcome: Annotated[
        Literal["stands", "evidence_wrong", "hold_lifted"],
        Field(
            description="`evidence_wrong` sends `corrections` to the source, and what follows from them "
            "follows by itself; `hold_lifted` ends the hold of the alert at once."
        ),
    ]
    reason: Text
    corrections: Annotated[
        tuple[dict[str, Any], ...],
        Field(
            max_length=MOST_CORRECTIONS,
            description="WorkStateEvents of the rider: voids, and what really was; with evidence_wrong.",
        ),
    ] = ()


class Review(BaseModel):
    """A review, open until it has an outcome."""

    model_config = _CLOSED

    review_id: str
    alert_id: str
    rider_id: Id
    kind: str
    policy: str
    limit: Id
    asked_by: Annotated[str, Field(description="A platform's name, or the role that asked.")]
    asked_at: AwareDatetime
    due_at: Annotated[AwareDatetime, Field(description="By when a person answers.")]
    text: str
    outcome: Literal["stands", "evidence_wrong", "hold_lifted"] | None
    reason: str | None
    answered_at: AwareDatetime | None
    overdue: Annotated[bool, Field(description="It is open, and the time to answer is over.")]


class Reviews(BaseModel):
    """Reviews of an alert, those that are due first in front."""

    model_config = _CLOSED

    reviews: tuple[Review, ...]


class ReviewPage(BaseModel):
    """Some of the reviews asked for."""

    model_config = _CLOSED

    count: Annotated[int, Field(description="How many there are in all.")]
    reviews: tuple[Review, ...]
    next: Next


_Cell = Annotated[int, Field(ge=-1, description="-1: hidden, for it is about fewer than k riders.")]


class ReviewCounts(BaseModel):
    """How many reviews there are; every review is in one cell."""

    model_config = _CLOSED

    as_of: AwareDatetime
    within_s: Annotated[int, Field(description="How long a person has to answer.")]
    k: Annotated[int | None, Field(description="Cells are multiples of it; null: they are exact.")]
    in_time: Annotated[_Cell, Field(description="Open, and there is time left to answer.")]
    overdue: Annotated[_Cell, Field(description="Open, and the time to answer is over.")]
    stands: _Cell
    evidence_wrong: _Cell
    hold_lifted: _Cell


class Me(BaseModel):
    """Whose key it is, and what can be asked for with it."""

    model_config = _CLOSED

    role: Literal["platform", "rider", "dispatcher", "regulator", "operator"]
    platform: Annotated[Id | None, Field(description="The platform whose key it is.")]
    rider: Annotated[Id | None, Field(description="The rider whose key it is.")]
    reviews: Annotated[bool, Field(description="Whether reviews are taken here.")]
    answers_reviews: Annotated[bool, Field(description="Whether the holder answers them.")]
