"""Relative risk of an accident from work times: a product of factors, each from its own study.

Hours on duty: Folkard, Lombardi & Tucker 2005 (1.13 at 10 h, 1.27 at 12 h), at most 2.47 as Salminen 2016
found beyond 12 h. Nights in a row: Folkard, Lombardi & Tucker 2005. Quick return: Nielsen 2019.
Time since a break: Tucker 2003, who found the last half hour of two twice as dangerous as the first; a study
of 2006 found no straight line, so this factor is the weakest. Which shift is worse by itself is disputed, so
it is no factor. What a night duty is: Directive 2003/88/EC, Art. 2: three hours of it in the night.
"""

from __future__ import annotations

import numpy as np

from detectors.models.instants import F64, HOUR_S, I64, Zone, instant_of, offset_at
from detectors.models.jit import inlined, kernel

MOST_FOR_HOURS = 2.47
QUICK_RETURN_H, QUICK_RETURN = 11.0, 1.39
#: Work less than this apart is one duty: lunch and dinner are one day's work.
ONE_DUTY_S = 5 * HOUR_S
#: A pause of the clock so long is a break.
BREAK_S = 15 * 60
#: The night, from 23:00 to 06:00 by the wall clock, and how much work in it makes a duty one of the night.
_NIGHT_FROM_S, _NIGHT_TO_S, _OF_NIGHT_S = 23 * HOUR_S, 30 * HOUR_S, 3 * HOUR_S
_DAY_S = 24 * HOUR_S

# Words of a rider's state: when the duty began, when work ended last, the rest before this duty, since when
# there was no break; the last night that counted and how many in a row that made; the night that is being
# worked in and how long; whether this duty is one of the night.
DUTY, WORKED, RESTED, SINCE, NIGHT, ROW, IN_NIGHT, NIGHT_WORK, OF_NIGHT = range(9)
STATE_WORDS = 9
_NEVER_WORKED = -(1 << 60)
#: Columns of a prediction: the product, then the factors, then what each goes by (hours, nights).
RELATIVE, HOURS_ON_DUTY, NIGHTS, RETURN, BREAK, ON_DUTY_H, NIGHTS_N, RESTED_H, SINCE_H = range(9)
COLUMNS = 9
#: Of each factor its name, its column, that of what it goes by, and where it was read.
FACTORS = (
    ("hours_on_duty", HOURS_ON_DUTY, ON_DUTY_H, "Folkard, Lombardi & Tucker 2005; Salminen 2016"),
    ("nights_in_a_row", NIGHTS, NIGHTS_N, "Folkard, Lombardi & Tucker 2005"),
    ("quick_return", RETURN, RESTED_H, "Nielsen et al. 2019"),
    ("since_break", BREAK, SINCE_H, "Tucker, Folkard & Macdonald 2003"),
)


@inlined
def _between(x: float, x0: float, y0: float, x1: float, y1: float) -> float:
    """On the straight line between two points, before and after them at their heights."""
    return y0 + (y1 - y0) * (min(max(x, x0), x1) - x0) / (x1 - x0)


@inlined
def of_hours_on_duty(hours: float) -> float:
    """The factor for hours since the duty began; beyond twelve it goes on rising as before."""
    if hours <= 10.0:
        return _between(hours, 8.0, 1.0, 10.0, 1.13)
    if hours <= 12.0:
        return _between(hours, 10.0, 1.13, 12.0, 1.27)
    return min(MOST_FOR_HOURS, 1.27 + (1.27 - 1.13) / 2.0 * (hours - 12.0))


@inlined
def of_nights_in_a_row(nights: int) -> float:
    """The factor for the number of night duties up to this one; from the fourth on it stays."""
    if nights <= 1:
        return 1.0
    if nights == 2:
        return 1.06
    return 1.17 if nights == 3 else 1.36


@inlined
def of_rest_before(hours: float) -> float:
    """The factor for the rest before this duty."""
    return QUICK_RETURN if hours <= QUICK_RETURN_H else 1.0


@inlined
def of_time_since_break(hours: float) -> float:
    """The factor for the time since a break."""
    return _between(hours, 0.25, 1.0, 1.75, 2.0)


@kernel
def begin(state: F64) -> None:
    """A rider who has not worked yet."""
    for word in range(STATE_WORDS):
        state[word] = 0.0
    state[WORKED] = _NEVER_WORKED
    state[NIGHT] = _NEVER_WORKED
    state[IN_NIGHT] = _NEVER_WORKED


@inlined
def start_work(state: F64, at: int) -> None:
    """Work begins: another duty, the same one after a break, or it just goes on."""
    off = at - state[WORKED]
    if off >= ONE_DUTY_S:
        state[DUTY] = at
        state[RESTED] = off
        state[OF_NIGHT] = 0.0
        state[NIGHT_WORK] = 0.0
    if off >= BREAK_S:
        state[SINCE] = at
    state[WORKED] = at


@kernel
def work(state: F64, zone: Zone, until: int) -> None:
    """Go on at work from where it stood up to ``until``."""
    begun = int(state[WORKED])
    # A night is named by the date on which it begins; the one before may go on still.
    night = (begun + offset_at(zone, begun)) // _DAY_S - 1
    while instant_of(zone, night * _DAY_S + _NIGHT_FROM_S) < until:
        start = instant_of(zone, night * _DAY_S + _NIGHT_FROM_S)
        lasted = min(until, instant_of(zone, night * _DAY_S + _NIGHT_TO_S)) - max(begun, start)
        if lasted > 0:
            if state[IN_NIGHT] != night:
                state[IN_NIGHT] = night
                state[NIGHT_WORK] = 0.0
            state[NIGHT_WORK] += lasted
            if state[NIGHT_WORK] >= _OF_NIGHT_S:
                if state[NIGHT] != night:
                    state[ROW] = state[ROW] + 1.0 if state[NIGHT] == night - 1 else 1.0
                    state[NIGHT] = night
                state[OF_NIGHT] = 1.0
        night += 1
    state[WORKED] = until


@inlined
def tell(state: F64, at: int, out: F64) -> None:
    """Write the risk of working at an instant, which is not before the last work ended."""
    off = at - state[WORKED]
    same = off < ONE_DUTY_S
    out[ON_DUTY_H] = (at - state[DUTY]) / HOUR_S if same else 0.0
    out[NIGHTS_N] = state[ROW] if same and state[OF_NIGHT] == 1.0 else 0.0
    out[RESTED_H] = (state[RESTED] if same else off) / HOUR_S
    out[SINCE_H] = (at - state[SINCE]) / HOUR_S if off < BREAK_S else 0.0
    out[HOURS_ON_DUTY] = of_hours_on_duty(out[ON_DUTY_H])
    out[NIGHTS] = of_nights_in_a_row(int(out[NIGHTS_N]))
    out[RETURN] = of_rest_before(out[RESTED_H])
    out[BREAK] = of_time_since_break(out[SINCE_H])
    out[RELATIVE] = out[HOURS_ON_DUTY] * out[NIGHTS] * out[RETURN] * out[BREAK]


@kernel
def predict(state: F64, zone: Zone, spans: I64, instants: I64, out: F64) -> None:
    """Predict at ascending instants, none before the first span; ``spans`` are disjoint and ascending.

    ``out`` has a line for each instant and `COLUMNS`: of work at that instant, whether he works then or not.
    """
    begin(state)
    index, begun = 0, 0
    for place in range(instants.shape[0]):
        at = instants[place]
        while index < spans.shape[0] and spans[index, 0] <= at:
            if begun == 0:
                start_work(state, spans[index, 0])
                begun = 1
            work(state, zone, min(at, spans[index, 1]))
            if spans[index, 1] > at:
                break
            index += 1
            begun = 0
        tell(state, at, out[place])


def predictions(zone: Zone, spans: I64, instants: I64) -> F64:
    """Predictions at instants as lines of `COLUMNS` (`predict`)."""
    out = np.zeros((len(instants), COLUMNS))
    predict(np.zeros(STATE_WORDS), zone, spans, instants, out)
    return out
