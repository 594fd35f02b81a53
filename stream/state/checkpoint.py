"""Writing what a partition knows into the state topic, a little at a time.

A round notes where everything stands, writes the pages that have changed until then, some at each step so
that judging goes on, and ends with the marker that says where it began. Each page says itself up to which
source offset it is complete, so pages of one round may be of different age, and one that is newer than the
marker does no harm: what it holds already is skipped when the source is read again.

Judging and telling go on meanwhile; they stand only while some pages are copied. What a page counts as told
must be in Kafka before the page is: everything that waited when it was copied is committed first, and the
page goes into a later transaction.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from dataclasses import dataclass

import msgspec

from detectors import pages
from detectors.store import RiderStore
from schemas.checkpoint import MARKER_KEY, Marker, encode_marker, encode_names, pack_offsets
from schemas.checkpoint_page import Page, encode_page, page_key
from stream.kafka.transactional_producer import TransactionalProducer
from stream.schedule import is_due
from stream.settings import Settings
from stream.state.restored import Restored

#: Packed pages that one step writes: a transaction of it must not keep alerts waiting that come meanwhile.
STEP_BYTES = 1 << 20
#: For so long are pages copied while judging stands, then it has its turn.
_COPYING_S = 0.002
Standing = Callable[[], "CheckpointPosition | None"]
Held = AbstractAsyncContextManager[object]


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
        self.timed: Callable[[str], AbstractContextManager[None]] = lambda _: nullcontext()
        self._settings = settings
        self._producer = producer
        self._number = number
        self._store: RiderStore = restored.store
        self._sequence = restored.sequence
        self._page_from = restored.page_from.copy()
        self._parts = dict(restored.parts)
        self._names = restored.names_known
        self._found_names: tuple[list[str], list[str]] = ([], [])
        self._ends = restored.ends
        self._blank = blank
        self._round: Marker | None = None
        self._waiting: list[int] = []
        # The first round at once: what the take-over has told need not be read again by the next owner.
        self._due_s = 0.0

    def begin_if_due(self, standing: CheckpointPosition, wall_s: float, *, now: bool = False) -> None:
        """Begin a round when it is time, or ``now``.

        What waits in the producer is committed before the round's first page, and so before its marker; until
        then the outputs' ends are those of the last transaction, and reading too much of them does no harm.
        """
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

    async def step(self, standing: Standing, held: Held, wall_s: float) -> int | None:
        """Write some pages of the round under way, or its marker; the offset that a marker has made safe.

        Parameters
        ----------
        standing
            Where the partition stands, asked while it is ``held``: every touched rider has been judged, and
            what they are told waits in the producer or has been written. None: nothing is written any more.
        held
            Keeps others from judging; taken for a moment, again and again.

        Raises
        ------
        ProduceFailed
            It could not be written.
        """
        if self._round is None:
            return None
        packed: list[tuple[int, list[bytes]]] = []
        with self.timed("checkpoint"):
            while self._waiting and sum(len(part) for _, parts in packed for part in parts) < STEP_BYTES:
                async with held:
                    at = standing()
                    if at is None:
                        return None
                    copied = await asyncio.to_thread(self._pack_some, at.source_offset)
                packed += await asyncio.to_thread(_encoded, copied)
        if packed:
            await self._write_pages(packed)
        if self._waiting:
            return None
        return await self._write_marker(wall_s)

    @property
    def under_way(self) -> bool:
        """Whether a round has begun and not ended."""
        return self._round is not None

    # -- pages ---------------------------------------------------------------------------------

    async def _write_pages(self, packed: Sequence[tuple[int, list[bytes]]]) -> None:
        # What they count as told waited in the producer when they were copied, at the latest.
        await self._producer.flush()
        self._write_names()
        for number, values in packed:
            self._put_parts(number, values)
        self.pages_written += len(packed)
        self.bytes_written += sum(len(value) for _, values in packed for value in values)
        await self._producer.flush()

    def _pack_some(self, source_offset: int) -> list[Page]:
        """Copies of pages, one at least, for no longer than `_COPYING_S`."""
        copied: list[Page] = []
        size, ends_s = 0, time.perf_counter() + _COPYING_S
        while self._waiting and (not copied or (size < STEP_BYTES and time.perf_counter() < ends_s)):
            number = self._waiting.pop()
            self._sequence += 1
            words = pages.pack(self._store, number)
            size += words.nbytes
            copied.append(
                Page(self._blank.lineage, number, self._sequence, source_offset, self._store.now_s, words)
            )
            self._page_from[number] = source_offset
        # They may name platforms and zones that none before has named.
        self._found_names = pages.names(self._store)
        return copied

    def _put_parts(self, number: int, values: Sequence[bytes]) -> None:
        topic = self._settings.state_topic
        for part, value in enumerate(values):
            self._producer.put(topic, page_key(number, part), value, partition=self._number)
        for part in range(len(values), self._parts.get(number, 0)):
            self._producer.put(topic, page_key(number, part), None, partition=self._number)
        self._parts[number] = len(values)

    def _write_names(self) -> None:
        """Put the names that pages may now speak of."""
        found = self._found_names
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


def _encoded(copied: Sequence[Page]) -> list[tuple[int, list[bytes]]]:
    """The values of pages' parts, by page."""
    return [(page.number, encode_page(page)) for page in copied]
