"""DispatchStatus: whether a new order may be pushed to a rider; the newest one counts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schemas.alert import PolicyRef, Seconds
from schemas.names import Id


class DispatchStatus(BaseModel):
    """A rider's state for dispatchers. A null value in the topic: the rider has been forgotten."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, title="DispatchStatus")

    schema_: Annotated[Literal["dispatch-status/1"], Field(alias="schema")]
    rider_id: Id
    status: Literal["clear", "approaching", "hold"]
    hold_until: Annotated[
        AwareDatetime | None, Field(description="Not before; only another status ends a hold.")
    ]
    limit: Id | None
    policy: PolicyRef | None
    remaining_s: Seconds | None
    as_of: AwareDatetime
