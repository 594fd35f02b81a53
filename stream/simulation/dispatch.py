"""Platforms that ask before they assign: who is on hold is not given an order, somebody else is.

The answer is the engine's own, in this process: it judges the city's events as they happen, by the run's
policies. Who was not given an order goes on resting. Seeded like the city.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from detectors.kernels.evidence.arrivals import Place
from detectors.kernels.layout import row as Row
from detectors.kernels.layout.codes import HELD
from detectors.limits import LimitTable
from detectors.store import RiderStore
from schemas.decode import decode_lines
from stream.columns import arrivals_of
from stream.policies.calendars import window_starts
from stream.policies.limits import limits_of
from stream.policies.loader import load_all
from stream.settings import Settings
from stream.simulation.city import City, profiles
from stream.simulation.events import ACCEPTED, PLATFORMS, EventColumns, Ints, lines

#: How often the engine is asked; within the grace after a hold's beginning, so that no breach comes of it.
STEP_S = 30
_SEAL_EVENTS = 16
#: Of the one partition; nothing is refused.
_PLACE = Place(0, 1, 1, 0)


class Dispatch:
    """What the platforms of a city assign.

    Parameters
    ----------
    shares
        By platform, the share of orders for riders on hold that it does not give to them.
    """

    def __init__(self, city: City, shares: Mapping[str, float], settings: Settings) -> None:
        self.moved = 0
        self._seed = city.seed
        self._riders = profiles(city)
        self._shares = np.array([shares.get(name, 0.0) for name in PLATFORMS])
        limits = limits_of(load_all(settings.policies))
        self._store = RiderStore(LimitTable(limits, window_starts), settings.store(_SEAL_EVENTS))
        self._rows: Ints = np.zeros(0, dtype=np.int64)
        self._held = np.zeros(city.riders, dtype=np.bool_)

    def assign(self, waiting: EventColumns, begin_s: int, end_s: int, on_duty: Ints) -> EventColumns:
        """The events with orders moved that begin between two instants; ``on_duty`` could take them."""
        for at_s in range(begin_s, end_s, STEP_S):
            until_s = min(at_s + STEP_S, end_s)
            self._judge(at_s)
            waiting = self._move(waiting, at_s, until_s, on_duty)
            self._observe(waiting.take((waiting.at_s >= at_s) & (waiting.at_s < until_s)))
        return waiting

    def _move(self, waiting: EventColumns, at_s: int, until_s: int, on_duty: Ints) -> EventColumns:
        is_asked = (waiting.type == ACCEPTED) & (waiting.at_s >= at_s) & (waiting.at_s < until_s)
        asked = np.flatnonzero(is_asked & self._held[waiting.rider])
        asked = asked[np.lexsort((waiting.order[asked], waiting.at_s[asked]))]
        draws = np.random.default_rng([self._seed, 5, at_s]).random((len(asked), 2))
        asked, draws = self._honoured(waiting, asked, draws)
        if not len(asked):
            return waiting
        self.moved += len(asked)
        by_order = np.argsort(waiting.order[asked], kind="stable")
        orders, since_s = waiting.order[asked][by_order], waiting.at_s[asked][by_order]
        to = self._others(waiting.platform[asked], draws[:, 1], on_duty)[by_order]
        place = np.minimum(np.searchsorted(orders, waiting.order), len(orders) - 1)
        moves = (orders[place] == waiting.order) & (waiting.at_s >= since_s[place])
        rider = np.where(moves, to[place], waiting.rider)
        # Where nobody else is on duty, nobody brings it.
        return waiting._replace(rider=rider).take(rider >= 0)

    def _honoured(self, waiting: EventColumns, asked: Ints, draws: np.ndarray) -> tuple[Ints, np.ndarray]:
        chosen = draws[:, 0] < self._shares[waiting.platform[asked]]
        # An order that begins twice in a step moves once, with all that comes after.
        _, first = np.unique(waiting.order[asked], return_index=True)
        once = np.zeros(len(asked), dtype=np.bool_)
        once[first] = True
        return asked[chosen & once], draws[chosen & once]

    def _others(self, platforms: np.ndarray, draws: np.ndarray, on_duty: Ints) -> Ints:
        """Who gets each order; -1 for nobody."""
        free = on_duty[~self._held[on_duty]]
        found = np.full(len(platforms), -1, dtype=np.int64)
        for platform in range(len(PLATFORMS)):
            own = free[(self._riders.home[free] == platform) | (self._riders.second[free] == platform)]
            mine = platforms == platform
            if len(own):
                found[mine] = own[(draws[mine] * len(own)).astype(np.int64)]
        return found

    def _observe(self, happened: EventColumns) -> None:
        if not happened.size:
            return
        ordered = happened.take(np.lexsort((happened.type, happened.rider, happened.at_s)))
        decoded = decode_lines(lines(ordered, self._riders.zone))
        self._store.ingest(arrivals_of(decoded), _PLACE)

    def _judge(self, now_s: int) -> None:
        """Let the engine say who is on hold at an instant."""
        store = self._store
        store.judge_words(now_s)
        ids = store.memory.ids
        new = [int(bytes(ids[row, 2:8]), 16) for row in range(len(self._rows), store.riders)]
        self._rows = np.concatenate([self._rows, np.array(new, dtype=np.int64)])
        status = store.memory.rows[: store.riders, Row.STATUS]
        self._held[self._rows] = status == HELD
