"""Riders of whom an earlier owner told something that must be looked up: the renderer tells of them."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from detectors import pages
from detectors.kernels.layout.values import U8
from detectors.store import RiderStore
from schemas.decode import rider_hash
from stream.output.encoding import NOBODY
from stream.state.published_outputs import PublishedOutputs


class TakeoverRiders:
    """By row, whether what is told of a rider depends on what the outputs held at the take-over."""

    def __init__(self, published: PublishedOutputs) -> None:
        self._published = published
        self._riders = self._found()
        self._waiting = self._count()
        self._rows = NOBODY
        self._seen = -1
        self._missing = False

    def _found(self) -> set[str]:
        riders = {one.rider for one in self._published.alerts.values()}
        return riders | {key[0] for key in self._published.told_at}

    def _count(self) -> tuple[int, int]:
        return len(self._published.alerts), len(self._published.told_at)

    def hand_over(self, store: RiderStore) -> None:
        """Give the rows what the outputs said of holds; those that *now* has come to are done with.

        From then on the rows say when a hold was first told, and kernels tell of it. To be called when all
        that was told before has been told again.
        """
        told_at = self._published.told_at
        if told_at:
            numbers = {(one.policy, one.name): number for number, one in enumerate(store.limits.limits)}
            for key in list(told_at):
                rider, policy, limit, begin = key
                from_s = _second(begin)
                if from_s > store.now_s:
                    continue
                at_s = _second(told_at.pop(key))
                row = pages.find(store, rider.encode(), rider_hash(rider.encode()))
                number = numbers.get((policy, limit))
                if row is not None and number is not None:
                    pages.hold_was_told(store, row, number, from_s, at_s)
        if self._waiting != (waiting := self._count()):
            self._waiting, self._riders = waiting, self._found()
            self.moved()

    def moved(self) -> None:
        """Riders may lie in other rows from here on."""
        self._seen = -1

    def rows(self, store: RiderStore) -> U8:
        """1 for those riders; rows beyond its end are not among them."""
        if self._riders and (self._seen < 0 or (self._missing and store.riders != self._seen)):
            found = [pages.find(store, one, rider_hash(one)) for one in map(str.encode, self._riders)]
            self._rows = np.zeros(store.riders, dtype=np.uint8)
            self._rows[[row for row in found if row is not None]] = 1
            self._seen, self._missing = store.riders, None in found
        return self._rows if self._riders else NOBODY


def _second(written: str) -> int:
    return int(datetime.fromisoformat(written).timestamp())
