"""Lines that are no events: reported with their place and reason, tallied, never lost in a flood of them."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

#: Up to so many in all, every one is shown; of more, the first of each reason.
ALL_SHOWN = 100
FIRST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no event."""

    file: str
    line: int
    reason: str
    detail: str

    def __str__(self) -> str:
        """``file:line: reason: detail``."""
        return f"{self.file}:{self.line}: {self.reason}: {self.detail}"


class BadLines:
    """The bad lines of a run; of very many only those that are shown are kept.

    Parameters
    ----------
    all_errors
        Show every one as it comes.
    tell
        Writes a line for a person.
    """

    def __init__(self, *, all_errors: bool = False, tell: Callable[[str], None] | None = None) -> None:
        self._all_errors = all_errors
        self._tell = tell or _on_standard_error
        self._kept: list[tuple[BadLine, bool]] = []
        self.counts: Counter[str] = Counter()
        #: Files of another form, which were not read.
        self.files = 0

    def __len__(self) -> int:
        """How many lines."""
        return self.counts.total()

    def __iter__(self) -> Iterator[BadLine]:
        """Those that are kept."""
        return (line for line, _ in self._kept)

    def add(self, line: BadLine) -> None:
        """Take one in."""
        self.counts[line.reason] += 1
        if self._all_errors:
            self._tell(str(line))
        elif len(self) <= ALL_SHOWN or self.counts[line.reason] <= FIRST_SHOWN:
            self._kept.append((line, self.counts[line.reason] <= FIRST_SHOWN))

    def report(self) -> None:
        """Show them, and the tally of their reasons."""
        for line, is_first in self._kept:
            if is_first or len(self) <= ALL_SHOWN:
                self._tell(str(line))
        if not self.counts:
            return
        tally = ", ".join(f"{count} {reason}" for reason, count in self.counts.most_common())
        some = (
            ""
            if self._all_errors or len(self) <= ALL_SHOWN
            else (f" (the first {FIRST_SHOWN} of each reason are shown; --all-errors shows all)")
        )
        self._tell(f"{len(self)} lines refused: {tally}{some}")


def _on_standard_error(text: str) -> None:
    sys.stderr.write(text + "\n")
