"""Files of conditions of zones, as they were announced."""

from __future__ import annotations

from collections.abc import Iterable

from detectors.conditions import Announcement
from schemas.work_state import Refused
from stream.announcements import announcement_of
from stream.offline.bad_lines import BadLine, BadLines
from stream.offline.inputs import numbered_values


class OfConditions(str):
    """The name of a file of conditions, among those of events."""

    __slots__ = ()


def announced_in(name: str, lines: Iterable[bytes], bad: BadLines) -> list[Announcement]:
    """What the lines of a file announce; those that are no conditions go to the bad lines."""
    found = []
    for number, value in numbered_values(lines):
        try:
            found.append(announcement_of(value, arrival_s=None))
        except Refused as fault:
            bad.add(BadLine(name, number, fault.reason, fault.detail))
    return found
