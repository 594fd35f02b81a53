"""What of a partition is settled, and how far without a hole."""

from __future__ import annotations

from collections import deque


class Ledger:
    """Offsets taken from one partition, in order; what is settled out of order waits for what is not.

    Examples
    --------
    >>> ledger = Ledger()
    >>> for offset in (4, 5, 9):
    ...     ledger.take(offset)
    >>> ledger.settle(5)
    >>> ledger.next_offset
    >>> ledger.settle(4)
    >>> ledger.next_offset
    6
    """

    def __init__(self) -> None:
        self._taken: deque[int] = deque()
        self._settled: set[int] = set()
        self.next_offset: int | None = None
        self.committed: int | None = None
        self.position: int | None = None

    def __len__(self) -> int:
        """Offsets from the first unsettled one on: they are sent again after a crash."""
        return len(self._taken)

    def take(self, offset: int) -> None:
        """An offset above all that were taken before; compaction and markers leave gaps."""
        self._taken.append(offset)
        self.position = offset + 1

    def settle(self, offset: int) -> None:
        """A taken offset that needs nothing any more."""
        self._settled.add(offset)
        while self._taken and self._taken[0] in self._settled:
            first = self._taken.popleft()
            self._settled.remove(first)
            self.next_offset = first + 1
