"""One partition: chunks of the source in, alerts, statuses, dead letters and the watermark out."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import numpy as np
import structlog

from detectors.kernels.ingest import Place
from detectors.kernels.layout import (
    FINALITY_SLACK_S,
    FLOOD,
    FUTURE,
    MISPLACED,
    MISPLACED_TWICE,
    REFUSED_BEFORE,
    REPEATED,
    SEALED,
    TOO_LATE,
)
from detectors.limits import LimitTable
from detectors.store import RiderStore
from detectors.verdicts import Outcome, Status, Verdict
from schemas.decode import ARRIVAL_HEADER, HOP_HEADER, NOT_AN_EVENT, Decoded, decode_chunk, read_headers
from schemas.policy import Policy
from schemas.work_state import LARGEST_BYTES
from stream.arrivals import arrivals_of
from stream.lane import LogEnd
from stream.outbox import Outbox, OutboxFailed, read_tail, source_end
from stream.render import Document, Renderer, retraction_id, utc
from stream.settings import Settings
from stream.shared import About, SharedArrays, digest_of, layout_digest_once, shared_folder

log = structlog.get_logger()
_json = msgspec.json.Encoder()
WATERMARK_EVERY_S = 5.0
FLUSH_EVERY_S = 0.1
#: Final events that are sealed together. With the event clock a partition that is read ahead of another may
#: still be forwarded far older events, so it keeps longer what it could seal.
SEAL_EVENTS = {"wall": 16, "event": 512}
_REFUSALS = {
    FUTURE: ("future", "event time is more than 5 minutes after arrival"),
    TOO_LATE: ("too_late", "event time is more than the allowed lateness before arrival"),
    FLOOD: ("flood", "more than 4096 distinct events of this rider are not final yet"),
    MISPLACED_TWICE: ("misplaced", "forwarded once already, and still not in the rider's partition"),
    SEALED: ("too_late", "what it would change is final already"),
}


@dataclass(frozen=True, slots=True)
class Run:
    """What all partitions of a worker share."""

    settings: Settings
    policies: Sequence[Policy]
    limits: LimitTable
    renderer: Renderer
    partitions: int
    worker: str
    wall: Callable[[], float] = time.time


def shared_partition(run: Run, number: int) -> SharedArrays | None:
    """Where a partition's riders lie for readers beside the stream; None when they are not shared."""
    settings = run.settings
    folder = shared_folder(settings.shared_dir, settings.group, settings.prefix)
    if folder is None:
        return None
    about = About(
        folder="",
        layout=layout_digest_once(),
        digest=digest_of(run.limits, settings.store(0)),
        policies=run.limits.policies,
        partitions=run.partitions,
        worker=run.worker,
        clock=settings.clock,
    )
    return SharedArrays(folder / f"p{number}", about)


class Partition:
    """The state and the work of one assigned partition. Calls are serialised by a lock."""

    def __init__(self, run: Run, number: int, outbox: Outbox) -> None:
        settings = run.settings
        self.number = number
        #: The claim under way; whoever works with the partition waits for it.
        self.starting: asyncio.Future[None] | None = None
        self.shared = shared_partition(run, number)
        self.store = RiderStore(
            run.limits,
            settings.store(SEAL_EVENTS[settings.clock]),
            live=False,
            place=self.shared.place if self.shared else None,
        )
        self.counts: Counter[tuple[str, str]] = Counter()
        self.seconds: Counter[str] = Counter()
        self.arrival_s = 0
        self.position: int | None = None
        self.lag_records = 0
        #: The newest arrival minus this machine's clock; above zero the broker's clock is ahead.
        self.clock_difference_s = 0.0
        #: The partition was taken away; what is under way is not told, the successor will.
        self.closed = False
        self.progress_s = run.wall()
        self._run = run
        self._outbox = outbox
        self._lock = asyncio.Lock()
        self._place = Place(number, run.partitions, int(settings.clock == "event"), 1)
        self._claimed_end = 0
        self._side_from = 0
        self._held: list[Outcome] = []
        self._told_before: dict[str, Document] = {}
        self._told_at: dict[tuple[str, str, str, str], str] = {}
        self._watermark_due = 0.0
        self._flushed = 0.0

    @property
    def now_s(self) -> int | None:
        """*now* of this partition, epoch seconds; None while its state is being rebuilt."""
        return self.store.now_s if self.store.live else None

    async def start(self) -> None:
        """Claim the partition, then learn where its log ends and what had been told."""
        await self._outbox.start()
        settings = self._run.settings
        self._claimed_end, committed = await source_end(settings, self.number)
        self._side_from = committed or 0
        since_s = 0.0
        if settings.clock == "wall":
            since_s = self._run.wall() - settings.lateness - 2 * FINALITY_SLACK_S
        tail = await read_tail(settings, settings.alerts_topic, self.number, int(since_s * 1000))
        for _, _, value in tail:
            self._fold(value)
        log.info(
            "claimed", partition=self.number, source_end=self._claimed_end, told_before=len(self._told_before)
        )

    def _fold(self, value: bytes | None) -> None:
        """Fold one message of the alert topic into what counts as told before."""
        if value is None:
            return
        alert: Document = msgspec.json.decode(value)
        if alert["kind"] == "retracted":
            self._told_before.pop(alert["supersedes"], None)
            return
        self._told_before[alert["alert_id"]] = alert
        hold = alert["hold"]
        if hold and hold["told_at"]:
            key = (alert["rider_id"], alert["policy"], alert["limit"], hold["from"])
            self._told_at.setdefault(key, hold["told_at"])

    # -- work ----------------------------------------------------------------------------------

    async def on_chunk(self, raw: bytes, first: int, following: int, newest_ms: int) -> None:
        """Judge a chunk: offsets ``first`` up to before ``following``; ``newest_ms`` is its latest arrival.

        Raises
        ------
        OutboxFailed, CorruptBatch
            The partition must be given up.
        """
        async with self._lock:
            if self.closed:
                return
            if self.position is not None and first != self.position:
                message = f"partition {self.number}: chunk begins at {first}, expected {self.position}"
                raise OutboxFailed(message)
            if self.store.live and self.lag_records == 0:
                # While catching up an old arrival says nothing of the clocks.
                self.clock_difference_s = newest_ms / 1000 - self._run.wall()
            decoded, codes, outcomes = await asyncio.to_thread(self._judge_chunk, raw, first, newest_ms)
            await self._put_refusals(decoded, codes)
            await self._put_outcomes(outcomes)
            self.position = following
            self.progress_s = self._run.wall()
            self._say()
            await self._flush()

    def _judge_chunk(
        self, raw: bytes, first: int, newest_ms: int
    ) -> tuple[Decoded, np.ndarray, list[Outcome]]:
        started = time.perf_counter()
        decoded = decode_chunk(raw, first)
        parsed = time.perf_counter()
        codes = self.store.ingest(arrivals_of(decoded), self._place)
        self.arrival_s = max(self.arrival_s, newest_ms // 1000)
        ingested = time.perf_counter()
        outcomes = self.store.judge(self._now(None), int(self._run.wall()))
        self.seconds["decode"] += parsed - started  # type: ignore[assignment]
        self.seconds["ingest"] += ingested - parsed  # type: ignore[assignment]
        self.seconds["judge"] += time.perf_counter() - ingested  # type: ignore[assignment]
        self.counts["events", "read"] += int((decoded.columns.status != NOT_AN_EVENT).sum())
        self.counts["events", "accepted"] += int((codes <= REPEATED).sum())
        return decoded, codes, outcomes

    def _now(self, current_s: float | None) -> int:
        if self._run.settings.clock == "event":
            return self.store.read_s
        known_s = self.arrival_s if current_s is None else max(self.arrival_s, int(current_s))
        return min(known_s, int(self._run.wall()))

    async def on_tick(self, end: LogEnd | None) -> None:
        """Let time pass: go live when the rebuild is done, judge what silence reaches, write what waits."""
        async with self._lock:
            if end is None or self.closed:
                return
            processed = self.position if self.position is not None else end.started
            reached = end.position if processed >= end.handed_on else processed
            self.lag_records = max(0, end.end - reached)
            current_s = end.response_ms / 1000 if reached >= end.end else None
            if current_s is not None:
                self.progress_s = self._run.wall()
            if not self.store.live and reached >= self._claimed_end:
                await self._go_live(current_s)
            elif self.store.live and current_s is not None and self._run.settings.clock == "wall":
                now_s, wall_s = self._now(current_s), int(self._run.wall())
                await self._put_outcomes(await asyncio.to_thread(self.store.judge, now_s, wall_s))
            if self.store.live:
                await self._retract_vanished()
                self._put_watermark()
            self._say()
            await self._flush(always=True)

    def _say(self) -> None:
        """Tell those who read beside the stream how far this partition is."""
        if self.shared:
            self.shared.say(
                self.store.now_s,
                int(self._run.wall() * 1000),
                live=self.store.live,
                riders=self.store.riders,
                lag_records=self.lag_records,
                read=self.counts["events", "read"],
            )

    async def _go_live(self, current_s: float | None) -> None:
        """The rebuild is done: tell what stands, once, and take back what does not."""
        now_s, wall_s = self._now(current_s), int(self._run.wall())
        outcomes = await asyncio.to_thread(self.store.publish, now_s, wall_s)
        held, self._held = self._held, []
        await self._put_outcomes([*held, *outcomes])
        log.info("live", partition=self.number, riders=self.store.riders, now=utc(max(0, now_s)))

    async def _retract_vanished(self) -> None:
        """Take back what an earlier owner told and the evidence does not bear out, once *now* is there."""
        if not self._told_before:
            return
        now_s = self.store.now_s
        sealed_s = now_s - self._run.settings.lateness - FINALITY_SLACK_S
        for identity, alert in list(self._told_before.items()):
            instant_s = int(datetime.fromisoformat(alert["event_time"]).timestamp())
            if instant_s > now_s:
                continue
            del self._told_before[identity]
            if instant_s > sealed_s and self._known_policy(alert):
                document = {
                    **alert,
                    "alert_id": retraction_id(identity),
                    "kind": "retracted",
                    "supersedes": identity,
                    "detected_at": utc(int(self._run.wall())),
                }
                self._put_alert(document)

    def _known_policy(self, alert: Document) -> bool:
        """Alerts of a policy that is no longer named stand as they are."""
        return alert["policy"] in self._run.limits.policies

    # -- output --------------------------------------------------------------------------------

    async def _put_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        if not self.store.live:
            # Only what became final while the state was rebuilt comes here; it is told with the rest.
            self._held.extend(outcomes)
            return
        detected = datetime.fromtimestamp(self._run.wall(), tz=UTC)
        for count, outcome in enumerate(outcomes):
            if isinstance(outcome, Status):
                self._put_status(outcome)
            else:
                self._put_alert(self._document(outcome, detected))
            if count % 2000 == 1999:
                await self._outbox.flush()

    def _document(self, verdict: Verdict, detected: datetime) -> Document:
        document = self._run.renderer.alert_of(self.store, verdict, self.store.now_s, detected)
        self._told_before.pop(document["supersedes"] or document["alert_id"], None)
        hold = document["hold"]
        if hold:
            key = (document["rider_id"], document["policy"], document["limit"], hold["from"])
            hold["told_at"] = self._told_at.get(key, hold["told_at"])
        return document

    def _put_alert(self, document: Document) -> None:
        self.counts["alerts", document["kind"]] += 1
        topic = self._run.settings.alerts_topic
        key = document["rider_id"].encode()
        self._outbox.put(topic, key, _json.encode(document), partition=self.number)

    def _put_status(self, status: Status) -> None:
        rider = self.store.rider_id(status.row)
        self.counts["statuses", status.status] += 1
        value = _json.encode(self._run.renderer.status(status, rider))
        self._outbox.put(self._run.settings.status_topic, rider.encode(), value, partition=self.number)

    def _put_watermark(self) -> None:
        wall_s = self._run.wall()
        if wall_s < self._watermark_due:
            return
        self._watermark_due = wall_s + WATERMARK_EVERY_S
        now_s = self.store.now_s
        lag_s = max(0, int(wall_s) - now_s) if self._run.settings.clock == "wall" else 0
        document = {
            "schema": "watermark/1",
            "partition": self.number,
            "now": utc(now_s) if now_s > 0 else None,
            "lag_s": lag_s,
            "worker": self._run.worker,
            "policies": list(self._run.limits.policies),
        }
        topic = self._run.settings.watermark_topic
        self._outbox.put(topic, str(self.number).encode(), _json.encode(document), partition=self.number)

    async def _put_refusals(self, decoded: Decoded, codes: np.ndarray) -> None:
        for reject in decoded.rejects:
            self._put_dead_letter(decoded, reject.index, reject.reason, reject.detail)
        # What was refused before was told above, or is no event.
        for index in np.flatnonzero(codes > REFUSED_BEFORE):
            code = int(codes[index])
            if code == MISPLACED:
                self._forward(decoded, int(index))
            else:
                self._put_dead_letter(decoded, int(index), *_REFUSALS[code])
            if self._outbox.pending >= 5000:
                await self._outbox.flush()

    def _put_dead_letter(self, decoded: Decoded, index: int, reason: str, detail: str) -> None:
        self.counts["dead_letters", reason] += 1
        columns = decoded.columns
        offset = int(columns.offset[index])
        if offset < self._side_from:
            return
        value = decoded.value(index)
        headers = self._headers_of(decoded, index)
        if value is not None and len(value) > LARGEST_BYTES:
            headers.append(("size", str(len(value)).encode()))
            value = value[:LARGEST_BYTES]
        headers += [
            ("reason", reason.encode()),
            ("detail", detail.encode()),
            ("topic", self._run.settings.source_topic.encode()),
            ("partition", str(self.number).encode()),
            ("offset", str(offset).encode()),
        ]
        self._outbox.put(self._run.settings.dead_letter_topic, decoded.key(index), value, headers)

    def _headers_of(self, decoded: Decoded, index: int) -> list[tuple[str, bytes]]:
        columns = decoded.columns
        found = read_headers(decoded.buf, int(columns.headers_off[index]), int(columns.headers_len[index]))
        return [(name, value if value is not None else b"") for name, value in found]

    def _forward(self, decoded: Decoded, index: int) -> None:
        """Send an event on to its rider's partition, once, with what its lateness is measured by."""
        self.counts["events", "forwarded"] += 1
        columns = decoded.columns
        if int(columns.offset[index]) < self._side_from:
            return
        # With the event clock, ingesting has put *now* at the moment of reading here.
        arrival_ms = int(columns.arrival_ms[index])
        headers = [
            pair for pair in self._headers_of(decoded, index) if pair[0] not in (HOP_HEADER, ARRIVAL_HEADER)
        ]
        headers += [(ARRIVAL_HEADER, str(arrival_ms).encode()), (HOP_HEADER, b"1")]
        home = int(columns.rider_murmur[index]) % self._run.partitions
        topic = self._run.settings.source_topic
        self._outbox.put(topic, decoded.rider(index), decoded.value(index), headers, partition=home)

    async def _flush(self, *, always: bool = False) -> None:
        wall_s = time.monotonic()
        if not always and wall_s - self._flushed < FLUSH_EVERY_S:
            return
        self._flushed = wall_s
        position = self.position
        await self._outbox.flush(position if position is not None and position > self._side_from else None)

    async def close(self) -> None:
        """Stop; what was not committed is left to the successor."""
        self.closed = True
        if self.shared:
            self.shared.close()
        async with self._lock:
            await self._outbox.close()
