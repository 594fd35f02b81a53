"""Bytes in the topics of the reduced job, with nothing but the standard library: peers have their own."""

from __future__ import annotations

import json
from datetime import datetime

from benchmarks.peers.reduced import Alert, Event


def event_of(value: bytes) -> Event | None:
    """What the job looks at of a message; None for a type that it does not look at."""
    found = json.loads(value)
    if "order_id" not in found:
        return None
    at_s = int(datetime.fromisoformat(found["event_time"]).timestamp())
    return Event(found["rider_id"], at_s, found["type"], f"{found['platform']}/{found['order_id']}")


def encoded(alert: Alert) -> bytes:
    """An alert as a message."""
    rider, limit, at_s = alert
    return json.dumps({"rider_id": rider, "limit": limit, "at_s": at_s}).encode()


def alert_of(value: bytes) -> Alert:
    """The alert of a message."""
    found = json.loads(value)
    return found["rider_id"], found["limit"], int(found["at_s"])
