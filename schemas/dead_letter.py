"""Headers of a dead letter; key, value and the other headers are the original's, untouched."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Reason = Literal[
    "too_large", "malformed", "unsupported_schema", "invalid", "future", "too_late", "flood", "misplaced"
]


class DeadLetterHeaders(BaseModel):
    """Why a message was refused, and where it lay. All are texts on the wire."""

    model_config = ConfigDict(frozen=True, title="DeadLetterHeaders")

    reason: Reason
    detail: str
    topic: str
    partition: Annotated[str, Field(pattern="^[0-9]+$")]
    offset: Annotated[str, Field(pattern="^[0-9]+$")]
    size: Annotated[
        str | None, Field(pattern="^[0-9]+$", description="Of a value cut to its first 16 KiB.")
    ] = None
