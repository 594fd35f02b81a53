"""A believable city of couriers: who rides when, for whom, and what the platforms would tell of it.

Pure: the same seed gives the same events, and a longer day begins with the shorter one. Columns of numpy
arrays, a few minutes of the city at a time, so that a million riders need no more memory than their profiles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stream.simulation.events import (
    FLAG_CONFIRMED,
    LOCAL_OFFSET_S,
    PLATFORMS,
    ZONES,
    EventColumns,
    Floats,
    Ints,
    blank,
    joined,
    lines,
)

_PLATFORM_SHARES = (0.6, 0.3, 0.1)
SLICE_S = 300
LONG_SHARE = 0.08
SEVERAL_SHARE = 0.3

_ONLINE, _OFFLINE, _ACCEPTED, _PICKED_UP, _DELIVERED, _CANCELLED, _BREAK_STARTED, _BREAK_ENDED, _HEARTBEAT = (
    range(9)
)
_HOUR_S, _DAY_S = 3600, 86_400
_HEARTBEAT_S = 1800
_LAST_ORDER_S = 1800  # nobody takes an order that he could not finish before his shift ends
_BEFORE_BREAK_S = 1500


@dataclass(frozen=True, slots=True)
class City:
    """Which city, and when.

    Parameters
    ----------
    start_s
        Epoch seconds; who is in the middle of a shift then, goes online in the first minutes.
    long
        Share of riders that ride from morning to midnight nearly without a rest: those a limit is for.
    several
        Share of riders that ride for more than one platform.
    """

    seed: int = 1
    riders: int = 1000
    start_s: int = 0
    duration_s: int = _DAY_S
    long: float = LONG_SHARE
    several: float = SEVERAL_SHARE


#: Given what waits, two instants and the riders on duty: what waits, with other riders for some orders.
Assigning = Callable[[EventColumns, int, int, Ints], EventColumns]


class Kind(NamedTuple):
    """A way to work, hours of the local day; without a rest ``rest_h`` is 0."""

    share: float
    begin_h: float
    end_h: float
    break_h: float
    rest_h: float
    least_orders_h: float


#: The last one is the long day, whose share is the city's.
_KINDS = (
    Kind(0.50, 10.0, 21.0, 14.5, 1.5, 0.0),
    Kind(0.17, 10.5, 14.0, 0.0, 0.0, 0.0),
    Kind(0.22, 16.5, 21.0, 0.0, 0.0, 0.0),
    Kind(0.11, 20.0, 28.0, 24.0, 0.5, 0.0),
    Kind(0.00, 7.0, 23.8, 15.0, 0.25, 5.0),
)
_LONG = len(_KINDS) - 1


class Profiles(NamedTuple):
    """What stays the same about each rider."""

    kind: npt.NDArray[np.int64]
    home: npt.NDArray[np.int8]
    second: npt.NDArray[np.int8]
    pace: Floats
    zone: npt.NDArray[np.int64]


class Shifts(NamedTuple):
    """One entry per shift; epoch seconds; a shift without a break has ``rest_s`` == ``back_s``."""

    rider: Ints
    begin_s: Ints
    rest_s: Ints
    back_s: Ints
    end_s: Ints


def orders_per_hour(hour: Floats) -> Floats:
    """New orders of a rider in an hour by the local hour: lunch, dinner, and little at night."""
    hour = np.mod(hour, 24.0)
    lunch, dinner = np.exp(-(((hour - 12.1) / 1.3) ** 2)), np.exp(-(((hour - 18.4) / 1.4) ** 2))
    supper = np.exp(-(((hour - 22.0) / 2.0) ** 2))
    return np.asarray(0.7 + 4.2 * lunch + 3.8 * dinner + 1.0 * supper - 0.5 * ((hour > 2) & (hour < 6)))


def profiles(city: City) -> Profiles:
    """The riders of a city."""
    rng = np.random.default_rng([city.seed, 1])
    shares = np.array([kind.share for kind in _KINDS]) * (1 - city.long)
    shares[_LONG] = city.long
    home = rng.choice(len(PLATFORMS), size=city.riders, p=_PLATFORM_SHARES).astype(np.int8)
    other = (home + rng.integers(1, len(PLATFORMS), size=city.riders)) % len(PLATFORMS)
    second = np.where(rng.random(city.riders) < city.several, other, home).astype(np.int8)
    return Profiles(
        kind=rng.choice(len(_KINDS), size=city.riders, p=shares / shares.sum()),
        home=home,
        second=second,
        pace=rng.lognormal(0.0, 0.25, city.riders),
        zone=rng.integers(0, len(ZONES), city.riders),
    )


def shifts_of(city: City, riders: Profiles, day: int) -> Shifts:
    """The shifts that begin on a local day (days since 1970-01-01), clipped to the city's time."""
    rng = np.random.default_rng([city.seed, 2, day])
    count = len(riders.kind)
    table = np.array(_KINDS)[riders.kind] * _HOUR_S
    midnight_s = day * _DAY_S - LOCAL_OFFSET_S
    begin_s = midnight_s + table[:, 1] + rng.normal(0, 1500, count)
    end_s = midnight_s + table[:, 2] + rng.normal(0, 1500, count)
    rest_s = midnight_s + table[:, 3] + rng.normal(0, 1200, count)
    rest_long_s = table[:, 4] * rng.uniform(0.6, 1.4, count)
    is_long = riders.kind == _LONG
    rests = (table[:, 4] > 0) & (~is_long | (rng.random(count) < 0.3))
    works = is_long | (rng.random(count) < 6 / 7)
    logs_in_s = city.start_s + rng.uniform(0, 120, count)
    # An hour at the least: who would stop sooner does not begin.
    begin_s = np.maximum(begin_s, logs_in_s)
    works &= end_s - begin_s >= _HOUR_S
    rests &= (rest_s > begin_s + _BEFORE_BREAK_S) & (rest_s + rest_long_s < end_s)
    columns = (
        np.arange(count),
        begin_s,
        np.where(rests, rest_s, end_s),
        np.where(rests, rest_s + rest_long_s, end_s),
        end_s,
    )
    return Shifts(*(column[works].astype(np.int64) for column in columns))


def slices(city: City, assign: Assigning | None = None) -> Iterator[EventColumns]:
    """The city's events in time order, `SLICE_S` seconds at a time; ``assign`` may move orders."""
    riders = profiles(city)
    first_day = (city.start_s + LOCAL_OFFSET_S) // _DAY_S
    shifts = shifts_of(city, riders, first_day - 1)
    waiting = _sessions(shifts, riders)
    planned_day, numbered, orders = first_day - 1, 0, 0
    for begin_s in range(city.start_s, city.start_s + city.duration_s, SLICE_S):
        end_s = min(begin_s + SLICE_S, city.start_s + city.duration_s)
        # Planned a day ahead of need, for the sessions of a day are known when it begins.
        while planned_day < (end_s + LOCAL_OFFSET_S) // _DAY_S:
            planned_day += 1
            new = shifts_of(city, riders, planned_day)
            still = shifts.end_s > begin_s - _DAY_S
            shifts = Shifts(*(np.concatenate([a[still], b]) for a, b in zip(shifts, new, strict=True)))
            waiting = joined([waiting, _sessions(new, riders)])
        # Always a whole slice from the same numbers: what is cut off at the end changes nothing before it.
        rng = np.random.default_rng([city.seed, 3, begin_s])
        made, orders = _orders(rng, shifts, riders, begin_s, orders)
        waiting = joined([waiting, made, _heartbeats(shifts, riders, begin_s)])
        if assign is not None:
            on_duty = (shifts.begin_s <= begin_s) & (begin_s < shifts.end_s - _LAST_ORDER_S)
            on_duty &= (begin_s + SLICE_S < shifts.rest_s) | (begin_s >= shifts.back_s)
            waiting = assign(waiting, begin_s, end_s, shifts.rider[on_duty])
        due = waiting.at_s < end_s
        happened = waiting.take(due)
        happened = happened.take(np.lexsort((happened.type, happened.rider, happened.at_s)))
        happened = happened._replace(number=np.arange(numbered, numbered + happened.size))
        numbered += happened.size
        waiting = waiting.take(~due)
        yield happened


def events(
    seed: int,
    riders: int,
    start_s: int,
    duration_s: int,
    long: float = LONG_SHARE,
    several: float = SEVERAL_SHARE,
) -> Iterator[bytes]:
    """The messages of a city in time order; see `City`."""
    city = City(seed, riders, start_s, duration_s, long, several)
    zones = profiles(city).zone
    for happened in slices(city):
        yield from lines(happened, zones)


def _sessions(shifts: Shifts, riders: Profiles) -> EventColumns:
    """Going online and offline, and breaks, on each platform of the rider, a few seconds apart."""
    rests = shifts.rest_s < shifts.back_s
    parts = []
    for on_second in (False, True):
        platform = (riders.second if on_second else riders.home)[shifts.rider]
        has = (
            riders.second[shifts.rider] != riders.home[shifts.rider]
            if on_second
            else np.ones(len(rests), np.bool_)
        )
        lag_s = (7 + shifts.rider % 50) * on_second
        for kind, at_s, chosen in (
            (_ONLINE, shifts.begin_s, has),
            (_BREAK_STARTED, shifts.rest_s, has & rests),
            (_BREAK_ENDED, shifts.back_s, has & rests),
            (_OFFLINE, shifts.end_s, has),
        ):
            parts.append(_made(kind, (at_s + lag_s)[chosen], shifts.rider[chosen], platform[chosen]))
    return joined(parts)


def _made(
    kind: int, at_s: Ints, rider: Ints, platform: npt.NDArray[np.int8], order: Ints | None = None
) -> EventColumns:
    made = blank(len(at_s))
    made.type[:] = kind
    made.at_s[:] = at_s
    made.arrival_s[:] = at_s
    made.rider[:] = rider
    made.platform[:] = platform
    if order is not None:
        made.order[:] = order
    return made


def _heartbeats(shifts: Shifts, riders: Profiles, begin_s: int) -> EventColumns:
    phase_s = (begin_s + shifts.rider * 37) % _HEARTBEAT_S
    at_s = begin_s + _HEARTBEAT_S - phase_s
    due = (phase_s > _HEARTBEAT_S - SLICE_S) & (shifts.begin_s <= at_s) & (at_s < shifts.end_s)
    rider = shifts.rider[due]
    return _made(_HEARTBEAT, at_s[due], rider, riders.home[rider])


def _orders(
    rng: np.random.Generator, shifts: Shifts, riders: Profiles, begin_s: int, first: int
) -> tuple[EventColumns, int]:
    """The orders accepted in one slice, with all that becomes of them, and the next order's number."""
    middle_s = begin_s + SLICE_S // 2
    free = (shifts.begin_s <= begin_s) & (begin_s < shifts.end_s - _LAST_ORDER_S)
    free &= (begin_s + SLICE_S < shifts.rest_s - _BEFORE_BREAK_S) | (begin_s >= shifts.back_s)
    rider = shifts.rider[free]
    hour = np.full(len(rider), (middle_s + LOCAL_OFFSET_S) % _DAY_S / _HOUR_S)
    least = np.array([kind.least_orders_h for kind in _KINDS])[riders.kind[rider]]
    expected = np.maximum(orders_per_hour(hour) * riders.pace[rider], least) * SLICE_S / _HOUR_S
    rider = np.repeat(rider, rng.poisson(expected))
    count = len(rider)
    order = np.arange(first, first + count)
    platform = np.where(rng.random(count) < 0.6, riders.home[rider], riders.second[rider]).astype(np.int8)
    accepted_s = begin_s + rng.integers(0, SLICE_S, count)
    picked_s = accepted_s + 240 + rng.gamma(3.0, 140.0, count).astype(np.int64)
    ended_s = picked_s + 300 + rng.gamma(3.0, 260.0, count).astype(np.int64)
    is_cancelled, is_given_back = rng.random(count) < 0.03, rng.random(count) < 0.2
    given_back = is_cancelled & is_given_back  # cancelled, and after two minutes with the same rider again
    delivered = ~is_cancelled | given_back
    cancelled_s = accepted_s + 60 + rng.integers(0, 120, count)
    accepted = _made(_ACCEPTED, accepted_s, rider, platform, order)
    accepted.flags[(riders.kind[rider] == _LONG) & (rng.random(count) < 0.02)] = FLAG_CONFIRMED
    made = [accepted]
    for kind, at_s, chosen in (
        (_CANCELLED, cancelled_s, is_cancelled),
        (_ACCEPTED, cancelled_s + 120, given_back),
        (_PICKED_UP, np.where(given_back, picked_s + 300, picked_s), delivered),
        (_DELIVERED, np.where(given_back, ended_s + 300, ended_s), delivered),
    ):
        made.append(_made(kind, at_s[chosen], rider[chosen], platform[chosen], order[chosen]))
    return joined(made), first + count
