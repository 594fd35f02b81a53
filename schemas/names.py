"""Names that go over the wire."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import StringConstraints

_ID = re.compile(rb"[A-Za-z0-9_.:-]{1,64}")
ID_PATTERN = r"^[A-Za-z0-9_.:-]{1,64}\z"

#: Ids of events, riders, platforms, orders, zones, policies and limits.
Id = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]


def is_rider(key: bytes) -> bool:
    """Whether a record's key can be a rider's id."""
    return _ID.fullmatch(key) is not None


def is_id(text: object) -> bool:
    """Whether a value of JSON is an id."""
    return isinstance(text, str) and text.isascii() and _ID.fullmatch(text.encode()) is not None
