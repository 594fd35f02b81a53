"""One limit over one rider, evaluated at every single second."""

from __future__ import annotations

from tests.oracle.conditions import Gate
from tests.oracle.evidence import Rider
from tests.oracle.gated import Gated
from tests.oracle.rests import Rests
from tests.oracle.windows import Doc, hours_between, in_force, window_of

RELEASES = {
    "continuous": "rest", "span": "rest", "rest_within": "rest",
    "day": "window", "week": "window", "month": "window", "ban": "window",
}  # fmt: skip


class Watch(Gated):
    """One limit of one policy over one rider."""

    def __init__(
        self,
        rider: Rider,
        policy: Doc,
        limit: Doc,
        *,
        regardless: bool = False,
        messages: list[bytes] | None = None,
    ) -> None:
        self.rider, self.policy, self.limit = rider, policy, limit
        self.zone, self.kind, self.effect = policy["time_zone"], limit["kind"], limit["effect"]
        self.weekly = self.kind == "rest_within" and limit.get("per") == "week"
        self.calendar = self.kind in ("day", "week", "month") or self.weekly
        self.spans = self.kind in ("span", "rest_within") and not self.weekly
        self.in_force = (-float("inf"), float("inf")) if regardless else in_force(policy)
        self.ban = self.kind == "ban"
        self.gate = Gate(limit, self.zone, messages or []) if self.ban or limit.get("when") else None
        self.passed: set[int] = set()  # amounts, as leads, that the count has come to, on or not
        self.lasting: int | None = None  # of a ban, since when it has been on for the rider
        self.amount = self.given_amount()
        self.reset: int = 0 if self.calendar else limit.get("rest_s") or limit.get("reset_s") or 0
        self.rests = Rests(limit)
        self.first, self.unit = rider.first, rider.unit
        self.seen = (0, 0, 0)  # the calendar window looked at last
        self.runs = rider.runs[limit["clock"]]
        self.reset_clock = limit.get("reset_clock") or limit["clock"]
        self.counts = self.masked()
        self.before = [0]
        for counts in self.counts:
            self.before.append(self.before[-1] + counts * rider.unit)
        self.release = None
        if self.effect == "confirm":
            self.release = "confirm"
        elif self.effect == "hold":
            default = "rest" if limit.get("reset_s") else "window"
            default = "window" if self.weekly else RELEASES.get(self.kind, default)
            self.release = limit.get("release") or default
        self.every: int = limit.get("remind_every_s") or 0
        self.leads = list(limit.get("warn_before_s") or ())
        self.fired = False
        self.warned: dict[int, bool] = {}  # lead -> has it been told
        self.reminded = 0
        self.hold: Doc | None = None
        self.start: int | None = None  # the episode's first counted second
        self.since: int | None = None  # the end of the last qualifying rest; None in one
        self.window: tuple[int, int, int] | None = None
        self.reached_now, self.count = False, 0
        self.added_up: int | None = None  # beginning of the rest that completed a sequence or a sum now

    def follow(self, until: int) -> None:
        """Every second up to ``until``, of a rider who confirms nothing and rests by this limit's clock."""
        rest: int | None = -1
        for t in range(self.rider.first, until + 1):
            if t > self.rider.first and self.running(t - 1):
                rest = None
            elif t > self.rider.first and rest is None:
                rest = t - 1
            self.step(t, rest)
            self.after(t, confirmed=False)

    def is_in_force(self, t: int) -> bool:
        return self.in_force[0] <= t < self.in_force[1]

    def given_amount(self) -> int:
        """What is to be counted; of a rest per week each week has its own."""
        if self.weekly or self.ban:
            return 0
        if self.kind == "rest_within":
            return int(self.limit["window_s"] - self.limit["rest_s"])
        return int(self.limit["limit_s"])

    # what the clock did
    def masked(self) -> list[bool]:
        """Where the clock runs and counts."""
        between = self.limit.get("between")
        if not between or self.ban:
            return self.runs
        rider = self.rider
        hours = hours_between(between, self.zone, rider.first, rider.now)
        return [
            runs and any(start <= rider.first + i * rider.unit < end for start, end in hours)
            for i, runs in enumerate(self.runs)
        ]

    def place(self, t: int) -> int:
        if self.unit == 1:
            return t - self.first
        assert (t - self.first) % self.unit == 0, "no whole step"
        return (t - self.first) // self.unit

    def calendar_window(self, t: int) -> tuple[int, int, int]:
        """The calendar window that contains ``t``."""
        if not self.seen[1] <= t < self.seen[2]:
            self.seen = window_of(self.limit, t, self.zone)
        return self.seen

    def running(self, t: int) -> bool:
        return self.runs[self.place(t)]

    def resets(self, t: int) -> bool:
        """Whether the resetting clock runs."""
        return self.rider.runs[self.reset_clock][self.place(t)]

    def ran(self, start: int, end: int) -> int:
        start = max(start, self.first)
        return self.before[self.place(end)] - self.before[self.place(start)] if end > start else 0

    def rest_begin(self, t: int) -> int | None:
        """Beginning of the resetting clock's rest just before ``t``; -1 for since ever, None for no rest."""
        begin, runs = self.place(t), self.rider.runs[self.reset_clock]
        while begin > 0 and not runs[begin - 1]:
            begin -= 1
        if begin == 0:
            return -1
        at = self.rider.first + begin * self.rider.unit
        return at if at < t else None

    # what the limit counts
    def counted(self, t: int) -> int:
        if self.ban:
            return 0
        if self.weekly:
            return t - self.calendar_window(t)[1]
        if self.calendar or self.kind == "rolling":
            return self.ran(self.window_start(t), t)
        if self.start is None:
            return 0
        return self.ran(self.start, t) if self.kind == "continuous" else t - self.start

    def window_start(self, t: int) -> int:
        if self.ban:
            return t if self.lasting is None else self.lasting
        if self.calendar:
            return self.calendar_window(t)[0]
        if self.kind == "rolling":
            if not self.reset:
                return t - self.limit["window_s"]
            return t if self.since is None else max(t - self.limit["window_s"], self.since)
        return t if self.start is None else self.start

    def amount_at(self, t: int) -> int:
        """What is to be counted in the window that contains ``t``."""
        if not self.weekly:
            return self.amount
        _, begin, end = self.calendar_window(t)
        return end - begin - self.limit["rest_s"]

    def rested_this_week(self, t: int) -> bool:
        """Whether a rest long enough lies in the week before ``t``."""
        begin = self.calendar_window(t)[1]
        lasted = max(0, self.rider.first - begin)
        at = max(begin, self.rider.first)
        longest = lasted
        while at < t:
            lasted = 0 if self.running(at) else lasted + self.rider.unit
            longest = max(longest, lasted)
            at += self.rider.unit
        return longest >= self.limit["rest_s"]

    def reached(self, t: int, count: int, amount: int) -> bool:
        """Whether an amount is reached at ``t``, where ``count`` is counted."""
        if self.ban:
            return self.lasting is not None and self.running(t)
        if self.spans:
            return self.start is not None and self.running(t) and t - self.start >= amount
        if self.weekly:
            return self.running(t) and count >= amount and not self.rested_this_week(t)
        if (self.limit.get("weeks") or 1) > 1 and not self.running(t):
            return False
        return count >= amount

    def until(self, t: int) -> int | None:
        """The earliest instant at which the hold can end; at the latest with its policy."""
        assert self.hold is not None
        at: int | None = None
        if self.release == "elapsed":
            at = self.hold["newest"] + self.limit["hold_for_s"]
        elif self.release == "rest":
            at = self.rests.earliest(t, None if self.resets(t) else self.resting_since(t))
        elif self.release == "window" and self.calendar:
            at = self.calendar_window(t)[2]
        elif self.release == "window" and self.ban and self.gate:
            at = self.gate.end(self.rider.zone(t), t)
        if at is not None and self.gate and not self.ban:
            at = min(at, self.gate.end(self.rider.zone(t), t))
        return at if at is None else int(min(at, self.in_force[1]))

    def resting_since(self, t: int) -> int:
        begin = self.rest_begin(t)
        return t if begin is None else begin

    def step(self, t: int, rest: int | None, lifted: set[int] | None = None) -> list[tuple[str, int]]:
        """What is told at ``t``: kinds with what was counted. ``rest`` is `rest_begin`.

        ``lifted``: beginnings of holds that an order arriving at ``t`` ends.
        """
        told: list[tuple[str, int]] = []
        episode_over = self.turn(t, rest)
        ends = t >= self.in_force[1] or not (self.ban or self.is_on(t))
        if self.hold is not None and (self.over(t, rest, episode_over) or ends):
            told.append(("hold_released", 0))
            self.last_hold, self.hold = self.hold, None
        elif self.hold is not None and self.hold["from"] in (lifted or set()):
            told.append(("hold_released", 0))
            self.last_hold, self.hold = {**self.hold, "release": "review"}, None
        self.count = count = self.counted(t)
        self.reached_now = self.tells(0, t) and not self.fired
        if self.reached_now:
            self.fired = True
            self.reminded = (count - self.amount) // self.every if self.every else 0
            if not self.is_in_force(t):
                return told  # passed, and not made up for
            if self.effect != "remind":
                begun = t if self.hold is None else self.hold["from"]
                self.hold = {"from": begun, "newest": t, "counted": count, "start": self.window_start(t)}
                self.hold["amount"] = self.amount
            told.append(("limit_reached", count))
        return told

    def after(self, t: int, confirmed: bool) -> list[tuple[str, int]]:
        """What is told at ``t`` when `step` has told what it had to."""
        told: list[tuple[str, int]] = []
        if self.hold is not None and self.release == "confirm" and confirmed:
            told.append(("hold_released", 0))
            self.last_hold, self.hold = self.hold, None
        count = self.count
        every = self.every
        if every and self.fired and not self.reached_now:
            passed, told_now = self.reminded, False
            while self.reached(t, count, self.amount + (passed + 1) * every):
                passed += 1
                told_now = self.tells(-passed * every, t)
            if passed > self.reminded and told_now:
                self.reminded = passed
                told.append(("reminder", count))
        if self.ban:
            return told + self.warn_of_ban(t)
        fresh = [lead for lead in self.leads if self.tells(lead, t) and lead not in self.warned]
        for lead in fresh:
            self.warned[lead] = False
        if fresh and not self.reached_now and self.hold is None and self.is_in_force(t):
            self.warned[min(fresh)] = True
            told.append(("approaching", count))
        return [one for one in told if one[0] != "reminder" or self.is_in_force(t)]

    def turn(self, t: int, rest: int | None) -> bool:
        """End and begin episodes; True when the limit's own has ended (or is not under way, for rolling)."""
        if self.ban:
            return self.turn_ban(t)
        if self.calendar:
            window = self.calendar_window(t)
            if window == self.window:
                return False
            self.window = window
            self.passed = set()
            self.amount = self.amount_at(t)
            self.fired, self.warned, self.reminded = False, {}, 0
            return True
        over = False
        if self.reset:
            over = self.turn_at_rests(t, rest)
        if self.kind != "rolling":
            if over:
                self.fired, self.warned, self.reminded = False, {}, 0
                self.passed = set()
            return over
        count = self.counted(t)
        self.warned = {lead: told for lead, told in self.warned.items() if count >= self.amount - lead}
        self.passed = {lead for lead in self.passed if count >= self.amount - lead}
        if count < self.amount:
            self.fired = False
            return True
        return False

    def turn_at_rests(self, t: int, rest: int | None) -> bool:
        """Whether an episode has ended by a rest, a sequence or a sum complete at ``t``."""
        over, self.added_up = False, None
        before = t - self.rider.unit
        if self.start is not None and before >= self.start and not self.resets(before):
            self.rests.rested(before, t)
            if self.rests.complete():
                self.added_up = self.rests.taken[-1][0]
                over, self.start = True, None
        if rest is not None and (rest == -1 or t - rest >= self.reset):
            over = over or self.start is not None
            self.start = self.since = None
        if self.since is None and self.resets(t):
            self.since = t
        if self.start is None and self.running(t):
            self.start = t
            self.rests.begin()
        return over

    def over(self, t: int, rest: int | None, episode_over: bool) -> bool:
        assert self.hold is not None
        newest = self.hold["newest"]
        if self.release == "elapsed":
            return t >= newest + self.limit["hold_for_s"]
        if self.release == "rest":
            alone = rest is not None and rest >= newest and t - rest >= self.reset
            return alone or (self.added_up is not None and self.added_up >= newest)
        return episode_over
