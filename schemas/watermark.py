"""Watermark: how far a partition has been judged."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schemas.alert import PolicyRef, Seconds


class Watermark(BaseModel):
    """Written every 5 s per partition; older than 15 s its riders' state is unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, title="Watermark")

    schema_: Annotated[Literal["watermark/1"], Field(alias="schema")]
    partition: Annotated[int, Field(ge=0)]
    now: AwareDatetime | None
    lag_s: Seconds
    worker: str
    policies: tuple[PolicyRef, ...]
