"""Writing what a partition knows into the state topic, a little at a time.

A round notes where everything stands, writes the pages that have changed until then, some at each step so
that judging goes on, and ends with the marker that says where it began. Each page says itself up to which
source offset it is complete, so pages of one round may be of different age, and one that is newer than the
marker does no harm: what it holds already is skipped when the source is read again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from detectors import pages
from detectors.store import RiderStore
from schemas.checkpoint import (
    MARKER_KEY,
    Marker,
    Page,
    encode_marker,
    encode_names,
    encode_page,
    pack_offsets,
    page_key,
)
from stream.kafka.transactional_producer import TransactionalProducer
from stream.schedule import is_due
from stream.settings import Settings
from stream.state.restored import Restored

#: Packed pages that one step writes; at four steps a second what it costs judging stays small.
STEP_BYTES = 2 << 20


@dataclass(frozen=True, slots=True)
class CheckpointPosition:
    """Where a partition stands: everything up to here has been judged, and told.

    ``waits_from`` is the offset of the first alert of an earlier owner that is left alone until *now* gets
    there; None when there is none.
    """

    source_offset: int
    arrival_s: int
    waits_from: int | None = None


class Checkpointer:
    """Rounds of one partition.

    Parameters
    ----------
    blank
        A marker with what is the same in all of them.
    """

    def __init__(
        self,
        settings: Settings,
        producer: TransactionalProducer,
        number: int,
        restored: Restored,
        blank: Marker,
    ) -> None:
        self.pages_written = 0
        self.bytes_written = 0
        self.written_s: float | None = None
        self._settings = settings
        self._producer = producer
        self._number = number
        self._store: RiderStore = restored.store
        self._sequence = restored.sequence
        self._page_from = restored.page_from.copy()
        self._parts = dict(restored.parts)
        self._names = restored.names_known
        self._ends = restored.ends
        self._blank = blank
        self._round: Marker | None = None
        self._waiting: list[int] = []
        # The first round at once: what the take-over has told need not be read again by the next owner.
        self._due_s = 0.0

    def begin_if_due(self, standing: CheckpointPosition, wall_s: float, *, now: bool = False) -> None:
        """Begin a round when it is time, or ``now``. Precondition: nothing waits in the producer."""
        due = now or is_due(wall_s, self._due_s, self._settings.checkpoint_every)
        if self._round is not None or not due:
            return
        store = self._store
        ends = self._producer.ends
        topics = self._settings.alerts_topic, self._settings.status_topic
        alerts, statuses = (
            ends.get((topic, self._number), end) for topic, end in zip(topics, self._ends, strict=True)
        )
        if standing.waits_from is not None:
            alerts = min(alerts, standing.waits_from)
        self._round = msgspec.structs.replace(
            self._blank,
            source_offset=standing.source_offset,
            alerts_offset=alerts,
            status_offset=statuses,
            now_s=store.now_s,
            read_s=store.read_s,
            arrival_s=standing.arrival_s,
        )
        self._waiting = pages.dirty_pages(store).tolist()
        self._waiting.reverse()
        self._due_s = wall_s + self._settings.checkpoint_every

    async def step(self, standing: CheckpointPosition, wall_s: float) -> int | None:
        """Write some pages of the round under way, or its marker; the offset that a marker has made safe.

        Precondition: nothing waits in the producer, and every touched rider has been judged.

        Raises
        ------
        ProduceFailed
            It could not be written.
        """
        if self._round is None:
            return None
        if self._waiting:
            await self._write_pages(standing)
        if self._waiting:
            return None
        return await self._write_marker(wall_s)

    @property
    def under_way(self) -> bool:
        """Whether a round has begun and not ended."""
        return self._round is not None

    # -- pages ---------------------------------------------------------------------------------

    async def _write_pages(self, standing: CheckpointPosition) -> None:
        await self._write_names()
        written = await asyncio.to_thread(self._pack_some, standing.source_offset)
        for number, values in written:
            self._put_parts(number, values)
        await self._producer.flush()

    def _pack_some(self, source_offset: int) -> list[tuple[int, list[bytes]]]:
        """Pages up to about `STEP_BYTES`."""
        packed: list[tuple[int, list[bytes]]] = []
        size = 0
        while self._waiting and size < STEP_BYTES:
            number = self._waiting.pop()
            self._sequence += 1
            words = pages.pack(self._store, number)
            page = Page(self._blank.lineage, number, self._sequence, source_offset, self._store.now_s, words)
            values = encode_page(page)
            size += sum(map(len, values))
            packed.append((number, values))
            self._page_from[number] = source_offset
        self.pages_written += len(packed)
        self.bytes_written += size
        return packed

    def _put_parts(self, number: int, values: Sequence[bytes]) -> None:
        topic = self._settings.state_topic
        for part, value in enumerate(values):
            self._producer.put(topic, page_key(number, part), value, partition=self._number)
        for part in range(len(values), self._parts.get(number, 0)):
            self._producer.put(topic, page_key(number, part), None, partition=self._number)
        self._parts[number] = len(values)

    async def _write_names(self) -> None:
        """Write the names that pages may now speak of."""
        found = pages.names(self._store)
        for what, names, known in zip(("platforms", "zones"), found, self._names, strict=True):
            if len(names) > known:
                for key, value in encode_names(self._blank.lineage, what, names, known):
                    self._producer.put(self._settings.state_topic, key, value, partition=self._number)
        self._names = len(found[0]), len(found[1])

    # -- marker --------------------------------------------------------------------------------

    async def _write_marker(self, wall_s: float) -> int:
        assert self._round is not None
        marker = msgspec.structs.replace(
            self._round,
            sequence=self._sequence,
            platforms=self._names[0],
            zones=self._names[1],
            page_from=pack_offsets(self._page_from),
        )
        self._producer.put(
            self._settings.state_topic, MARKER_KEY, encode_marker(marker), partition=self._number
        )
        await self._producer.flush()
        self._round = None
        self.written_s = wall_s
        return marker.source_offset
