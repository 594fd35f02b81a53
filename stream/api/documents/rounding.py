"""What a regulator sees of counts that move: multiples of ten, and the same for five minutes.

Suppression hides small cells of one table. Two tables of one city, a moment apart, would tell the rider who
came between them by their difference, so every count that is shown is rounded to a multiple of ``k``, and
tables change together, every five minutes: a difference of what is shown is then about none or about ten and
more, as far as anybody can tell. Sums of rounded counts say less than their terms.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.overview import K
from stream.api.documents.suppression import SUPPRESSED

Document = dict[str, Any]
PERIOD_S = 300
#: What an overview counts of riders and alerts; the rest is about the service.
FIGURES = (
    "riders",
    "statuses",
    "holds_by_limit",
    "riders_by_zone",
    "riders_by_platform",
    "breaches_by_platform",
    "alerts_per_minute",
    "alerts_by_kind",
    "shadow",
)


def rounded(count: int, k: int = K) -> int:
    """The nearest multiple of ``k``, the greater of two; what is suppressed stays so.

    >>> [rounded(count) for count in (-1, 0, 10, 14, 15, 1234)]
    [-1, 0, 10, 10, 20, 1230]
    """
    return count if count == SUPPRESSED else (count + k // 2) // k * k


def rounded_all(found: Any, k: int = K) -> Any:  # noqa: ANN401 - counts, and tables of them
    """Every count in a table of tables; names stay as they are."""
    if isinstance(found, str):
        return found
    if isinstance(found, Mapping):
        return {name: rounded_all(one, k) for name, one in found.items()}
    if isinstance(found, list):
        return [rounded_all(one, k) for one in found]
    return float(rounded(round(found), k)) if isinstance(found, float) else rounded(found, k)


class Published:
    """The last figures that were shown; they stay for five minutes of the wall clock."""

    def __init__(self) -> None:
        self._shown: dict[str, tuple[object, Document]] = {}

    def figures(self, name: str, now_s: float, about: object, figures: Document) -> Document:
        """The figures to be shown under a name: these, or those of before while they are new enough.

        Parameters
        ----------
        about
            What they are figures of; of something else they are shown at once.
        """
        slot = (int(now_s) // PERIOD_S, about)
        before = self._shown.get(name)
        if before is None or before[0] != slot:
            before = self._shown[name] = (slot, rounded_all(figures))
        return before[1]

    def overview(self, now_s: float, document: Document) -> Document:
        """An overview for a regulator, of which the small cells are hidden already."""
        fresh = tuple(one["partition"] for one in document["partitions"] if one["fresh"])
        figures = {name: document[name] for name in FIGURES}
        return {**document, **self.figures("overview", now_s, fresh, figures)}
