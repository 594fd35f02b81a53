"""What was judged, written by kernels: from a store's records to record batches for topics.

Runs beside the event loop. The renderer (`stream.output.alert_json`) is its twin: the same bytes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detectors.kernels.layout import misc as Misc
from detectors.kernels.layout.values import FINALITY_SLACK_S, I64, U8, U64
from detectors.limits import Limit, LimitTable
from detectors.outcomes import OutcomeColumns, outcome_columns
from detectors.store import RiderStore
from schemas.encode import Destinations, Encoder
from schemas.encode.columns import Alerts, Names, Statuses, blank_messages
from schemas.encode.fragments import LimitText
from schemas.encode.frames import Frame, frames_of
from schemas.encode.known_ids import KnownIds
from schemas.policy import Policy
from stream.policies.calendars import utc_offsets
from stream.settings import Settings

#: Bytes of a batch at most, as the producer's own (`transactional_producer`).
BATCH_BYTES = 1 << 20
NOBODY: U8 = np.zeros(0, dtype=np.uint8)


def limit_texts(limits: Sequence[Limit], policies: Sequence[Policy]) -> list[LimitText]:
    """What alerts say of each limit."""
    found = {(policy.ref, one.name): (policy, one) for policy in policies for one in policy.limits}
    texts = []
    for limit in limits:
        policy, rule = found[limit.policy, limit.name]
        words = rule.message.by_language if rule.message else None
        source = rule.source or policy.source
        texts.append(LimitText(limit.policy, limit.name, limit.clock, limit.release, source, words))
    return texts


@dataclass(frozen=True, slots=True)
class Encoded:
    """Batches by topic in their order; the columns they were made of; records left for the renderer.

    ``ids`` are the first words of the verdicts' ids.
    """

    frames: list[tuple[str, Frame]]
    columns: OutcomeColumns
    ids: U64


class OutcomeEncoder:
    """Writes what one partition judges. One call at a time."""

    def __init__(
        self, settings: Settings, limits: LimitTable, policies: Sequence[Policy], *, statuses: bool = True
    ) -> None:
        self._settings = settings
        zones = sorted({one.time_zone for one in limits.limits})
        zone_of = np.array([zones.index(one.time_zone) for one in limits.limits], dtype=np.int64)
        finality_s = settings.lateness + FINALITY_SLACK_S
        texts = limit_texts(limits.limits, policies)
        self._encoder = Encoder(texts, zone_of, utc_offsets(tuple(zones)), finality_s)
        self._topics = [settings.alerts_topic, settings.status_topic]
        for outlet in settings.outlets:
            self._topics += [settings.alerts_of(outlet), settings.status_of(outlet)]
        #: Topics that are written, by number; the second is that of statuses.
        self._written = [*range(len(self._topics))] if statuses else [0]
        self._to = Destinations(1, *np.zeros((2, 0), dtype=np.int64))

    def encode(self, store: RiderStore, words: I64, special: U8, wall_s: int) -> Encoded:
        """Write records that were judged just now; those of ``special`` rows are left aside."""
        columns = outcome_columns(store, words, store.now_s - self._settings.keep, special)
        alerts, statuses = Alerts(*columns.alerts), Statuses(*columns.statuses)
        assert self._encoder.reaches(alerts, words, wall_s), "an instant outside of all events' time"
        self._look_for_new_platforms(store)
        mem = store.memory
        names = Names(*(getattr(mem, name) for name in Names._fields))
        written = self._encoder.write(
            alerts, statuses, words, columns.members, names, self._to, store.now_s, wall_s
        )
        time_ms = int(time.time() * 1000)
        # Most chunks have something for a few topics only.
        present = set(np.flatnonzero(np.bincount(written.messages.topic[: written.count])).tolist())
        frames = [
            (self._topics[number], frame)
            for number in self._written
            if number in present
            for frame in frames_of(
                written.messages, written.count, number, names, written.arena, BATCH_BYTES, time_ms
            )
        ]
        return Encoded(frames, columns, written.ids)

    def _look_for_new_platforms(self, store: RiderStore) -> None:
        known, count = len(self._to.alerts_of), int(store.memory.misc[Misc.PLATFORMS])
        if count == known:
            return
        outlets = self._settings.outlets
        names = [store.platform(number) for number in range(count)]
        places = [outlets.index(name) if name in outlets else -1 for name in names]
        alerts_of = [2 + 2 * place if place >= 0 else -1 for place in places]
        statuses_of = [3 + 2 * place if place >= 0 else -1 for place in places]
        self._to = Destinations(1, np.array(alerts_of, np.int64), np.array(statuses_of, np.int64))


def warm_up(settings: Settings, limits: LimitTable, policies: Sequence[Policy]) -> None:
    """Have everything compiled that a partition writes with."""
    store = RiderStore(limits, settings.store(0))
    OutcomeEncoder(settings, limits, policies).encode(store, np.zeros(0, dtype=np.int64), NOBODY, 0)
    mem, messages = store.memory, blank_messages(1)
    names = Names(*(getattr(mem, name) for name in Names._fields))
    for column in messages:
        column[:] = 0
    frames_of(messages, 1, 0, names, NOBODY, BATCH_BYTES, 0)
    KnownIds().first(np.zeros(1, dtype=np.uint64))
