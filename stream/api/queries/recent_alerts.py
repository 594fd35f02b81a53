"""What the topics told lately: alerts by id and as a live stream, watermarks, dead letters by reason."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from datetime import datetime
from itertools import takewhile
from typing import Any

import msgspec
import structlog

from stream.kafka.log_reader import Arrived, follow
from stream.settings import Settings

log = structlog.get_logger()
Document = dict[str, Any]
#: An alert of the live stream, in JSON, under its id there.
PublishedAlert = tuple[str, bytes]
#: The same for one client, and whether it is certainly the client's; otherwise that could not be said.
Offered = tuple[str, Document, bool]
MOST_ALERTS = 200_000
#: Alerts that a client may be behind before it is dropped.
QUEUE = 1000
#: How far back an API that has just started reads.
SINCE_S = 86_400
_AGAIN_S = 2.0
_RATE_S = 60


class Subscriber:
    """One client of the live stream; a slow one is dropped and comes again with the id it saw last.

    Parameters
    ----------
    wanted
        An alert as the client may see it, and whether it is certainly the client's; None when it is not.
    """

    def __init__(self, wanted: Callable[[Document], tuple[Document, bool] | None]) -> None:
        self._wanted = wanted
        self.queue: asyncio.Queue[Offered] = asyncio.Queue(QUEUE)
        self.dropped = False

    def offer(self, event: str, alert: Document) -> None:
        """Hand on an alert that the client may see."""
        seen = self._wanted(alert)
        if seen is None or self.dropped:
            return
        try:
            self.queue.put_nowait((event, *seen))
        except asyncio.QueueFull:
            self.dropped = True


class RecentAlerts:
    """Follows the topics; memory is bounded by `MOST_ALERTS`."""

    def __init__(self, settings: Settings, wall: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._wall = wall
        #: In JSON: hundreds of thousands of documents would make each full garbage collection take a tenth
        #: of a second.
        self._alerts: OrderedDict[str, bytes] = OrderedDict()
        self._of_rider: dict[str, dict[str, None]] = {}
        self._retracted: OrderedDict[str, None] = OrderedDict()
        self._log: deque[PublishedAlert] = deque(maxlen=MOST_ALERTS)
        self._arrivals: deque[float] = deque(maxlen=100_000)
        self.by_kind: Counter[str] = Counter()
        self.breaches: Counter[str] = Counter()
        self.dead_letters: Counter[str] = Counter()
        self.watermarks: dict[int, Document] = {}
        self.partitions: int | None = None
        self.subscribers: set[Subscriber] = set()
        self.connected = False

    async def run(self) -> None:
        """Follow until cancelled; a broker that is away is tried again."""
        while True:
            try:
                async with follow(self._settings, int((self._wall() - SINCE_S) * 1000)) as (count, read):
                    self.partitions, self.connected = count, True
                    while True:
                        for one in await read(500):
                            self.take(one)
                        # Where there is more already, reading does not wait; questions come first.
                        await asyncio.sleep(0)
            except OSError as error:
                log.warning("topics cannot be followed", error=str(error))
            finally:
                self.connected = False
            await asyncio.sleep(_AGAIN_S)

    def take(self, one: Arrived) -> None:
        """Take one record of one of the topics."""
        settings = self._settings
        if one.topic == settings.dead_letter_topic:
            reason = dict(one.headers).get("reason", b"unknown").decode("ascii", errors="replace")
            self.dead_letters[reason] += 1
            return
        if one.value is None:
            return
        try:
            document = msgspec.json.decode(one.value)
        except msgspec.DecodeError as error:
            log.warning("no JSON in a topic of ours", topic=one.topic, error=str(error))
            return
        if one.topic == settings.watermark_topic:
            self.watermarks[document["partition"]] = {**document, "told_s": one.timestamp_ms / 1000}
        elif one.topic == settings.alerts_topic:
            self.take_alert(document, one.value, one.timestamp_ms / 1000)

    def take_alert(self, alert: Document, packed: bytes, told_s: float) -> None:
        """Take one alert, told at ``told_s``; ``packed`` is the same in JSON."""
        self.by_kind[alert["kind"]] += 1
        if alert["kind"] == "hold_breached":
            self.breaches[alert["platform"] or "-"] += 1
        self._arrivals.append(told_s)
        identity = alert["supersedes"] or alert["alert_id"]
        if alert["kind"] == "retracted":
            self._retracted[identity] = None
            if len(self._retracted) > MOST_ALERTS:
                self._retracted.popitem(last=False)
        else:
            self._retracted.pop(identity, None)
            self._alerts[identity] = packed
            self._alerts.move_to_end(identity)
            self._of_rider.setdefault(alert["rider_id"], {})[identity] = None
            if len(self._alerts) > MOST_ALERTS:
                self._forget()
        # Not a number: gaps would tell a platform how much others are told.
        event = secrets.token_hex(8)
        self._log.append((event, packed))
        for subscriber in self.subscribers:
            subscriber.offer(event, alert)

    def _forget(self) -> None:
        """Let go of the alert that was told longest ago."""
        identity, packed = self._alerts.popitem(last=False)
        rider = msgspec.json.decode(packed)["rider_id"]
        others = self._of_rider[rider]
        del others[identity]
        if not others:
            del self._of_rider[rider]

    def of_rider(self, rider: str) -> list[tuple[Document, bool]]:
        """The recent alerts of a rider by their instants, each with whether it has been retracted."""
        mine = [
            (msgspec.json.decode(self._alerts[identity]), identity in self._retracted)
            for identity in self._of_rider.get(rider, ())
        ]
        return sorted(mine, key=lambda pair: datetime.fromisoformat(pair[0]["event_time"]))

    def alert(self, identity: str) -> tuple[Document, bool] | None:
        """The alert of an id, and whether it has been retracted; None when it is not among the recent."""
        packed = self._alerts.get(identity)
        return None if packed is None else (msgspec.json.decode(packed), identity in self._retracted)

    def subscribe(self, wanted: Callable[[Document], tuple[Document, bool] | None]) -> Subscriber:
        """A subscriber to what is told from now on."""
        subscriber = Subscriber(wanted)
        self.subscribers.add(subscriber)
        return subscriber

    def since(self, event: str) -> list[PublishedAlert]:
        """What was told after an event, as far as it is still here; of an unknown event, all that is."""
        found = list(takewhile(lambda told: told[0] != event, reversed(self._log)))
        found.reverse()
        return found

    @property
    def per_minute(self) -> float:
        """Alerts told in the last minute."""
        since_s = self._wall() - _RATE_S
        while self._arrivals and self._arrivals[0] < since_s:
            self._arrivals.popleft()
        return float(len(self._arrivals))
