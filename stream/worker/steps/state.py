"""What a partition knows, and says of itself to those who read beside the stream."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field

import numpy as np

from detectors.kernels.evidence.arrivals import Place
from detectors.kernels.layout.values import PAST
from detectors.store import RiderStore
from stream.kafka.transactional_producer import TransactionalProducer
from stream.metrics.alert_latency import AlertLatency
from stream.metrics.evidence_quality import Evidence
from stream.metrics.stage_timer import StageTimes
from stream.output.dead_letters import DeadLetterWriter
from stream.output.encoding import OutcomeEncoder
from stream.output.publisher import Publisher
from stream.output.rebuild_buffer import RebuildBuffer
from stream.output.takeover_riders import TakeoverRiders
from stream.state.checkpoint import Checkpointer
from stream.state.restored import Restored
from stream.state.shm_writer import SILENT_MS, Progress, SharedArrays
from stream.worker.context import Source, WorkerContext

_MOST_TWO_RIDERS = 4096


@dataclass(slots=True)
class ConditionsTaken:
    """How far a partition has come with the topic of conditions of zones.

    ``announced`` and ``refused`` of what has been read of it are dealt with; before the offsets of
    ``refused_to`` dead letters stood already. ``gates_told``: what readers beside the stream have.
    """

    announced: int = 0
    refused: int = 0
    refused_to: dict[int, int] = field(default_factory=dict)
    gates_told: int = 0


class PartitionState:
    """The state of one assigned partition."""

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
        #: The second: one step of the checkpoint at a time; taken before the first.
        self._lock, self._checkpointing = asyncio.Lock(), asyncio.Lock()
        self._place = Place(number, run.partitions, int(run.settings.clock == "event"), 1)
        self._restored: Restored | None = None
        self._checkpointer: Checkpointer | None = None
        self._held = RebuildBuffer()
        #: The source is being read from another place than before; older chunks may still come.
        self._seeking = True
        #: Orders that two riders have had at once, the last ones found, for readers beside the stream.
        self._two_riders: deque[list[int]] = deque(maxlen=_MOST_TWO_RIDERS)
        self._two_riders_new = False
        self._conditions = ConditionsTaken()
        self._flushed, self._forget_due_s, self._reading_from = 0.0, 0.0, 0
        #: Where nothing is known of a former owner: nothing before this instant is told.
        self._named_s = PAST

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

    def _now(self, current_s: float | None) -> int:
        if self._run.settings.clock == "event":
            return self.store.read_s
        known_s = self.arrival_s if current_s is None else max(self.arrival_s, int(current_s))
        return min(known_s, int(self._run.wall()))

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
            if self._conditions.gates_told != self.store.gates_turn:
                self._conditions.gates_told = self.store.gates_turn
                self.shared.put_gates(self.store.gates())
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
