"""Whether something that is done every so often is due."""

from __future__ import annotations


def is_due(wall_s: float, due_s: float, every_s: float) -> bool:
    """Whether what is done every so often is due: its time has come, or the clock has been set back."""
    return not due_s - every_s <= wall_s < due_s
