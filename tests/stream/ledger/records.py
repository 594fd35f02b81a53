"""Alerts as Kafka hands them on, and small ledgers made of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.platform_view import alert_view
from stream.kafka.offset_reader import Place, Read
from stream.ledger.disk import Disk
from stream.ledger.keys import LedgerKeyFile, SigningKey
from stream.ledger.ledger import Ledger
from stream.settings import Settings, load_settings

ALERTS = "courier.fatigue-alerts"
#: 2026-11-23 08:00 in UTC.
BEGAN_S = 1_795_420_800


@dataclass
class Told:
    """A record of a topic of alerts."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


def alert(identity: str, kind: str = "limit_reached", rider: str = "r1", **fields: Any) -> dict[str, Any]:
    """An alert; what is not said is that of a first hold of four hours."""
    hold = {
        "from": "2026-11-23T16:00:00+08:00", "until": "2026-11-23T16:20:00+08:00", "release": "rest",
        "told_at": "2026-11-23T16:00:01+08:00",
    }  # fmt: skip
    return {
        "schema": "fatigue-alert/1", "alert_id": identity, "kind": kind, "rider_id": rider,
        "policy": "cn-gbt-2025@1", "limit": "continuous-4h", "clock": "order",
        "event_time": "2026-11-23T16:00:00+08:00", "counted_s": 14400, "limit_s": 14400,
        "window": {"start": "2026-11-23T12:00:00+08:00", "end": "2026-11-23T16:00:00+08:00"},
        "hold": hold, "provisional": True, "estimated": False, "platform": None, "zone": "310105",
        "source": "GB/T", "evidence": [], "message": {"zh": "休息", "en": "rest"}, "supersedes": None,
        "detected_at": "2026-11-23T16:00:01+08:00", **fields,
    }  # fmt: skip


def told(
    alerts: Iterable[Mapping[str, Any]], topic: str = ALERTS, partition: int = 0, first: int = 0
) -> list[Told]:
    """Records of alerts, with every other offset: transactions take offsets too."""
    return [
        Told(topic, partition, first + 2 * n, BEGAN_S * 1000 + n, b"r1", json.dumps(one).encode())
        for n, one in enumerate(alerts)
    ]


def read(*lists: list[Told]) -> Read:
    """What a reader hands on."""
    found = Read()
    for records in lists:
        place: Place = (records[0].topic, records[0].partition)
        found.records[place] = records
        found.positions[place] = records[-1].offset + 1
    return found


def seen_by(platform: str, alerts: Iterable[Mapping[str, Any]], first: int = 0) -> list[Told]:
    """What a platform's own topic holds of them."""
    return told([alert_view(one) for one in alerts], f"{ALERTS}.{platform}", 0, first)


def settings(*outlets: str) -> Settings:
    return load_settings(outlets=outlets)


def signing(folder: Path) -> list[SigningKey]:
    """A new key, in a file."""
    file = LedgerKeyFile(folder / "keys.json")
    if not (folder / "keys.json").exists():
        file.add()
    return file.signing()


def small_ledger(
    folder: Path, *outlets: str, disk: Disk | None = None, segment_bytes: int = 1 << 20
) -> Ledger:
    """An open ledger in a folder, with a key beside it."""
    return Ledger(
        folder / "ledger", settings(*outlets), signing(folder), disk=disk, segment_bytes=segment_bytes
    )


def batches(riders: int) -> list[list[dict[str, Any]]]:
    """For each rider a hold, a warning, a breach and the end of the hold, in two batches."""
    made = []
    for n in range(riders):
        rider = f"r{n}"
        begun = alert(f"{n}-a", rider=rider)
        warned = alert(f"{n}-w", "approaching", rider=rider, hold=None)
        broken = alert(f"{n}-b", "hold_breached", rider=rider, platform="alpha")
        ended = alert(f"{n}-c", "hold_released", rider=rider)
        made += [[begun, warned], [broken, ended]]
    return made


def fill(ledger: Ledger, riders: int = 2) -> None:
    """Write `batches`, everybody's and platform alpha's."""
    places: dict[Place, int] = {(topic, 0): 0 for topic in ledger.topics}
    ledger.begin(places, [], BEGAN_S * 1000)
    for count, batch in enumerate(batches(riders)):
        both = [told(batch, first=count * 10)]
        if f"{ALERTS}.alpha" in ledger.topics:
            both.append(seen_by("alpha", batch, first=count * 10))
        ledger.take(read(*both), BEGAN_S * 1000 + count)
