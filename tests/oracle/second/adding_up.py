"""When rests add up: which have been used, and how long the rest of it takes."""

from __future__ import annotations

from collections.abc import Sequence

Rest = tuple[int, int]


def used(rests: Sequence[Rest], parts: Sequence[int]) -> list[Rest]:
    """The rests that were used for the parts, in order; as many as there are complete parts."""
    if not rests or not parts:
        return []
    (start, end), others = rests[0], rests[1:]
    if end - start < parts[0]:
        return used(others, parts)
    return [rests[0], *used(others, parts[1:])]


def summed_s(rests: Sequence[Rest], part_s: int) -> int:
    """What the rests that are long enough add up to."""
    lengths = [end - start for start, end in rests]
    return sum(length for length in lengths if length >= part_s)


def complete(limit: dict[str, object], rests: Sequence[Rest]) -> bool:
    """Whether a sequence or a sum is complete with these rests."""
    parts, total_s, part_s = wanted(limit)
    if parts and len(used(rests, parts)) == len(parts):
        return True
    return total_s > 0 and summed_s(rests, part_s) >= total_s


def wanted(limit: dict[str, object]) -> tuple[list[int], int, int]:
    """Parts, sum, and what a part of the sum lasts at least."""
    parts, total, part = (limit.get(f"{key}_s") for key in ("reset_parts", "reset_sum", "reset_sum_parts"))
    return (
        list(parts) if isinstance(parts, list) else [],
        total if isinstance(total, int) else 0,
        part if isinstance(part, int) else 0,
    )


def soonest(limit: dict[str, object], rests: Sequence[Rest], t: int, *, resting: bool) -> int | None:
    """When a sequence or a sum can be complete at the earliest; None where the limit has neither.

    ``rests``: of the episode, the last one up to ``t`` if one is under way. While the clock runs a rest may
    begin at once; one more rest takes a second of work before it.
    """
    parts, total_s, part_s = wanted(limit)
    over, begin = (rests[:-1], rests[-1][0]) if resting and rests else (rests, t)
    if parts:
        done = len(used(rests, parts))
        if done > len(used(over, parts)):
            begin = t + 1
        end = begin - 1
        for part in parts[done:]:
            end = max(end + 1, begin) + part
        return end
    if total_s:
        return begin + max(part_s, total_s - summed_s(over, part_s))
    return None
