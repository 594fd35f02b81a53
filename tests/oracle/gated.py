"""What a limit that is on and off says, evaluated at every single second."""

from __future__ import annotations

from tests.oracle.conditions import Gate
from tests.oracle.evidence import Rider
from tests.oracle.windows import Doc


class Gated:
    """The part of a `tests.oracle.watch.Watch` that looks at conditions and bans."""

    rider: Rider
    gate: Gate | None
    ban: bool
    amount: int
    count: int
    leads: list[int]
    fired: bool
    reached_now: bool
    warned: dict[int, bool]
    hold: Doc | None
    passed: set[int]
    lasting: int | None

    def reached(self, t: int, count: int, amount: int) -> bool:
        """Whether an amount is reached at ``t``, where ``count`` is counted."""
        raise NotImplementedError

    def running(self, t: int) -> bool:
        """Whether the clock runs."""
        raise NotImplementedError

    def is_in_force(self, t: int) -> bool:
        """Whether the policy is."""
        raise NotImplementedError

    def is_on(self, t: int) -> bool:
        """Whether the limit is on for the rider, where he is."""
        return self.gate is None or self.gate.is_on(self.rider.zone(t), t, t)

    def tells(self, lead: int, t: int) -> bool:
        """Whether the amount that lies so much before the limit's is reached now, or still to be told."""
        met = self.reached(t, self.count, self.amount - lead)
        if self.gate is None or self.ban:
            return met
        new = met and lead not in self.passed
        if met:
            self.passed.add(lead)
        return self.is_on(t) and (new or (met and self.running(t)))

    def warn_of_ban(self, t: int) -> list[tuple[str, int]]:
        """The warning of a stretch that begins a lead from now, as known now, if the clock runs."""
        assert self.gate is not None
        zone = self.rider.zone(t)
        due = [lead for lead in self.leads if self.gate.begins(zone, t + lead, t)]
        says = self.running(t) and not self.reached_now and self.hold is None and self.is_in_force(t)
        if not due or not says:
            return []
        self.warned[min(due)] = True
        return [("approaching", 0)]

    def turn_ban(self, t: int) -> bool:
        """Begin and end the stretch of being on for the rider; True when one has ended."""
        assert self.gate is not None
        zone = self.rider.zone(t)
        self.warned = {lead: told for lead, told in self.warned.items() if self.gate.is_near(zone, t, lead)}
        if self.is_on(t):
            if self.lasting is None:
                first = t == self.rider.first
                self.lasting = self.gate.since(None, t) if first and self.gate.is_on(None, t, t) else t
            return False
        over, self.lasting = self.lasting is not None, None
        self.fired = False
        return over
