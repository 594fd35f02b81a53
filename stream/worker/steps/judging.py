"""A chunk is decoded, taken in and judged, beside the event loop."""

from __future__ import annotations

import numpy as np
import structlog

from detectors.kernels.evidence.arrivals import Arrivals
from detectors.kernels.layout.codes import REPEATED
from detectors.kernels.layout.values import PAST
from detectors.verdicts import Outcome, read_outcomes
from schemas.decode import NOT_AN_EVENT, Decoded, decode_chunk
from stream.columns import arrivals_of
from stream.output.alert_json import utc
from stream.output.encoding import Encoded
from stream.worker.steps.state import PartitionState

log = structlog.get_logger()
#: On the event clock, a step of *now* that is said.
_JUMP_S = 86_400
#: An arrival so recent says that partitions are abreast of each other.
_FRESH_S = 60
#: What a chunk, or silence, has led to: written once the partition is live, values before.
Judged = Encoded | list[Outcome]


class Judging(PartitionState):
    """How a partition judges."""

    def _judge_chunk(
        self, raw: bytes, first: int, following: int, newest_ms: int
    ) -> tuple[Decoded, np.ndarray, Judged]:
        with self._times.timed("decode"):
            decoded = decode_chunk(raw, first)
        oldest_ms = int(decoded.columns.arrival_ms.min(initial=newest_ms, where=decoded.columns.hop == 0))
        self._publisher.latency.after_record(oldest_ms / 1000 if self.store.live else None)
        before_s = self.store.read_s
        with self._times.timed("ingest"):
            events = arrivals_of(decoded)
            codes = self.store.ingest(events, self._place)
            self._note_doubts(decoded, events, codes, newest_ms)
        if self._run.settings.clock == "event":
            self._look_for_jump(decoded.columns.event_s[codes <= REPEATED], before_s)
        self.arrival_s = max(self.arrival_s, newest_ms // 1000)
        self._catch_up_with_pages(following)
        judged = self._judge(self._now(None))
        self.counts["events", "read"] += int((decoded.columns.status != NOT_AN_EVENT).sum())
        self.counts["events", "accepted"] += int((codes <= REPEATED).sum())
        self.counts.update(self._evidence.of(decoded, codes, measured=self._run.settings.clock == "wall"))
        return decoded, codes, judged

    def _note_doubts(self, decoded: Decoded, events: Arrivals, codes: np.ndarray, newest_ms: int) -> None:
        """Count what of the chunk may be wrong all the same; verdicts know nothing of it.

        Only while the partition is live: catching up reads again what has been counted.
        """
        if not self.store.live:
            return
        doubts = self.store.doubts(events, codes)
        if self._run.shared_orders is not None:
            shared = doubts.copy()
            pairs = self._run.shared_orders.note(events, codes, shared)
            # While partitions catch up, one is hours ahead of another: an order that was taken from a rider
            # there seems to be his still.
            behind_s = self._run.wall() - newest_ms / 1000
            if self._run.settings.clock == "event" or behind_s < _FRESH_S:
                doubts = shared
                self._two_riders.extend(pairs.tolist())
                self._two_riders_new |= len(pairs) > 0
        self.counts.update(self._evidence.doubtful(decoded, doubts))

    def _judge(self, now_s: int) -> Judged:
        """Judge, and once the partition is live write what it says, all beside the event loop."""
        wall_s = int(self._run.wall())
        with self._times.timed("judge"):
            words = self.store.judge_words(now_s, wall_s)
        if not self.store.live:
            return read_outcomes(words, len(words))
        with self._times.timed("render"):
            special = self._takeover_riders.rows(self.store)
            return self._encoder.encode(self.store, words, special, wall_s)

    def _look_for_jump(self, event_s: np.ndarray, before_s: int) -> None:
        """Say when an event is more than a day after all before it: on this clock it makes *now*."""
        latest_s = int(event_s.max(initial=before_s))
        others_s = int(event_s.max(initial=before_s, where=event_s < latest_s))
        if others_s > PAST and latest_s - others_s > _JUMP_S:
            self.counts["time_jumps", "event"] += 1
            log.warning(
                "an event lies more than a day after all before it: it makes now, and what is older than the "
                "allowed lateness before it is too_late from here on",
                partition=self.number, event_time=utc(latest_s), before=utc(others_s),
            )  # fmt: skip

    def _catch_up_with_pages(self, following: int) -> None:
        """Once reading has come to where the pages were judged, *now* is theirs at least."""
        restored = self._restored
        if restored is not None and restored.resume is not None and following >= restored.resume[0]:
            self.store.now_s = max(self.store.now_s, restored.resume[1])
            restored.resume = None
