"""What a store has judged, as columns: for those who write it without looking at each of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from detectors.kernels.layout.values import I64, U8
from detectors.kernels.verdicts import columns as kernels
from detectors.kernels.verdicts.columns import AlertColumns, StatusColumns
from detectors.store import RiderStore


class OutcomeColumns(NamedTuple):
    """Alerts and statuses in their order; ``members`` are numbers of platforms, ``aside`` is as it was."""

    alerts: AlertColumns
    statuses: StatusColumns
    members: I64
    aside: I64


def outcome_columns(store: RiderStore, words: I64, since_s: int, special: U8) -> OutcomeColumns:
    """The columns of the records of `RiderStore.judge_words`.

    Parameters
    ----------
    since_s
        The rider is the own of platforms that claim them at this instant or later, epoch seconds.
    special
        By row, 1 for riders whose records are left ``aside``; rows beyond it are not.
    """
    mem = store.memory
    alerts, statuses, members, aside = kernels.count_records(mem, words, special)
    found = OutcomeColumns(
        AlertColumns(*np.empty((len(AlertColumns._fields), alerts), dtype=np.int64)),
        StatusColumns(*np.empty((len(StatusColumns._fields), statuses), dtype=np.int64)),
        np.empty(members, dtype=np.int64),
        np.empty(aside, dtype=np.int64),
    )
    used = kernels.to_columns(
        mem,
        store.packed_limits,
        words,
        since_s,
        special,
        found.alerts,
        found.statuses,
        found.members,
        found.aside,
    )
    return found._replace(members=found.members[:used])
