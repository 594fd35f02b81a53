"""A second oracle, written from the contract alone; it shares no code with what it judges nor with its sibling."""

from .report import Result, judge

__all__ = ["Result", "judge"]
