"""A worker's memory of recent orders, over all its partitions: which of them two riders have had at once."""

from __future__ import annotations

import threading

import numpy as np

from detectors.kernels.doubts.shared_orders import ENTRY_WORDS, PAIR_WORDS, WAYS, note_shared
from detectors.kernels.evidence.arrivals import Arrivals
from detectors.kernels.layout.values import I64, U8
from detectors.settings import StoreSettings

#: Orders remembered: 16 MiB of them, taken as they come.
MOST_ORDERS = 1 << 18


class SharedOrders:
    """The orders seen last; partitions' threads come one after the other."""

    def __init__(self, settings: StoreSettings, most: int = MOST_ORDERS) -> None:
        self._rules = settings.rules()
        self._table = np.zeros((max(WAYS, most), ENTRY_WORDS), dtype=np.int64)
        self._lock = threading.Lock()

    def note(self, events: Arrivals, became: U8, doubts: U8) -> I64:
        """Take a chunk that was ingested in; marks ``doubts``, and returns the orders of two riders found.

        A line is an order's hash, and since when and until when both had it.
        """
        pairs = np.zeros((len(became), PAIR_WORDS), dtype=np.int64)
        with self._lock:
            count = note_shared(self._table, events, became, self._rules, doubts, pairs)
        return pairs[:count]
