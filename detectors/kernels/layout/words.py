"""How words of a record are given out: one after another, so that no two can lie on one another."""

from __future__ import annotations


class Words:
    """The words of one record, as far as they are given out."""

    def __init__(self) -> None:
        self.size = 0
        #: First word and number of words of everything given out.
        self.given: list[tuple[int, int]] = []

    def one(self) -> int:
        """The next word."""
        return self.block(1)

    def block(self, count: int) -> int:
        """The first of ``count`` words that belong together, as one for each clock."""
        first = self.size
        self.given.append((first, count))
        self.size += count
        return first

    def each(self, count: int) -> range:
        """The next ``count`` words, each with a name of its own."""
        first = self.size
        for _ in range(count):
            self.one()
        return range(first, first + count)
