"""The three-process model: alertness from sleep and the time of day, with a guess of sleep from work alone.

Åkerstedt, Folkard & Portin 2004; its specification in Ingre et al. 2014, PLoS ONE 9:e108679. Times in hours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

LOWER, UPPER, BREAK = 2.4, 14.3, 12.2
#: Of S at the end of a normal day; what a first night begins with.
RESTED_DAY = 7.96
DECAY_PER_H = -0.0353
RECOVERY_PER_H = math.log((UPPER - 14.0) / (UPPER - RESTED_DAY)) / 8.0
PHASE_H = 16.8
_C, _U_MEAN, _U, _W, _W_DECAY_PER_H = 2.5, -0.5, 0.5, -5.72, -1.51
_KSS_AT_0, _KSS_PER_UNIT = 10.6, -0.6
FALL_ASLEEP_BELOW, WAKE_ABOVE = 8.38, 11.38
#: No sleep so close to work, none so soon after waking, no waking so soon after falling asleep.
_AWAY_H, _UP_H, _DOWN_H = 1.0, 2.0, 1.0
STEP_H = 5.0 / 60.0
#: So many nights until what a rider began with no longer matters.
WARM_UP_NIGHTS = 5


class Alertness(NamedTuple):
    """The parts of alertness at an instant, and the Karolinska sleepiness score (1 to 9) they predict."""

    s: float
    c: float
    u: float
    w: float
    kss: float


class Sleep(NamedTuple):
    """A guessed sleep, half-open, hours."""

    start_h: float
    end_h: float


def awake(s_at_waking: float, hours: float) -> float:
    """S after so long awake."""
    return LOWER + (s_at_waking - LOWER) * math.exp(DECAY_PER_H * hours)


def asleep(s_at_onset: float, hours: float) -> float:
    """S after so long asleep: linear up to the break level, then towards the upper one.

    Who falls asleep above the break level goes on from there; the published formula would make S drop.
    """
    rate = RECOVERY_PER_H * (BREAK - UPPER)
    until_break_h = max(0.0, (BREAK - s_at_onset) / rate)
    if hours < until_break_h:
        return s_at_onset + hours * rate
    start = max(s_at_onset, BREAK)
    return UPPER - (UPPER - start) * math.exp(RECOVERY_PER_H * (hours - until_break_h))


def alertness(s: float, clock_h: float, awake_h: float | None) -> Alertness:
    """All processes at a time of day; ``awake_h`` is None while asleep."""
    c = _C * math.cos(2 * math.pi * (clock_h - PHASE_H) / 24)
    u = _U_MEAN + _U * math.cos(2 * math.pi * (clock_h - PHASE_H - 3) / 12)
    w = 0.0 if awake_h is None else _W * math.exp(_W_DECAY_PER_H * awake_h)
    return Alertness(s, c, u, w, _KSS_AT_0 + _KSS_PER_UNIT * (s + c + u + w))


class Sleeper:
    """Guesses sleep between blocks of work, five minutes at a time.

    Parameters
    ----------
    start_h
        The first instant, hours since a local midnight; he is taken to be awake since then.
    """

    def __init__(self, start_h: float, s: float = 14.0) -> None:
        self.at_h = start_h
        self.s_changed = s
        self.changed_h = start_h
        self.is_asleep = False
        self.sleeps: list[Sleep] = []

    def s(self) -> float:
        """S now."""
        hours = self.at_h - self.changed_h
        return asleep(self.s_changed, hours) if self.is_asleep else awake(self.s_changed, hours)

    def now(self) -> Alertness:
        """Alertness now."""
        return alertness(self.s(), self.at_h % 24, None if self.is_asleep else self.at_h - self.changed_h)

    def _turn(self) -> None:
        self.s_changed = self.s()
        if self.is_asleep:
            self.sleeps.append(Sleep(self.changed_h, self.at_h))
        self.is_asleep, self.changed_h = not self.is_asleep, self.at_h

    def advance(self, until_h: float, before_h: float, after_h: float) -> None:
        """Go on to ``until_h``; the last work ended at ``before_h``, the next begins at ``after_h``."""
        while self.at_h < until_h - 1e-9:
            told, since_h = self.now(), self.at_h - self.changed_h
            level = told.s + told.c + told.u
            may_sleep = before_h + _AWAY_H <= self.at_h < after_h - _AWAY_H
            if self.is_asleep:
                if not may_sleep or (since_h >= _DOWN_H - 1e-9 and level > WAKE_ABOVE):
                    self._turn()
            elif may_sleep and since_h >= _UP_H - 1e-9 and level < FALL_ASLEEP_BELOW:
                self._turn()
            self.at_h = min(until_h, self.at_h + STEP_H)


def guessed_sleep(work: Sequence[tuple[float, float]], start_h: float, end_h: float) -> Iterator[Sleep]:
    """The sleeps that work leaves room for, of blocks in order, hours since a local midnight."""
    sleeper, before_h = Sleeper(start_h), start_h - _AWAY_H
    for begin_h, finish_h in work:
        sleeper.advance(begin_h, before_h, begin_h)
        sleeper.advance(finish_h, finish_h, finish_h)
        before_h = finish_h
    sleeper.advance(end_h, before_h, math.inf)
    return iter(sleeper.sleeps)
