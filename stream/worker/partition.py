"""One partition: chunks of the source in, alerts, statuses, dead letters and the watermark out."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence

import numpy as np
import structlog

from detectors import pages
from detectors.kernels.evidence.arrivals import Arrivals, Place
from detectors.kernels.layout.codes import REPEATED
from detectors.kernels.layout.values import FINALITY_SLACK_S, PAST
from detectors.store import RiderStore
from detectors.verdicts import Outcome, read_outcomes
from schemas.checkpoint import Marker
from schemas.decode import NOT_AN_EVENT, Decoded, decode_chunk, rider_hash
from schemas.policy_written import judging_digest
from stream.columns import arrivals_of
from stream.kafka.raw_fetch import LogEnd
from stream.kafka.transactional_producer import ProduceFailed, TransactionalProducer
from stream.metrics.alert_latency import AlertLatency
from stream.metrics.evidence_quality import Evidence
from stream.metrics.stage_timer import StageTimes
from stream.output.alert_json import utc
from stream.output.dead_letters import DeadLetterWriter
from stream.output.encoding import Encoded, OutcomeEncoder
from stream.output.publisher import Publisher
from stream.output.rebuild_buffer import AlreadyPublished, RebuildBuffer
from stream.output.takeover_riders import TakeoverRiders
from stream.schedule import is_due
from stream.state.checkpoint import Checkpointer, CheckpointPosition, Held
from stream.state.restore import erase, take_over
from stream.state.restored import Restored, Takeover
from stream.state.shm_writer import SILENT_MS, Progress, SharedArrays
from stream.worker.context import NotOwner, Source, WorkerContext, shared_partition

log = structlog.get_logger()
FLUSH_EVERY_S = 0.1
_OUTCOMES_AT_ONCE = 2000
#: With so much behind the transaction under way, judging waits for it.
_MOST_WAITING_BYTES = 8 << 20
#: How often it is looked who has been silent for `keep`.
_FORGET_EVERY_S = 10.0
#: A revoked partition has two seconds; half of one for the transaction under way.
_CLOSING_S = 0.5
#: On the event clock, a step of *now* that is said.
_JUMP_S = 86_400
#: An arrival so recent says that partitions are abreast of each other.
_FRESH_S = 60
_MOST_TWO_RIDERS = 4096
#: What a chunk, or silence, has led to: written once the partition is live, values before.
Judged = Encoded | list[Outcome]


class Partition:
    """The state and the work of one assigned partition. Calls are serialised by a lock."""

    def __init__(
        self, run: WorkerContext, number: int, producer: TransactionalProducer, source: Source
    ) -> None:
        self.number = number
        #: The claim under way; whoever works with the partition waits for it.
        self.starting: asyncio.Future[None] | None = None
        #: Where others on this machine read; from the claim on.
        self.shared: SharedArrays | None = None
        self.store = RiderStore(run.limits, run.store_settings, live=False)
        self.counts: Counter[tuple[str, str]] = Counter()
        self.seconds: Counter[str] = Counter()
        self._times = StageTimes(self.seconds, self.counts)
        self.arrival_s = 0
        self.position: int | None = None
        self.lag_records = 0
        #: The newest arrival minus this machine's clock; above zero the broker's clock is ahead.
        self.clock_difference_s = 0.0
        #: How much of the restore is done, 0 to 1.
        self.restore_ratio = 0.0
        #: The partition was taken away; what is under way is not told, the successor will.
        self.closed = False
        self.progress_s = run.wall()
        #: When the broker last answered for the partition, epoch milliseconds.
        self._heard_ms = 0
        #: When a long silence of the broker was noticed; 0 once what was missed in it has been judged.
        self._silent_until_ms = 0
        self._run = run
        self._source = source
        self._producer = producer
        producer.timed = self._times.timed
        self._publisher = Publisher(run.settings, run.renderer, producer, number, run.worker, run.wall)
        self._dead_letters = DeadLetterWriter(run.settings, producer, number, run.partitions)
        self._publisher.counts = self._dead_letters.counts = self.counts
        self._publisher.latency = AlertLatency(self.counts)
        self._evidence = Evidence()
        self._encoder = OutcomeEncoder(run.settings, run.limits, run.policies)
        self._takeover_riders = TakeoverRiders(self._publisher.published)
        #: Transactions one after the other while more is judged.
        self._writing: asyncio.Future[None] | None = None
        self._lock = asyncio.Lock()
        self._place = Place(number, run.partitions, int(run.settings.clock == "event"), 1)
        self._restored: Restored | None = None
        self._checkpointer: Checkpointer | None = None
        self._held = RebuildBuffer()
        #: The source is being read from another place than before; older chunks may still come.
        self._seeking = True
        #: Orders that two riders have had at once, the last ones found, for readers beside the stream.
        self._two_riders: deque[list[int]] = deque(maxlen=_MOST_TWO_RIDERS)
        self._two_riders_new = False
        self._flushed = 0.0
        self._forget_due_s = 0.0
        self._reading_from = 0

    @property
    def now_s(self) -> int | None:
        """*now* of this partition, epoch seconds; None while its state is being rebuilt."""
        return self.store.now_s if self.store.live else None

    @property
    def checkpoint_age_s(self) -> float | None:
        """Seconds since the last marker; None before the first."""
        written_s = None if self._checkpointer is None else self._checkpointer.written_s
        return None if written_s is None else self._run.wall() - written_s

    @property
    def committed_s(self) -> float | None:
        """When the last transaction was committed, epoch seconds; None before the first."""
        return self._producer.committed_s

    @property
    def checkpoint_bytes(self) -> int:
        """Bytes of pages written."""
        return self._checkpointer.bytes_written if self._checkpointer else 0

    # -- taking over ---------------------------------------------------------------------------

    async def start(self) -> None:
        """Claim the partition, restore what is known, and read the source from there.

        Raises
        ------
        NotOwner
            The group has given the partition to another worker.
        ProduceFailed, KafkaError
            The broker refuses or does not answer; to be tried again.
        StateRefused
            The state belongs to topics of another shape.
        """
        # A former owner that wakes up late must not fence the rightful one.
        await self._claim()
        run = self._run
        if not self.closed:
            self.shared = shared_partition(run, self.number)
        work = Takeover(
            run.settings,
            run.limits,
            run.store_settings,
            self.number,
            run.partitions,
            run.wall(),
            self._progress,
            {one.ref: judging_digest(one) for one in run.policies},
        )
        restored = await take_over(work)
        self.store, self._restored = restored.store, restored
        if self.shared:
            self.store.lie_in(self.shared.place)
        self.arrival_s, self.position = restored.arrival_s, restored.position
        self._reading_from = restored.position
        self._publisher.published = restored.told
        self._takeover_riders = TakeoverRiders(restored.told)
        self._publisher.since_s = restored.since_s
        self.counts.update({("foreign", topic): count for topic, count in restored.foreign.items()})
        self._dead_letters.begin(restored.side_offset, restored.side_recorded)
        blank = Marker(
            definition=pages.definition(run.limits, run.store_settings),
            partitions=run.partitions,
            since_s=restored.since_s,
            worker=run.worker,
            lineage=restored.lineage,
            outlets=tuple(run.settings.outlets),
            source_id=restored.source_id,
            judged=restored.judged,
        )
        self._checkpointer = Checkpointer(run.settings, self._producer, self.number, restored, blank)
        self._checkpointer.timed = self._times.timed
        self.progress_s = run.wall()
        log.info(
            "restored",
            partition=self.number,
            riders=self.store.riders,
            from_offset=restored.position,
            to_offset=restored.source_end,
        )
        await self._source.read_from(self.number, restored.position)

    async def _claim(self) -> None:
        await self._must_be_ours()
        await self._producer.start()
        # Asked again: what was true before may have ended in between, and then the claim has fenced the
        # owner, who will claim it back.
        await self._must_be_ours()

    async def _must_be_ours(self) -> None:
        if not await self._source.still_ours(self.number):
            raise NotOwner(f"partition {self.number} belongs to another worker by now")

    def _progress(self, ratio: float) -> None:
        # Pages are the first half of a restore, the replay of the source the second.
        self.restore_ratio = 0.5 * ratio
        self.progress_s = self._run.wall()

    # -- work ----------------------------------------------------------------------------------

    async def on_chunk(
        self, raw: bytes, first: int, following: int, newest_ms: int, fetched_s: float | None = None
    ) -> None:
        """Judge a chunk: offsets ``first`` up to before ``following``; ``newest_ms`` is its latest arrival.

        ``fetched_s`` is when it was there, epoch seconds.

        Raises
        ------
        ProduceFailed, CorruptBatch
            The partition must be given up.
        """
        async with self._lock:
            if self.closed or self.position is None or following <= self.position:
                return
            if first > self.position:
                if self._seeking:
                    return
                message = f"partition {self.number}: chunk begins at {first}, expected {self.position}"
                raise ProduceFailed(message)
            self._seeking = False
            if self.store.live and self.lag_records == 0:
                # While catching up an old arrival says nothing of the clocks.
                self.clock_difference_s = newest_ms / 1000 - self._run.wall()
            self._written_so_far()
            if fetched_s is not None and self.store.live:
                # On the broker's clock and on ours, so it may be off by their difference.
                self._times.add("fetch", fetched_s - newest_ms / 1000)
                self._times.add("wait", self._run.wall() - fetched_s)
            decoded, codes, judged = await asyncio.to_thread(
                self._judge_chunk, raw, self.position, following, newest_ms
            )
            await self._dead_letters.put(decoded, codes)
            await self._tell(judged)
            self.position = following
            self._progress_of_replay()
            self._say()
            await self._go_on_writing()

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

    def _now(self, current_s: float | None) -> int:
        if self._run.settings.clock == "event":
            return self.store.read_s
        known_s = self.arrival_s if current_s is None else max(self.arrival_s, int(current_s))
        return min(known_s, int(self._run.wall()))

    def _progress_of_replay(self) -> None:
        self.progress_s = self._run.wall()
        restored = self._restored
        if restored is not None and self.position is not None:
            whole = max(1, restored.source_end - self._reading_from)
            self.restore_ratio = min(1.0, 0.5 + 0.5 * (self.position - self._reading_from) / whole)

    async def on_tick(self, end: LogEnd | None) -> None:
        """Let time pass: go live when the restore is done, judge what silence reaches, write what waits."""
        async with self._lock:
            if end is None or self.closed or self.position is None:
                return
            reached = end.position if self.position >= end.handed_on else self.position
            self.lag_records = max(0, end.end - reached)
            current_s = end.response_ms / 1000 if reached >= end.end else None
            if current_s is not None:
                self.progress_s = self._run.wall()
            self._hear(end.response_ms, caught_up=current_s is not None)
            restored = self._restored
            if restored is not None and reached >= restored.source_end:
                await self._go_live(restored, current_s)
            elif self.store.live and current_s is not None and self._run.settings.clock == "wall":
                self._publisher.latency.after_silence()
                await self._tell(await asyncio.to_thread(self._judge, self._now(current_s)))
            if self.store.live:
                await self._keep_house()
            self._say()
        # Beside the judging, which goes on.
        await self._settle()
        await self._checkpoint(self._lock)

    def _hear(self, response_ms: int, *, caught_up: bool) -> None:
        """The broker has answered; after a long silence that counts once what was missed has been judged."""
        wall_ms = int(self._run.wall() * 1000)
        if not self._silent_until_ms and wall_ms - self._heard_ms > SILENT_MS:
            self._silent_until_ms = wall_ms
        judged_ms = response_ms if caught_up else self.arrival_s * 1000
        if judged_ms >= self._silent_until_ms:
            self._silent_until_ms = 0
        if not self._silent_until_ms:
            self._heard_ms = response_ms

    def _say(self) -> None:
        """Tell those who read beside the stream how far this partition is."""
        if self.shared:
            if self._two_riders_new:
                self._two_riders_new = False
                self.shared.put_two_riders(np.array(self._two_riders, dtype=np.int64))
            self.shared.say(
                Progress(
                    self.store.now_s,
                    int(self._run.wall() * 1000),
                    self._heard_ms,
                    self.store.live,
                    self.store.riders,
                    self.lag_records,
                    self.counts["events", "read"],
                )
            )

    async def _go_live(self, restored: Restored, current_s: float | None) -> None:
        """The restore is done: tell what the outputs may lack, and take back what they hold too much."""
        store, told = self.store, restored.told
        if restored.resume is not None:
            store.now_s = max(store.now_s, restored.resume[1])
        for rider in sorted({*restored.erased, *told.riders, *told.orphans}):
            row = pages.find(store, rider.encode(), rider_hash(rider.encode()))
            if row is not None and store.has_evidence(row):
                if rider in told.riders:
                    pages.tell_again(store, row)
            elif rider in told.orphans or rider in restored.erased:
                self._publisher.forgotten(rider, restored.erased.get(rider))
        for platform in restored.new_outlets:
            pages.tell_platform_again(store, platform)
        now_s, wall_s = self._now(current_s), int(self._run.wall())
        self._publisher.latency.after_record(None)
        parts = store.publish(now_s, wall_s, everyone=restored.everyone)
        # The first part comes of a last judging in silence, the others are what is told then.
        self._held.add(await asyncio.to_thread(next, parts))
        again = () if restored.everyone else self._rows_of(told.riders)
        known = await asyncio.to_thread(AlreadyPublished, store, self._run.limits, again, told.ids)
        await self._put(self._held.take_all())
        while (outcomes := await asyncio.to_thread(next, parts, None)) is not None:
            await self._put(known.news(outcomes))
        self._restored, store.sealing = None, True
        self._takeover_riders.moved()
        self.restore_ratio = 1.0
        self.counts["restores", "done"] += 1
        log.info("live", partition=self.number, riders=store.riders, now=utc(max(0, store.now_s)))

    def _rows_of(self, riders: Iterable[str]) -> list[int]:
        names = (rider.encode() for rider in riders)
        rows = (pages.find(self.store, name, rider_hash(name)) for name in names)
        return [row for row in rows if row is not None]

    async def _keep_house(self) -> None:
        run, store = self._run, self.store
        sealed_s = store.now_s - run.settings.lateness - FINALITY_SLACK_S
        self._publisher.retract_vanished(store, run.limits, sealed_s)
        wall_s = run.wall()
        if store.now_s > 0 and is_due(wall_s, self._forget_due_s, _FORGET_EVERY_S):
            self._forget_due_s = wall_s + _FORGET_EVERY_S
            erased_ms = max(0, store.now_s - run.source_kept_s) * 1000
            for one in await asyncio.to_thread(pages.forget_silent, store, erased_ms):
                self._publisher.forgotten(one.rider, one.platforms)
            self._takeover_riders.moved()
            for one in await asyncio.to_thread(pages.forget_silent_platforms, store):
                self._publisher.forgotten_by(one.rider, one.platforms)
        self._publisher.watermark(store.now_s, run.limits.policies)

    async def forget(self, rider: str, before_ms: int) -> None:
        """Erase a rider because an operator says so; his events that arrived before do not come back."""
        async with self._lock:
            row, platforms = erase(self.store, rider, before_ms)
            self._takeover_riders.moved()
            if self.closed or row is None:
                return
            # What is held back of him is not told any more.
            self._held.forget(row)
            alerts = self._publisher.published.alerts
            for identity in [key for key, one in alerts.items() if one.rider == rider]:
                del alerts[identity]
            if self._restored is not None:
                self._restored.erased[rider] = platforms
            else:
                self._publisher.forgotten(rider, platforms)
            log.info("forgotten", partition=self.number)

    # -- output --------------------------------------------------------------------------------

    async def _tell(self, judged: Judged) -> None:
        if isinstance(judged, Encoded):
            with self._times.timed("tell"):
                self._publisher.encoded(self.store, judged)
            aside = judged.columns.aside
            await self._put(read_outcomes(aside, len(aside)))
            return
        self._held.add(judged)
        if self._held.final >= _OUTCOMES_AT_ONCE:
            await self._put(self._held.take_final())

    async def _put(self, outcomes: Sequence[Outcome]) -> None:
        """Put into the producer, which never holds much more than is put at once."""
        for begin in range(0, len(outcomes), _OUTCOMES_AT_ONCE):
            with self._times.timed("tell"):
                self._publisher.outcomes(self.store, outcomes[begin : begin + _OUTCOMES_AT_ONCE])
            if self._producer.pending >= _OUTCOMES_AT_ONCE:
                await self._write()

    async def _go_on_writing(self) -> None:
        """Write what waits at once, without waiting for it unless too much does."""
        now_s = time.monotonic()
        if not self.store.live and now_s - self._flushed < FLUSH_EVERY_S:
            return
        self._flushed = now_s
        if self._writing is None or self._writing.done():
            self._written_so_far()
            self._writing = asyncio.ensure_future(self._write_all())
            self._writing.add_done_callback(_seen)
        if self._producer.pending_bytes > _MOST_WAITING_BYTES:
            await self._writing

    async def _write_all(self) -> None:
        await self._write()
        while self._producer.pending and not self.closed:
            await self._write()

    def _written_so_far(self) -> None:
        """Raise what writing beside the judging has failed with: what was judged since then is void."""
        if self._writing is not None and self._writing.done():
            self._writing.result()

    async def _settle(self) -> None:
        """Write all that waits by now."""
        if self._writing is not None:
            # Not awaited itself: whoever closes the partition may cancel it, and that is not for us.
            await asyncio.wait([self._writing])
            if self.closed:
                return
            self._written_so_far()
        await self._write()

    async def _write(self) -> None:
        waiting = self._publisher.latency.taken()
        await self._producer.flush()
        self._publisher.latency.committed(waiting, self._run.wall())

    async def _checkpoint(self, held: Held, *, now: bool = False) -> None:
        """Write a step of the checkpoint; ``held`` keeps others from judging while it is taken."""
        checkpointer = self._checkpointer
        if checkpointer is None or self._standing() is None:
            return
        async with held:
            standing = self._standing()
            if standing is not None:
                checkpointer.begin_if_due(standing, self._run.wall(), now=now)
        safe = await checkpointer.step(self._standing, held, self._run.wall())
        if safe is not None:
            await self._source.commit(self.number, safe)

    def _standing(self) -> CheckpointPosition | None:
        """Where the partition stands; None while there is nothing to say, or no longer."""
        if self.closed or not self.store.live or self.position is None:
            return None
        return CheckpointPosition(self.position, self.arrival_s, self._publisher.published.waits_from)

    async def drain(self) -> None:
        """Before an orderly end: write all that waits, and everything that the next owner need not redo."""
        async with self._lock:
            if self.closed or not self.store.live or self._checkpointer is None:
                return
            await self._settle()
            # The round under way began before all this; the one after it holds everything. Nobody judges.
            held = contextlib.nullcontext()
            await self._finish_round(self._checkpointer, held)
            await self._checkpoint(held, now=True)
            await self._finish_round(self._checkpointer, held)

    async def _finish_round(self, checkpointer: Checkpointer, held: Held) -> None:
        while checkpointer.under_way and not self.closed:
            await self._checkpoint(held)

    async def close(self) -> None:
        """Stop; what was not committed is left to the successor."""
        self.closed = True
        if self.shared:
            self.shared.close()
        async with self._lock:
            if self._writing is not None:
                await asyncio.wait([self._writing], timeout=_CLOSING_S)
                self._writing.cancel()
            await self._producer.close()


def _seen(writing: asyncio.Future[None]) -> None:
    """Look at how it ended; whoever works with the partition next raises it."""
    if not writing.cancelled():
        writing.exception()
