"""What is not judged where it lies: dead letters, and events forwarded to their rider's partition."""

from __future__ import annotations

from collections import Counter

import numpy as np
from aiokafka.structs import ConsumerRecord

from detectors.kernels.layout.codes import (
    FLOOD,
    FORGOTTEN,
    FUTURE,
    MISPLACED,
    MISPLACED_TWICE,
    REFUSED_BEFORE,
    SEALED,
    TOO_LATE,
)
from schemas.checkpoint import SIDE_KEY, encode_side
from schemas.decode import ARRIVAL_HEADER, HOP_HEADER, Decoded, read_headers
from schemas.durations import write_duration
from schemas.work_state import LARGEST_BYTES
from stream.kafka.transactional_producer import TransactionalProducer
from stream.output.alert_json import utc
from stream.settings import Settings

_REFUSALS = {
    FUTURE: ("future", "event time is more than 5 minutes after arrival"),
    TOO_LATE: ("too_late", "event time is more than the allowed lateness before the latest one read here"),
    FLOOD: ("flood", "more than 4096 distinct events of this rider are not final yet"),
    MISPLACED_TWICE: ("misplaced", "forwarded once already, and still not in the rider's partition"),
    SEALED: ("too_late", "what it would change is final already"),
}
#: So many wait at most, and so many bytes: what a broker takes in a second or two even when it is slow.
_FLUSH_AT = 5000
_FLUSH_BYTES = 4 << 20
#: A compressed batch can hold a key and headers that no broker would take back as they are.
LARGEST_EXTRAS_BYTES = 512 * 1024
_LARGEST_KEY_BYTES = 16 * 1024


class DeadLetterWriter:
    """The side outputs of one partition, each written once: what was written is recorded with it."""

    def __init__(
        self, settings: Settings, producer: TransactionalProducer, number: int, partitions: int
    ) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        #: Side outputs of records before this source offset have been written.
        self.written_to = 0
        self._recorded: int | None = 0
        self._settings = settings
        self._producer = producer
        producer.at_begin = self.record
        self._number = number
        self._partitions = partitions

    def begin(self, written_to: int, recorded: int | None) -> None:
        """Go on where an earlier owner has stopped; ``recorded`` is what the state says of it."""
        self.written_to, self._recorded = written_to, recorded

    async def put(self, decoded: Decoded, codes: np.ndarray) -> None:
        """Write what a chunk holds of them, in the order of offsets."""
        reasons = {one.index: (one.reason, one.detail) for one in decoded.rejects}
        # What was refused before has its reason above, or is no event.
        aside = np.flatnonzero((codes > REFUSED_BEFORE) & (codes != FORGOTTEN)).tolist()
        self.counts["events", "forgotten"] += int((codes == FORGOTTEN).sum())
        for index in sorted([*reasons, *aside]):
            if index in reasons:
                self._dead_letter(decoded, index, *reasons[index])
            elif codes[index] == MISPLACED:
                self._forward(decoded, index)
            else:
                self._dead_letter(decoded, index, *self._refusal(decoded, index, int(codes[index])))
            if self._producer.pending >= _FLUSH_AT or self._producer.pending_bytes >= _FLUSH_BYTES:
                await self._producer.flush()

    def _refusal(self, decoded: Decoded, index: int, code: int) -> tuple[str, str]:
        """The reason and its words; of times that are measured by the arrival, by how much."""
        reason, detail = _REFUSALS[code]
        columns = decoded.columns
        if code not in (FUTURE, TOO_LATE) or (self._settings.clock == "event" and not columns.hop[index]):
            return reason, detail
        arrival_s, event_s = int(columns.arrival_ms[index]) // 1000, int(columns.event_s[index])
        if code == FUTURE:
            by, most = event_s - arrival_s, "5min are allowed: is its offset right, and the platform's clock?"
            return reason, f"event time {utc(event_s)} is {write_duration(by)} after arrival, {most}"
        # Rounded up, or half a second too much would be said to be no more than is allowed.
        by = -((event_s * 1000 - int(columns.arrival_ms[index])) // 1000)
        most = write_duration(self._settings.lateness)
        return reason, f"event time {utc(event_s)} is {write_duration(by)} before arrival, {most} are allowed"

    def record(self) -> None:
        """Put how far it goes beside what waits, as the transaction begins: both are written or neither."""
        if self.written_to != self._recorded:
            self._recorded = self.written_to
            topic = self._settings.state_topic
            self._producer.put(topic, SIDE_KEY, encode_side(self.written_to), partition=self._number)

    def _is_written(self, offset: int) -> bool:
        if offset < self.written_to:
            return True
        self.written_to = offset + 1
        return False

    def _dead_letter(self, decoded: Decoded, index: int, reason: str, detail: str) -> None:
        self.counts["dead_letters", reason] += 1
        offset = int(decoded.columns.offset[index])
        if self._is_written(offset):
            return
        key, value = decoded.key(index), decoded.value(index)
        headers = self._headers_of(decoded, index)
        if len(key or b"") + _bytes_of(headers) > LARGEST_EXTRAS_BYTES:
            detail += "; its headers are left out"
            headers, key = [], key and key[:_LARGEST_KEY_BYTES]
        if value is not None and len(value) > LARGEST_BYTES:
            headers.append(("size", str(len(value)).encode()))
            value = value[:LARGEST_BYTES]
        place = (self._settings.source_topic, self._number, offset)
        self._put(key, value, headers, (reason, detail), place)

    def other(self, record: ConsumerRecord, reason: str, detail: str) -> None:
        """A dead letter for a record of another topic; the caller sees that it is written once."""
        self.counts["dead_letters", reason] += 1
        headers = [(name, value if value is not None else b"") for name, value in record.headers]
        key, value = record.key, record.value
        if len(key or b"") + _bytes_of(headers) > LARGEST_EXTRAS_BYTES:
            detail += "; its headers are left out"
            headers, key = [], key and key[:_LARGEST_KEY_BYTES]
        if value is not None and len(value) > LARGEST_BYTES:
            headers.append(("size", str(len(value)).encode()))
            value = value[:LARGEST_BYTES]
        place = (record.topic, record.partition, record.offset)
        self._put(key, value, headers, (reason, detail), place)

    def _put(
        self,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, bytes]],
        why: tuple[str, str],
        place: tuple[str, int, int],
    ) -> None:
        names = ("reason", "detail", "topic", "partition", "offset")
        said = [(name, str(text).encode()) for name, text in zip(names, (*why, *place), strict=True)]
        self._producer.put(self._settings.dead_letter_topic, key, value, headers + said)

    def _headers_of(self, decoded: Decoded, index: int) -> list[tuple[str, bytes]]:
        columns = decoded.columns
        found = read_headers(decoded.buf, int(columns.headers_off[index]), int(columns.headers_len[index]))
        return [(name, value if value is not None else b"") for name, value in found]

    def _forward(self, decoded: Decoded, index: int) -> None:
        """Send an event on to its rider's partition, once, with what its lateness is measured by."""
        self.counts["events", "forwarded"] += 1
        columns = decoded.columns
        if self._is_written(int(columns.offset[index])):
            return
        # With the event clock, ingesting has put *now* at the moment of reading here.
        arrival_ms = int(columns.arrival_ms[index])
        headers = [
            pair for pair in self._headers_of(decoded, index) if pair[0] not in (HOP_HEADER, ARRIVAL_HEADER)
        ]
        if _bytes_of(headers) > LARGEST_EXTRAS_BYTES:
            headers = []
        headers += [(ARRIVAL_HEADER, str(arrival_ms).encode()), (HOP_HEADER, b"1")]
        home = int(columns.rider_murmur[index]) % self._partitions
        topic = self._settings.source_topic
        self._producer.put(topic, decoded.rider(index), decoded.value(index), headers, partition=home)


def _bytes_of(headers: list[tuple[str, bytes]]) -> int:
    return sum(len(name.encode()) + len(value) for name, value in headers)
