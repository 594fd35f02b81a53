"""The rests of an episode, those that add up, and when the next could be complete."""

from __future__ import annotations

from typing import Any


class Rests:
    """Every rest since an episode's first counted second, the one under way with what it has lasted."""

    def __init__(self, limit: dict[str, Any]) -> None:
        self.reset: int = limit.get("reset_s") or limit.get("rest_s") or 0
        self.parts: list[int] = list(limit.get("reset_parts_s") or ())
        self.sum: int = limit.get("reset_sum_s") or 0
        self.least: int = limit.get("reset_sum_parts_s") or 0
        self.taken: list[tuple[int, int]] = []

    def begin(self) -> None:
        """An episode begins (or is over): nothing from before is used."""
        self.taken = []

    def rested(self, start: int, end: int) -> None:
        """The clock did not run from start to end, the step before now."""
        if self.taken and self.taken[-1][1] == start:
            self.taken[-1] = (self.taken[-1][0], end)
        else:
            self.taken.append((start, end))

    def sequence(self, rests: list[tuple[int, int]]) -> tuple[list[int], tuple[int, int] | None]:
        """The parts that are still missing, and the rest that was used last."""
        missing, used = list(self.parts), None
        for start, end in rests:
            if missing and end - start >= missing[0]:
                missing.pop(0)
                used = (start, end)
        return missing, used

    def summed(self, rests: list[tuple[int, int]]) -> int:
        return sum(end - start for start, end in rests if end - start >= self.least)

    def complete(self) -> bool:
        """Whether a sequence or a sum is."""
        if self.parts:
            return not self.sequence(self.taken)[0]
        return bool(self.sum) and self.summed(self.taken) >= self.sum

    def earliest(self, t: int, under_way: int | None) -> int:
        """The earliest instant at which a rest, a sequence or a sum can be complete, as seen from t.

        ``under_way``: where the rest under way at t began; None while the clock runs, and a rest may then
        begin at t. Another rest needs a second of the clock before it.
        """
        begin = t if under_way is None else under_way
        ways = [begin + self.reset]
        if self.parts:
            missing, used = self.sequence(self.taken)
            if under_way is not None and used == (under_way, t):
                begin = t + 1  # it has been used: what is missing is another rest
            at = begin + missing[0]
            for part in missing[1:]:
                at += 1 + part
            ways.append(at)
        if self.sum:
            over = [rest for rest in self.taken if under_way is None or rest[0] != under_way]
            ways.append(begin + max(self.least, self.sum - self.summed(over)))
        return min(ways)
