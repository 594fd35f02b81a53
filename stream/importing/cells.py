"""Cells by the names of their columns, however a file spells them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

Row = Mapping[str, object]
_NONE = frozenset({"", "-", "null", "none", "nan", "nat", "n/a", "\\n"})


def plain(name: str) -> str:
    """Letters and digits only: ``begin_timestamp_utc``, ``Begin timestamp (UTC)`` are one name.

    Examples
    --------
    >>> plain("Begin timestamp (UTC) ") == plain("beginTimestampUtc")
    True
    """
    return "".join(one for one in name.casefold() if one.isalnum())


class Columns:
    """Where the columns that a map names are in the rows of a file.

    Parameters
    ----------
    names
        The file's columns, where all rows have the same; None for objects of JSON.
    """

    def __init__(self, names: Sequence[str] | None) -> None:
        self._names = None if names is None else list(names)
        self._found: dict[str, str | None] = {}

    @property
    def are_fixed(self) -> bool:
        """Whether this is a table, whose rows all have the same."""
        return self._names is not None

    def missing(self, wanted: Iterable[str]) -> list[str]:
        """What a file with a head lacks; of objects of JSON each row says it."""
        return [] if self._names is None else [one for one in wanted if self._key(one, self._names) is None]

    def cell(self, row: Row, column: str) -> object:
        """What a row says there; None without that column."""
        if column in row:
            return row[column]
        if self._names is not None:
            key = self._key(column, self._names)
            return None if key is None else row.get(key)
        return _inside(row, column)

    def _key(self, column: str, names: Sequence[str]) -> str | None:
        if column not in self._found:
            alike = [one for one in names if one == column] or [
                one for one in names if plain(one) == plain(column)
            ]
            self._found[column] = alike[0] if len(alike) == 1 else None
        return self._found[column]


def _inside(row: Row, column: str) -> object:
    """A field of an object, or of one inside it: ``data.rider``."""
    step, _, rest = column.partition(".")
    if rest and isinstance(inner := row.get(step), Mapping):
        return inner[rest] if rest in inner else _inside(inner, rest)
    alike = [key for key in row if plain(key) == plain(column)]
    return row[alike[0]] if len(alike) == 1 else None


def word(cell: object) -> str:
    """A cell as a word: booleans in small letters, whole numbers without a point."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()


def is_blank(cell: object) -> bool:
    """Whether a cell says nothing."""
    if isinstance(cell, str):
        return cell.strip().casefold() in _NONE
    return cell is None or (isinstance(cell, float) and math.isnan(cell))
