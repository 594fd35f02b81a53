"""Who asks, and what is whose business."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["platform", "regulator", "operator", "dispatcher", "rider"]
IfUnknown = Literal["open", "closed"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    key: str
    role: Role
    platform: str | None
    if_unknown: IfUnknown
    per_second: float
    #: The only person that the role ``rider`` is about.
    rider: str | None = None

    @property
    def sees_persons(self) -> bool:
        """Whether riders, more than one, are the caller's business."""
        return self.role in ("platform", "dispatcher")

    @property
    def sees_counts(self) -> bool:
        """Whether counts of all riders are the caller's business."""
        return self.role in ("dispatcher", "operator", "regulator")

    def may_ask_about(self, rider: str) -> bool:
        """Whether a rider is not another one than the caller himself."""
        return self.rider is None or self.rider == rider

    @property
    def answers_reviews(self) -> bool:
        """Whether the caller decides on what is contested."""
        return self.role == "operator" or self is NOBODY


#: Without keys, on loopback only: sees everything.
NOBODY = Caller("no-auth", "dispatcher", None, "closed", 1000.0)
