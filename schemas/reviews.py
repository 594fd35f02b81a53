"""What the API takes and answers about reviews."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

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
    """Reviews, those that are due first in front."""

    model_config = _CLOSED

    reviews: tuple[Review, ...]
