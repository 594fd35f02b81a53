"""A city's events, sent as they happen."""

from __future__ import annotations

import contextlib
import json
import random
import threading
import time
from collections.abc import Iterator
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError

from schemas.decode import murmur2
from stream.output.alert_json import utc
from stream.settings import Settings

PARTITIONS = 4


_BAD = (b"", b"{bad", b'{"schema":"work-state/2"}')


class Feed(threading.Thread):
    """Events of riders at the time they happen, with the faults of feeds; stops when told."""

    def __init__(self, settings: Settings, seed: int, riders: int = 150, rate: float = 80.0) -> None:
        super().__init__(daemon=True)
        self._settings = settings
        self._rng = random.Random(seed)
        self._riders = [f"r{n}" for n in range(riders)]
        self._open: dict[str, str] = {}
        self._rate = rate
        self._count = 0
        self._over = threading.Event()

    def run(self) -> None:
        producer = KafkaProducer(
            bootstrap_servers=self._settings.broker, linger_ms=5, delivery_timeout_ms=120_000
        )
        while not self._over.wait(self._rng.expovariate(self._rate)):
            for value, place in self._messages():
                with contextlib.suppress(KafkaError):
                    producer.send(self._settings.source_topic, value, partition=place)
        producer.close(timeout=30)

    def stop(self) -> None:
        self._over.set()
        self.join(60)

    def _messages(self) -> Iterator[tuple[bytes, int]]:
        rng = self._rng
        rider = rng.choice(self._riders)
        late_s = rng.choice((0, 0, 0, 1, 2, rng.randrange(60)))
        event = self._event(rider, int(time.time()) - late_s)
        home = murmur2(rider.encode()) % PARTITIONS
        place = rng.randrange(PARTITIONS) if rng.random() < 0.1 else home
        value = json.dumps(event).encode()
        yield value, place
        if rng.random() < 0.05:
            yield value, home
        if rng.random() < 0.02:
            yield json.dumps({**event, "event_id": f"v{self._count}", "void": True}).encode(), home
        if rng.random() < 0.01:
            yield rng.choice(_BAD), place

    def _event(self, rider: str, at_s: int) -> dict[str, Any]:
        self._count += 1
        rng = self._rng
        event = {
            "schema": "work-state/1", "event_id": f"e{self._count}", "rider_id": rider,
            "platform": rng.choice("AB"), "event_time": utc(at_s), "zone": rng.choice(["310101", "310105"]),
        }  # fmt: skip
        if rng.random() < 0.2:
            kind = rng.choice(["online", "online", "offline", "break_started", "break_ended", "heartbeat"])
            return {**event, "type": kind}
        order = self._open.pop(rider, None)
        if order is None or rng.random() < 0.3:
            self._open[rider] = order = f"o{self._count}"
            return {**event, "type": "order_accepted", "order_id": order}
        if rng.random() < 0.3:
            self._open[rider] = order
            return {**event, "type": "order_picked_up", "order_id": order}
        return {**event, "type": "order_delivered", "order_id": order}
