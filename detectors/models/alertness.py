"""The three-process model: alertness from sleep and the time of day, with a guess of sleep from work alone.

Åkerstedt, Folkard & Portin 2004; its specification in Ingre et al. 2014, PLoS ONE 9:e108679. Rates are per
hour, instants are epoch seconds. Whether he sleeps is asked every five minutes.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from detectors.models.instants import F64, HOUR_S, I64, NEVER, Zone, offset_at
from detectors.models.jit import inlined, kernel

LOWER, UPPER, BREAK = 2.4, 14.3, 12.2
#: Of S at the end of a normal day.
RESTED_DAY = 7.96
#: Of S after a normal night: what he is taken to have woken with before his first work.
RESTED_NIGHT = 14.0
DECAY_PER_H = -0.0353
RECOVERY_PER_H = math.log((UPPER - RESTED_NIGHT) / (UPPER - RESTED_DAY)) / 8.0
PHASE_H = 16.8
_C, _U_MEAN, _U, _W, _W_DECAY_PER_H = 2.5, -0.5, 0.5, -5.72, -1.51
_KSS_AT_0, _KSS_PER_UNIT = 10.6, -0.6
FALL_ASLEEP_BELOW, WAKE_ABOVE = 8.38, 11.38
#: No sleep so close to work, none so soon after waking, no waking so soon after falling asleep.
AWAY_S, UP_S, DOWN_S = 3_600, 7_200, 3_600
STEP_S = 300
#: So many nights until what a rider began with no longer matters.
WARM_UP_NIGHTS = 5

# Words of a rider's state: the instant it stands at, S at the last waking or falling asleep and when that
# was, whether he sleeps, when his last work ended.
AT, S_CHANGED, CHANGED, ASLEEP, WORKED = range(5)
STATE_WORDS = 5
#: Columns of a prediction.
S, C, U, W, KSS = range(5)
COLUMNS = 5


class Sleep(NamedTuple):
    """A guessed sleep, half-open, epoch seconds."""

    start_s: int
    end_s: int


@inlined
def awake(s_at_waking: float, hours: float) -> float:
    """S after so long awake."""
    return LOWER + (s_at_waking - LOWER) * math.exp(DECAY_PER_H * hours)


@inlined
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


@inlined
def circadian(clock_h: float) -> float:
    """C, of 24 hours, at a time of day."""
    return _C * math.cos(2 * math.pi * (clock_h - PHASE_H) / 24)


@inlined
def ultradian(clock_h: float) -> float:
    """U, of 12 hours, at a time of day."""
    return _U_MEAN + _U * math.cos(2 * math.pi * (clock_h - PHASE_H - 3) / 12)


@inlined
def inertia(awake_h: float) -> float:
    """W, of waking, after so long awake."""
    return _W * math.exp(_W_DECAY_PER_H * awake_h)


@inlined
def sleepiness(alertness: float) -> float:
    """The score of the Karolinska sleepiness scale, 1 to 9, that a sum of all processes predicts."""
    return _KSS_AT_0 + _KSS_PER_UNIT * alertness


@inlined
def _clock_h(zone: Zone, at: int) -> float:
    return (at + offset_at(zone, at)) % (24 * HOUR_S) / HOUR_S


@inlined
def _s(state: F64, at: int) -> float:
    hours = (at - state[CHANGED]) / HOUR_S
    if state[ASLEEP] == 1.0:
        return asleep(state[S_CHANGED], hours)
    return awake(state[S_CHANGED], hours)


@inlined
def _turn(state: F64, at: int) -> None:
    state[S_CHANGED] = _s(state, at)
    state[ASLEEP] = 1.0 - state[ASLEEP]
    state[CHANGED] = at


@kernel
def begin(state: F64, at: int) -> None:
    """A rider before the first work, which begins at an instant; he has been up for an hour."""
    state[AT] = at - AWAY_S
    state[S_CHANGED] = RESTED_NIGHT
    state[CHANGED] = at - AWAY_S
    state[ASLEEP] = 0.0
    state[WORKED] = at - 2 * AWAY_S


@kernel
def rest(state: F64, zone: Zone, until: int, following: int) -> None:
    """Go on without work up to ``until``; the next work begins at ``following`` (`NEVER`: not known).

    He sleeps and wakes by the levels; before work he wakes, however short the sleep was.
    """
    at = int(state[AT]) // STEP_S * STEP_S + STEP_S
    get_up = following - AWAY_S
    while at <= until and at < get_up:
        since = at - state[CHANGED]
        if state[ASLEEP] == 1.0:
            if since >= DOWN_S:
                clock = _clock_h(zone, at)
                if _s(state, at) + circadian(clock) + ultradian(clock) > WAKE_ABOVE:
                    _turn(state, at)
        elif at >= state[WORKED] + AWAY_S and since >= UP_S:
            clock = _clock_h(zone, at)
            if _s(state, at) + circadian(clock) + ultradian(clock) < FALL_ASLEEP_BELOW:
                _turn(state, at)
        at += STEP_S
    if until >= get_up and state[ASLEEP] == 1.0:
        _turn(state, max(get_up, int(state[CHANGED])))
    state[AT] = until


@inlined
def work(state: F64, until: int) -> None:
    """Go on at work up to ``until``; he is awake."""
    state[AT] = until
    state[WORKED] = until


@inlined
def tell(state: F64, zone: Zone, at: int, out: F64) -> None:
    """Write the prediction at the instant that the state stands at."""
    clock = _clock_h(zone, at)
    out[S] = _s(state, at)
    out[C] = circadian(clock)
    out[U] = ultradian(clock)
    out[W] = 0.0 if state[ASLEEP] == 1.0 else inertia((at - state[CHANGED]) / HOUR_S)
    out[KSS] = sleepiness(out[S] + out[C] + out[U] + out[W])


@kernel
def predict(state: F64, zone: Zone, spans: I64, instants: I64, out: F64) -> None:
    """Predict at ascending instants, none before the first span; ``spans`` are disjoint and ascending.

    ``out`` has a line for each instant and `COLUMNS`. What lies after an instant counts only in that he is
    taken to have been up for an hour when work begins: which is known once it has begun.
    """
    if spans.shape[0] == 0:
        return
    begin(state, spans[0, 0])
    index = 0
    for place in range(instants.shape[0]):
        at = instants[place]
        while index < spans.shape[0] and spans[index, 1] <= at:
            rest(state, zone, spans[index, 0], spans[index, 0])
            work(state, spans[index, 1])
            index += 1
        if index < spans.shape[0] and spans[index, 0] <= at:
            if state[AT] < spans[index, 0]:
                rest(state, zone, spans[index, 0], spans[index, 0])
            work(state, at)
        elif state[AT] < at:
            rest(state, zone, at, spans[index, 0] if index < spans.shape[0] else NEVER)
        tell(state, zone, at, out[place])


def predictions(zone: Zone, spans: I64, instants: I64) -> F64:
    """Predictions at instants as lines of `COLUMNS` (`predict`)."""
    out = np.zeros((len(instants), COLUMNS))
    predict(np.zeros(STATE_WORDS), zone, spans, instants, out)
    return out


def guessed_sleep(zone: Zone, spans: I64, until_s: int) -> list[Sleep]:
    """The sleeps that work leaves room for, up to an instant; one that goes on then is cut there."""
    found: list[Sleep] = []
    state = np.zeros(STATE_WORDS)
    begin(state, int(spans[0, 0]))
    blocks = [(start, end) for start, end in spans.tolist() if start < until_s]
    for start, end in [*blocks, (NEVER, NEVER)]:
        while state[AT] < min(start, until_s):
            slept = state[ASLEEP], int(state[CHANGED])
            rest(state, zone, min(int(state[AT]) + STEP_S, start, until_s), start)
            if slept[0] and not state[ASLEEP]:
                found.append(Sleep(slept[1], int(state[CHANGED])))
        if start < until_s:
            work(state, end)
    if state[ASLEEP]:
        found.append(Sleep(int(state[CHANGED]), until_s))
    return found
