"""What the topics told lately: alerts as a log and as a live stream, watermarks, dead letters by reason."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import structlog

from schemas.platform_view import alert_view, concerns
from stream.api.queries.alert_log import AlertLog, Owners
from stream.api.queries.event_ids import EventIds
from stream.api.queries.read_alert import Listener, ReadAlert
from stream.kafka.log_reader import Arrived, TopicsAbsent, follow
from stream.settings import Settings

log = structlog.get_logger()
Document = dict[str, Any]
#: Alerts that a client may be behind before it is dropped.
QUEUE = 1000
#: How far back an API that has just started reads.
SINCE_S = 86_400
_AGAIN_S = 2.0
#: How often the same trouble is said.
_SAID_AGAIN_S = 600.0
_RATE_S = 60
#: Alerts for one client each that are handed on in one turn.
_OFFERS = 1000
_LET_GO = 250
_json = msgspec.json.Encoder()


class Offered(msgspec.Struct):
    """An alert for one client, as it may see it.

    ``position`` is where the client is in the topic with it. Where it is not ``sure`` that the alert is the
    client's, that could not be said.
    """

    read: ReadAlert
    alert: Document
    sure: bool
    position: tuple[int, ...]
    _written: tuple[str, bytes] | None = None

    def written(self, ids: EventIds) -> tuple[str, bytes]:
        """Its id and the event that it is; made once for all who follow."""
        if self._written is None:
            last = ids.write(self.position)
            data = _json.encode(self.alert)
            self._written = last, f"id: {last}\nevent: alert\ndata: ".encode() + data + b"\n\n"
        return self._written


class Subscriber:
    """One client of the live stream; a slow one is dropped and comes again with the id it saw last."""

    def __init__(self, platform: str | None) -> None:
        self.platform = platform
        self.queue: asyncio.Queue[Offered] = asyncio.Queue(QUEUE)
        self.dropped = False

    def offer(self, offered: Offered) -> None:
        """Hand on an alert that the client may see."""
        if self.dropped:
            return
        try:
            self.queue.put_nowait(offered)
        except asyncio.QueueFull:
            self.dropped = True


class RecentAlerts:
    """Follows the topics; memory is bounded by `MOST_ALERTS`.

    Parameters
    ----------
    owners
        Whose own riders are.
    listener
        Is told of every alert read; None: nobody.
    """

    def __init__(
        self,
        settings: Settings,
        owners: Owners,
        wall: Callable[[], float] = time.time,
        listener: Listener | None = None,
    ) -> None:
        self._settings = settings
        self._wall = wall
        self._owners = owners
        self._listener = listener
        self.log = AlertLog(owners, listener=listener)
        #: Whether everything that was in the topics when they were opened has been read.
        self.has_caught_up = False
        self._arrivals: deque[float] = deque(maxlen=100_000)
        self.by_kind: Counter[str] = Counter()
        self.breaches: Counter[str] = Counter()
        self.dead_letters: Counter[str] = Counter()
        self.watermarks: dict[int, Document] = {}
        self.partitions: int | None = None
        self._subscribers: defaultdict[str | None, set[Subscriber]] = defaultdict(set)
        self.connected = False
        #: Why the topics cannot be followed, None while they are; and whether it is that there are none.
        self.trouble: str | None = None
        self.topics_absent = False
        self._said_s = 0.0

    async def run(self) -> None:
        """Follow until cancelled; a broker that is away is tried again."""
        while True:
            try:
                async with follow(self._settings, int((self._wall() - SINCE_S) * 1000)) as (starts, read):
                    self.partitions, self.connected = len(starts), True
                    self.trouble, self.topics_absent = None, False
                    await self._begin_anew(starts)
                    while True:
                        some = await read(500)
                        self.has_caught_up = self.has_caught_up or not some
                        await self._take_in_turns(some)
            except OSError as error:
                self._say(error)
            finally:
                self.connected = False
            await asyncio.sleep(_AGAIN_S)

    def _say(self, error: OSError) -> None:
        """Say why the topics cannot be followed: once, and again from time to time while that lasts."""
        now_s = self._wall()
        absent = isinstance(error, TopicsAbsent)
        # While topics are being made fewer are missing each time.
        same = str(error) == self.trouble or (absent and self.topics_absent)
        if not same or now_s - self._said_s >= _SAID_AGAIN_S:
            self._said_s = now_s
            log.warning("topics cannot be followed", error=str(error))
        self.trouble = str(error)
        self.topics_absent = absent

    async def _take_in_turns(self, some: Sequence[Arrived]) -> None:
        """Take records, fewer at a time the more follow; between two lots questions have their turn."""
        each = max(1, _OFFERS // (1 + self.subscribers))
        for first in range(0, max(1, len(some)), each):
            self.take(some[first : first + each])
            # Where there is more already, reading does not wait; questions come first.
            await asyncio.sleep(0)

    async def _begin_anew(self, starts: Mapping[int, int]) -> None:
        """What is followed anew is read from further back: nothing must count twice."""
        former, self.log = self.log, AlertLog(self._owners, listener=self._listener)
        self.has_caught_up = False
        for partition, offset in starts.items():
            self.log.begin(partition, offset)
        for counter in (self.by_kind, self.breaches, self.dead_letters):
            counter.clear()
        # To let go of all at once would keep the event loop for a tenth of a second.
        left = True
        while left:
            left = former.let_go(_LET_GO)
            await asyncio.sleep(0)

    def take(self, some: Sequence[Arrived]) -> None:
        """Take records of the topics."""
        alerts = []
        for one in some:
            document = self._document(one)
            if document is None:
                continue
            if one.topic == self._settings.watermark_topic:
                self.watermarks[document["partition"]] = {**document, "told_s": one.timestamp_ms / 1000}
            elif one.topic == self._settings.alerts_topic and one.value is not None:
                alerts.append((document, one.value, one.timestamp_ms / 1000, one.partition, one.offset))
        self.log.settle()
        self.take_alerts(alerts)

    def _document(self, one: Arrived) -> Document | None:
        if one.topic == self._settings.dead_letter_topic:
            reason = dict(one.headers).get("reason", b"unknown").decode("ascii", errors="replace")
            self.dead_letters[reason] += 1
            return None
        if one.value is None:
            return None
        try:
            found: Document = msgspec.json.decode(one.value)
        except msgspec.DecodeError as error:
            log.warning("no JSON in a topic of ours", topic=one.topic, error=str(error))
            return None
        return found

    def take_alerts(self, some: Sequence[tuple[Document, bytes, float, int, int]]) -> None:
        """Take alerts: each, the same in JSON, when it was told, its partition and its offset there."""
        read = []
        position = self.log.position.copy()
        for alert, packed, told_s, partition, offset in some:
            self.by_kind[alert["kind"]] += 1
            if alert["kind"] == "hold_breached":
                self.breaches[alert["platform"] or "-"] += 1
            self._arrivals.append(told_s)
            read.append(self.log.read(alert, packed, partition, offset, told_s))
        sure = self.log.take(read)
        if not self._subscribers:
            return
        position.extend([-1] * (len(self.log.position) - len(position)))
        for (alert, *_), one, known in zip(some, read, sure, strict=True):
            position[one.partition] = one.offset
            self._offer(alert, one, known, tuple(position))

    def _offer(self, alert: Document, one: ReadAlert, sure: bool, position: tuple[int, ...]) -> None:
        everyone = Offered(one, alert, sure=True, position=position)
        for subscriber in self._subscribers.get(None, ()):
            subscriber.offer(everyone)
        cut: Offered | None = None
        for platform in one.shown if sure else list(self._subscribers):
            if platform is not None and concerns(platform, alert):
                for subscriber in self._subscribers.get(platform, ()):
                    cut = cut or Offered(one, alert_view(alert), sure=sure, position=position)
                    subscriber.offer(cut)

    def subscribe(self, platform: str | None) -> Subscriber:
        """A subscriber to what is told from now on: everything, or what is the platform's."""
        subscriber = Subscriber(platform)
        self._subscribers[platform].add(subscriber)
        return subscriber

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Let a subscriber go."""
        self._subscribers[subscriber.platform].discard(subscriber)
        if not self._subscribers[subscriber.platform]:
            del self._subscribers[subscriber.platform]

    @property
    def subscribers(self) -> int:
        """How many there are."""
        return sum(map(len, self._subscribers.values()))

    @property
    def per_minute(self) -> float:
        """Alerts told in the last minute."""
        since_s = self._wall() - _RATE_S
        while self._arrivals and self._arrivals[0] < since_s:
            self._arrivals.popleft()
        return float(len(self._arrivals))
