"""Riders over time from a Prometheus: read, and done without when it cannot be asked."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from structlog.testing import capture_logs

from stream.api.history.tables import (
    HOUR_S,
    SAMPLE_S,
)
from stream.api.queries.prometheus import PrometheusSamples, read_samples
from tests.stream.api.world import World

T = 1_800_000_000 // HOUR_S * HOUR_S


class Asked(BaseHTTPRequestHandler):
    body = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def prometheus() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Asked)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def series(**statuses: list[tuple[int, str]]) -> bytes:
    found = [{"metric": {"status": name}, "values": values} for name, values in statuses.items()]
    return json.dumps({"data": {"result": found}}).encode()


async def asked_once(base: str) -> Any:
    asked = PrometheusSamples(base)
    try:
        return await asked.samples(T)
    finally:
        await asked.close()


def test_riders_over_time_come_from_prometheus_where_there_is_one(prometheus: str) -> None:
    Asked.body = series(
        clear=[(T, "5"), (T + SAMPLE_S, "6"), (T + 3 * SAMPLE_S, "7")],
        approaching=[(T, "1"), (T + SAMPLE_S, "1"), (T + 3 * SAMPLE_S, "1")],
        hold=[(T, "2"), (T + 3 * SAMPLE_S, "3")],
    )
    found = asyncio.run(asked_once(prometheus))
    assert [(one.at_s, one.clear, one.hold, one.is_gap) for one in found] == [
        (T, 5, 2, True), (T + 3 * SAMPLE_S, 7, 3, True),
    ]  # fmt: skip


@pytest.mark.parametrize("body", [b"", b"[]", b'{"data": {}}', b'{"data": {"result": [{"metric": {}}]}}'])
def test_a_prometheus_that_answers_nonsense_or_not_at_all_is_said_and_done_without(
    prometheus: str, body: bytes
) -> None:
    Asked.body = body
    with capture_logs() as logged:
        assert asyncio.run(asked_once(prometheus)) is None
        assert asyncio.run(asked_once("http://127.0.0.1:9")) is None
    assert [line["event"] for line in logged] == ["Prometheus is not asked"] * 2


def test_of_a_recorded_day_prometheus_is_not_asked(world: World) -> None:
    named = world.settings.model_copy(update={"prometheus": "http://p"})
    assert PrometheusSamples.of(named) is not None
    assert PrometheusSamples.of(named.model_copy(update={"clock": "event"})) is None
    assert PrometheusSamples.of(world.settings) is None
    assert read_samples({"data": {"result": []}}) == []
