"""A seeded history of a small city, sent to a source topic part by part, late and repeated as feeds do."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from kafka import KafkaProducer

from schemas.decode import murmur2
from schemas.instants import parse_instant
from stream.kafka.topics.provisioning import source_partitions
from stream.output.alert_json import utc
from stream.settings import Settings

DAY_S = parse_instant("2026-11-23T00:00:00+08:00")
_BAD = (b"", b"{bad", b"\xff", b'{"schema":"work-state/2"}')
_LATE_S = 5400


def working_day(rng: random.Random, rider: str) -> list[dict[str, Any]]:
    """Orders of several platforms with short rests between, sessions, breaks, missing ends, corrections.

    Longer than others, longer because its draws stand in the order in which a seed gives them.
    """
    found: list[dict[str, Any]] = []
    at = DAY_S + 7 * 3600 + rng.randrange(7200)
    end = at + rng.randrange(3, 11) * 3600

    def add(when: int, kind: str, platform: str, order: str | None = None, **more: Any) -> None:
        event = {
            "schema": "work-state/1", "event_id": f"{rider}-{len(found)}", "rider_id": rider,
            "platform": platform, "event_time": utc(when), "type": kind, **more,
        }  # fmt: skip
        if order is not None:
            event["order_id"] = order
        if rng.random() < 0.5:
            event["zone"] = rng.choice(["310101", "310105"])
        found.append(event)

    add(at, "online", "A")
    number = 0
    while at < end:
        number += 1
        platform = rng.choice("AABC")
        order = f"{rider}-o{number}"
        long_s = rng.randrange(600, 3600)
        add(at, "order_accepted", platform, order)
        if rng.random() < 0.1:
            add(at, "order_accepted", platform, order, void=True)
        if rng.random() < 0.8:
            add(at + long_s // 2, "order_picked_up", platform, order)
        if rng.random() < 0.93:
            add(
                at + long_s,
                rng.choice(["order_delivered", "order_delivered", "order_cancelled"]),
                platform,
                order,
            )
        if rng.random() < 0.1:
            add(at + long_s + 30, "break_started", "A")
        at += max(60, long_s + rng.randrange(-900, 1500))
        if rng.random() < 0.05:
            add(at, "heartbeat", "A", confirmed=True)
    add(at, "offline", "A")
    return found


class History:
    """Events of many riders in an order of arrival of their own, in so many parts."""

    def __init__(self, settings: Settings, seed: int, parts: int, riders: int = 60) -> None:
        self._settings = settings
        self._rng = random.Random(seed)
        self.partitions = source_partitions(settings)
        arriving: list[tuple[int, int, dict[str, Any]]] = []
        for number in range(riders):
            for event in working_day(self._rng, f"r{number}"):
                late_s = self._rng.choice((0, 0, 0, 5, self._rng.randrange(_LATE_S)))
                arriving.append((parse_instant(event["event_time"]) + late_s, len(arriving), event))
        arriving.sort()
        self.events = [event for _, _, event in arriving]
        self._size = -(-len(self.events) // parts)
        self._sent = 0

    def send_more(self) -> None:
        """Send the next part: some where they do not belong, some twice, and bad messages between them."""
        self._send(self.events[self._sent : self._sent + self._size])
        self._sent += self._size

    def send_rest(self) -> None:
        """Send what is left, and what brings every partition to the latest event time."""
        self._send(self.events[self._sent :])
        self._sent = len(self.events)
        newest = max(self.events, key=lambda event: parse_instant(event["event_time"]))
        for number in range(self.partitions):
            self._send([self._heartbeat(number, newest["event_time"])])

    def _heartbeat(self, number: int, event_time: str) -> dict[str, Any]:
        rider = next(
            name
            for name in (f"hb{n}" for n in range(1000))
            if murmur2(name.encode()) % self.partitions == number
        )
        event = {
            "schema": "work-state/1", "event_id": "hb", "rider_id": rider, "platform": "A",
            "event_time": event_time, "type": "heartbeat",
        }  # fmt: skip
        self.events.append(event)
        self._sent = len(self.events)
        return event

    def _send(self, events: list[dict[str, Any]]) -> None:
        producer = KafkaProducer(bootstrap_servers=self._settings.broker, linger_ms=5)
        topic = self._settings.source_topic
        for event in events:
            home = murmur2(event["rider_id"].encode()) % self.partitions
            place = self._rng.randrange(self.partitions) if self._rng.random() < 0.1 else home
            for _ in range(2 if self._rng.random() < 0.05 else 1):
                producer.send(topic, json.dumps(event).encode(), partition=place)
            if self._rng.random() < 0.02:
                producer.send(topic, self._rng.choice(_BAD), partition=place)
        producer.flush()
        producer.close()

    def write(self, folder: Path) -> Path:
        """All events as a file for a replay."""
        path = folder / "history.ndjson"
        path.write_text("".join(json.dumps(event) + "\n" for event in self.events), encoding="utf-8")
        return path
