"""Dispatchers whose client was written from the OpenAPI document alone stop when they should."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from schemas.decode import murmur2
from stream.api.access.keys import KeyFile
from stream.settings import Settings
from tests.stream.api.stream_client import Decision, Reader
from tests.stream.api.test_with_worker import POLICY, SEEN_WITHIN_S, Api
from tests.stream.worker.processes import PARTITIONS, Workers, until, written

pytestmark = pytest.mark.kafka
ORDER = timedelta(minutes=1)
#: An order of a minute may be pushed for three seconds of work.
LIMIT_S = 63
TIRED_WITHIN_S = 60.0


@dataclass
class Platform:
    """Pushes orders of a minute as long as its client says that it may."""

    settings: Settings
    client: Reader
    pushed: dict[str, int] = field(default_factory=dict)

    def push_if_it_may(self, rider: str, *, done_at_once: bool = False) -> Decision:
        """Ask, and push an order if the answer allows it; he accepts it, and may have it done by then."""
        decision = self.client.may_push(rider, ORDER)
        if decision.push:
            number = self.pushed[rider] = self.pushed.get(rider, 0) + 1
            self._send(rider, number, ("order_accepted", "order_delivered")[: 1 + done_at_once])
        return decision

    def _send(self, rider: str, number: int, kinds: tuple[str, ...]) -> None:
        producer = KafkaProducer(bootstrap_servers=self.settings.broker)
        second = written(int(time.time()))
        for kind in kinds:
            event = {
                "schema": "work-state/1", "event_id": f"{rider}-{number}-{kind}", "rider_id": rider,
                "platform": "A", "event_time": second, "type": kind, "order_id": f"o{number}",
            }  # fmt: skip
            place = murmur2(rider.encode()) % PARTITIONS
            producer.send(self.settings.source_topic, json.dumps(event).encode(), partition=place)
        producer.close()


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "quick.toml"
    text = POLICY.replace('limit = "5s"', f'limit = "{LIMIT_S}s"').replace(
        'clock = "online"', 'clock = "order"'
    )
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """The file of keys, and a key of the platform by what it does when nothing can be said."""
    path = tmp_path / "keys.json"
    return path, {choice: KeyFile(path).add("platform", "A", choice) for choice in ("open", "closed")}


@pytest.fixture
def api(settings: Settings, policy: Path, keys: Any, tmp_path: Path) -> Iterator[Api]:
    made = Api(settings, policy, tmp_path, ("--keys", str(keys[0])))
    yield made
    made.stop()


def test_a_client_written_from_the_document_alone_stops_dispatching(
    settings: Settings, workers: Workers, api: Api, policy: Path, keys: Any
) -> None:
    until(lambda: api.port() and api.get("/healthz"), "the API answers", workers)
    address = f"http://127.0.0.1:{api.port()}"
    closed, opened = (Platform(settings, Reader(address, keys[1][one])) for one in ("closed", "open"))
    # No worker yet: nothing can be said, and each does what was chosen with its key.
    assert closed.push_if_it_may("early") == Decision(push=False, sure=False, not_before=None)
    assert opened.push_if_it_may("early") == Decision(push=True, sure=False, not_before=None)
    worker = workers.start(policy=str(policy))
    until(lambda: closed.client.may_push("tired", ORDER).sure, "the partition is live", workers)
    until(lambda: closed.client.may_push("other", ORDER).sure, "the other's too", workers)

    tired = Decision(push=True, sure=True, not_before=None)
    deadline_s = time.monotonic() + TIRED_WITHIN_S
    while tired.push:
        tired = closed.push_if_it_may("tired")
        assert closed.push_if_it_may("other", done_at_once=True).push
        assert time.monotonic() < deadline_s, "orders were pushed for ever"
        time.sleep(0.1)
    assert tired.sure
    assert tired.not_before is not None
    assert tired.not_before > datetime.now(UTC) + timedelta(minutes=50)
    pushed = closed.pushed["tired"]
    assert pushed >= 1
    # Said of the rider, it holds whatever was chosen for the unknown; and the other goes on.
    assert not opened.push_if_it_may("tired").push
    assert not closed.push_if_it_may("tired").push
    assert closed.push_if_it_may("other", done_at_once=True).push
    assert closed.pushed == {"tired": pushed, "other": closed.pushed["other"]}

    worker.kill()
    killed_s = time.monotonic()
    while closed.push_if_it_may("other", done_at_once=True).push:
        assert time.monotonic() - killed_s < SEEN_WITHIN_S, "orders were pushed on the word of a dead worker"
        time.sleep(0.1)
    assert opened.push_if_it_may("other", done_at_once=True) == Decision(
        push=True, sure=False, not_before=None
    )
    # No answer at all is no better than one that cannot say it.
    api.kill()
    assert closed.push_if_it_may("other") == Decision(push=False, sure=False, not_before=None)
    assert opened.push_if_it_may("other", done_at_once=True).push
