"""A second oracle, written from the contract alone; no code shared with the judged."""

from .report import Result, judge

__all__ = ["Result", "judge"]
