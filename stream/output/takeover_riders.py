"""Riders of whom an earlier owner told something that must be looked up: the renderer tells of them."""

from __future__ import annotations

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
        self._riders = {one.rider for one in published.alerts.values()}
        self._riders |= {key[0] for key in published.told_at}
        self._rows = NOBODY
        self._seen = -1
        self._missing = False

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
        return self._rows
