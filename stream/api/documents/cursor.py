"""Where a page of a list ended: what its last line was sorted by, and that line's id.

The next page is everything behind that place, so nothing is left out or comes twice but for what moves
meanwhile, and no server has to remember who reads what.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec

_LONGEST_CURSOR = 300


class InvalidCursor(ValueError):
    """A cursor that no page of this list ended with."""


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """A place in a list: how it is sorted, what its last line was sorted by, and that line's id."""

    sort: str
    value: int
    last: str

    def written(self) -> str:
        """As a client sends it back."""
        return urlsafe_b64encode(msgspec.json.encode(self)).decode("ascii").rstrip("=")


def read_cursor(text: str, sort: str) -> Cursor:
    """The place that a cursor names.

    Raises
    ------
    InvalidCursor
        When it is none of a list sorted like this.
    """
    try:
        if len(text) > _LONGEST_CURSOR:
            raise InvalidCursor("query.cursor: too long: take it from `next` as it is")
        found = msgspec.json.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=Cursor)
        found.last.encode("ascii")
    except (ValueError, msgspec.DecodeError) as error:
        raise InvalidCursor("query.cursor: no page ended with it: take it from `next` as it is") from error
    if found.sort != sort or not -(2**63) < found.value < 2**63:
        message = f"query.cursor: it is of a list sorted by {found.sort}, not by {sort}: begin without it"
        raise InvalidCursor(message)
    return found
