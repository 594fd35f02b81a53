"""What lies in the future or came too late: from which millisecond on, and by how much, in words."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from detectors.kernels.evidence.arrivals import Place
from detectors.kernels.layout.codes import FUTURE, NEW, TOO_LATE
from detectors.limits import Limit, LimitTable
from detectors.store import RiderStore
from schemas.decode import decode_chunk
from schemas.instants import parse_instant
from stream.columns import arrivals_of
from stream.kafka.transactional_producer import TransactionalProducer
from stream.output.alert_json import utc
from stream.output.dead_letters import DeadLetterWriter
from stream.policies.calendars import window_starts
from stream.settings import Settings

AT_S = parse_instant("2026-11-23T12:00:00+08:00")
MINUTES_5, DAY = 300_000, 86_400_000
TABLE = LimitTable([Limit("p@1", "l", "day", "order", 3600, "UTC", "hold", "window")], window_starts)


class Written:
    """A producer that keeps what it is given."""

    pending = pending_bytes = 0

    def __init__(self) -> None:
        self.headers: list[dict[str, str]] = []

    def put(self, _topic: str, _key: Any, _value: Any, headers: Any = (), **_: Any) -> None:
        self.headers.append({name: value.decode() for name, value in headers})


def read(
    event_s: int, arrival_ms: int, *, settings: Settings | None = None, hop: bool = False
) -> tuple[int, dict[str, str]]:
    """What becomes of an event that arrives at an instant, and what its dead letter says."""
    settings = settings or Settings()
    event = {
        "schema": "work-state/1", "event_id": "e", "rider_id": "r", "platform": "A",
        "event_time": utc(event_s), "type": "online",
    }  # fmt: skip
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 16)
    headers = [("respite-arrival", str(arrival_ms).encode()), ("respite-hop", b"1")] if hop else []
    builder.append(0, arrival_ms + (7 * DAY if hop else 0), b"r", json.dumps(event).encode(), headers)
    decoded = decode_chunk(bytes(builder.build()))
    store = RiderStore(TABLE, settings.store(16))
    codes = store.ingest(arrivals_of(decoded), Place(0, 1, int(settings.clock == "event"), 1))
    written = Written()
    letters = DeadLetterWriter(settings, cast("TransactionalProducer", written), 0, 1)
    asyncio.run(letters.put(decoded, codes))
    return int(codes[0]), written.headers[0] if written.headers else {}


@pytest.mark.parametrize("hop", [False, True])
@pytest.mark.parametrize(
    ("late_ms", "code", "by"),
    [
        (-MINUTES_5, NEW, None),
        (-MINUTES_5 - 1, FUTURE, "5min1s after arrival"),
        (-MINUTES_5 - 1000, FUTURE, "5min1s after arrival"),
        (-DAY, FUTURE, "1d after arrival"),
        (0, NEW, None),
        (DAY, NEW, None),
        (DAY + 1, TOO_LATE, "1d1s before arrival, 1d are allowed"),
        (DAY + 1000, TOO_LATE, "1d1s before arrival, 1d are allowed"),
        (9 * DAY, TOO_LATE, "9d before arrival"),
    ],
)
def test_exactly_as_much_as_is_allowed_is_accepted(
    late_ms: int, code: int, by: str | None, hop: bool
) -> None:
    found, headers = read(AT_S, AT_S * 1000 + late_ms, hop=hop)
    assert found == code
    assert (by is None) == (not headers)
    if by is not None:
        assert headers["reason"] == ("future" if code == FUTURE else "too_late")
        assert headers["detail"].startswith(f"event time {utc(AT_S)} is {by}"), headers["detail"]


@pytest.mark.parametrize(("lateness", "allowed_s"), [("1h", 3600), ("3d", 3 * 86_400)])
def test_the_lateness_that_is_set_is_the_amount(lateness: str, allowed_s: int) -> None:
    settings = Settings.model_validate({"lateness": lateness})
    assert read(AT_S, (AT_S + allowed_s) * 1000, settings=settings) == (NEW, {})
    code, headers = read(AT_S, (AT_S + allowed_s) * 1000 + 1, settings=settings)
    assert code == TOO_LATE
    assert headers["detail"].endswith(f"{lateness} are allowed")


def test_on_the_events_clock_nothing_is_future_and_no_arrival_is_spoken_of() -> None:
    settings = Settings(clock="event")
    assert read(AT_S, AT_S * 1000 - DAY, settings=settings) == (NEW, {})
    # Its arrival elsewhere is what *now* was there.
    code, headers = read(AT_S, AT_S * 1000 + DAY + 1, settings=settings, hop=True)
    assert (code, headers["reason"]) == (TOO_LATE, "too_late")
