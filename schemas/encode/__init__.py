"""The way out as columns: alerts and statuses as JSON in one piece of memory, framed as record batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from schemas.encode.alert import ALERT_BYTES, ID_TEXT_BYTES, SPAN_BYTES, within, write_alerts
from schemas.encode.columns import I64, U8, U64, Alerts, Messages, Names, Offsets, Statuses, blank_messages
from schemas.encode.fragments import FIRST_LIMIT, LIMIT_FRAGMENTS, LimitText, texts_of
from schemas.encode.status import STATUS_BYTES, write_statuses

_MEMO_WORDS, _HASHING_WORDS = 14, 24


@dataclass(frozen=True, slots=True)
class Destinations:
    """Numbers of topics; whole alerts go to topic 0.

    ``alerts_of`` and ``statuses_of`` have the topic of each platform's number, -1 where it has none.
    """

    statuses: int
    alerts_of: I64
    statuses_of: I64


@dataclass(frozen=True, slots=True)
class Written:
    """Messages over one piece of memory, which the next call writes anew; ``ids`` are the verdicts'."""

    messages: Messages
    count: int
    arena: U8
    ids: U64


class Encoder:
    """Writes what one partition tells. One call at a time.

    Parameters
    ----------
    limits
        What alerts say of each limit.
    zone_of
        The number of each limit's time zone in ``offsets``.
    finality_s
        Allowed lateness plus the hour after which a verdict is final.
    """

    def __init__(self, limits: Sequence[LimitText], zone_of: I64, offsets: Offsets, finality_s: int) -> None:
        self._texts = texts_of(limits)
        self._zone_of = zone_of
        self._offsets = offsets
        self._finality_s = finality_s
        lengths = self._texts.places[FIRST_LIMIT:, 1].reshape(-1, LIMIT_FRAGMENTS)
        self._limit_bytes = int(lengths.sum(axis=1).max(initial=0))
        self._arena = np.empty(1 << 16, dtype=np.uint8)
        self._scratch = np.empty(ID_TEXT_BYTES, dtype=np.uint8)
        self._memo = np.empty(_MEMO_WORDS, dtype=np.int64)
        self._hashing = np.empty(_HASHING_WORDS, dtype=np.uint64)

    def reaches(self, alerts: Alerts, words: I64, detected_s: int) -> bool:
        """Whether the tables of UTC offsets hold every instant of these; else they are for the renderer."""
        return bool(within(alerts, words, self._offsets, self._zone_of, detected_s))

    def write(
        self,
        alerts: Alerts,
        statuses: Statuses,
        words: I64,
        members: I64,
        names: Names,
        to: Destinations,
        now_s: int,
        detected_s: int,
    ) -> Written:
        """Write alerts and statuses; ``words`` hold the spans, ``members`` numbers of platforms.

        Precondition: `reaches`.
        """
        count, others = len(alerts.row), len(statuses.row)
        room = 2 * (count * (ALERT_BYTES + self._limit_bytes) + SPAN_BYTES * int(alerts.spans_n.sum()))
        room += others * (STATUS_BYTES + self._limit_bytes)
        if room > len(self._arena):
            self._arena = np.empty(room + room // 2, dtype=np.uint8)
        messages = blank_messages(count + others + len(members))
        ids = np.empty(count, dtype=np.uint64)
        used, written = write_alerts(
            alerts,
            words,
            members,
            to.alerts_of,
            names,
            self._texts,
            self._offsets,
            self._zone_of,
            now_s - self._finality_s,
            detected_s,
            self._scratch,
            self._hashing,
            self._memo,
            self._arena,
            messages,
            ids,
        )
        _, written = write_statuses(
            statuses,
            members,
            to.statuses,
            to.statuses_of,
            names,
            self._texts,
            self._arena,
            used,
            messages,
            written,
        )
        return Written(messages, int(written), self._arena, ids)
