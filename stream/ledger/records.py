"""Records of Kafka as lines of the record of holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import msgspec
import structlog

from schemas.hold_ledger import Line, recorded, utc_ms

log = structlog.get_logger()
#: Orders of an operator that are recorded. Those to forget name a rider who wants to be named no more.
ORDERS = frozenset({"review/1", "lift-hold/1"})


class Record(Protocol):
    """A record of Kafka."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


def entries(records: Iterable[Record]) -> Iterator[Line]:
    """Alerts as lines; those of kinds that are not recorded are left out."""
    for record in records:
        alert = _object(record)
        if alert is None:
            continue
        try:
            kept = recorded(alert)
        except KeyError as error:
            log.warning("no alert, passed over", place=_place(record), missing=str(error))
            continue
        if kept is not None:
            yield {"line": "entry", **_at(record), "alert": kept}


def orders(records: Iterable[Record]) -> Iterator[Line]:
    """Reviews and what they lifted as lines."""
    for record in records:
        order = _object(record)
        if order is not None and order.get("schema") in ORDERS and record.key is not None:
            rider = record.key.decode(errors="replace")
            yield {"line": "order", **_at(record), "rider_id": rider, "order": order}


def _at(record: Record) -> Line:
    return {
        "topic": record.topic, "partition": record.partition, "offset": record.offset,
        "written_at": utc_ms(record.timestamp),
    }  # fmt: skip


def _object(record: Record) -> dict[str, Any] | None:
    if record.value is None:
        return None
    try:
        found = msgspec.json.decode(record.value)
    except msgspec.DecodeError:
        found = None
    if not isinstance(found, dict):
        log.warning("no JSON object, passed over", place=_place(record))
        return None
    return found


def _place(record: Record) -> str:
    return f"{record.topic}/{record.partition} offset {record.offset}"
