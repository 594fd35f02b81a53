"""Time tells a platform nothing: what is foreign is answered as what does not exist.

Thousands of pairs, asked in turn, ranked: the attack that found a competitor's rider and second in 2.5 s.
"""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stream.api.queries.alert_log import AlertLog
from stream.api.queries.query_service import QueryService
from tests.stream.api.timing import SURE, median_difference_s, paired_s, told_apart, trimmed
from tests.stream.api.world import World

#: They compare microseconds, which other tests beside them blur.
pytestmark = pytest.mark.alone

PAIRS = 2000
OTHER, NEVER = "r-other", "r-never"
#: A round of one rider many times over makes a difference of nanoseconds one of milliseconds.
AT_ONCE = 2000
_REST_OF_ROUNDS = 10


class Asker:
    """Platform A's application, asked without a network: what noise is left is the answer's own."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.world.work("r-own", 4.5, "A")
        for number in range(300):
            self.world.work(f"r-other{number}", 4.2, "B")
        self.world.work(OTHER, 4.2, "B")
        self.world.judge()
        self.service: QueryService = self.world.service()
        self.world.told(self.service)
        self.app = self.world.client(self.service).app
        self.become(self.world.key("platform", "A"))
        self.loop = asyncio.new_event_loop()
        told = [one for one in self.world.alerts if one["rider_id"] == OTHER]
        self.foreign = next(one["alert_id"] for one in told if one["kind"] == "limit_reached")

    def become(self, key: dict[str, str]) -> None:
        """Ask with another key from here on."""
        self.headers = [(b"host", b"x"), (b"authorization", key["Authorization"].encode())]

    def asks(self, path: str, body: bytes = b"", query: bytes = b"") -> Callable[[], tuple[int, Any, bytes]]:
        """A question, and what it answers: status, headers, body."""
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1",
            "method": "POST" if body else "GET",
            "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query, "root_path": "",
            "headers": [*self.headers, (b"content-length", str(len(body)).encode())],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
        }  # fmt: skip

        def ask() -> tuple[int, Any, bytes]:
            sent: list[dict[str, Any]] = []

            async def receive() -> dict[str, Any]:
                return {"type": "http.request", "body": body, "more_body": False}

            async def send(message: Any) -> None:
                sent.append(message)

            running = self.app({**scope}, receive, send)
            return self._until_done(running, sent)

        return ask

    def _until_done(self, running: Any, sent: list[dict[str, Any]]) -> tuple[int, Any, bytes]:
        self.loop.run_until_complete(running)
        return sent[0]["status"], sent[0]["headers"], b"".join(one.get("body", b"") for one in sent[1:])


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Any:
    made = Asker(tmp_path_factory.mktemp("timing"))
    gc.collect()
    gc.freeze()
    yield made
    made.loop.close()
    gc.unfreeze()


def same(foreign: Callable[[], Any], absent: Callable[[], Any], pairs: int = PAIRS) -> None:
    """Fail when the two can be told apart in anything."""
    assert foreign()[:2] == absent()[:2]
    taken = paired_s(foreign, absent, pairs)
    p = told_apart(taken)
    assert p > SURE, (p, median_difference_s(trimmed(taken)))


def test_a_foreign_alert_takes_as_long_as_one_that_does_not_exist(asker: Asker) -> None:
    path = "/v1/alerts/{}/explanation"
    foreign, absent = asker.asks(path.format(asker.foreign)), asker.asks(path.format("0" * 32))
    assert foreign() == absent()
    same(foreign, absent)


@pytest.mark.parametrize("path", ["/v1/riders/{}", "/v1/riders/{}/alerts", "/v1/riders/{}/eligibility"])
def test_a_foreign_rider_takes_as_long_as_one_that_does_not_exist(asker: Asker, path: str) -> None:
    foreign, absent = asker.asks(path.format(OTHER)), asker.asks(path.format(NEVER))
    assert foreign()[2].replace(OTHER.encode(), NEVER.encode()) == absent()[2]
    same(foreign, absent)


@pytest.mark.parametrize(
    "path", ["/v1/alerts/{}/explanation", "/v1/riders/{}", "/v1/riders/{}/alerts"], ids=str
)
def test_a_riders_key_is_answered_of_another_as_fast_as_of_nobody(asker: Asker, path: str) -> None:
    asker.become(asker.world.key("rider", rider="r-own"))
    pair = (asker.foreign, "0" * 32) if "alerts/{}" in path and "riders" not in path else (OTHER, NEVER)
    foreign, absent = (asker.asks(path.format(one)) for one in pair)
    same(foreign, absent)


def test_a_round_of_one_rider_many_times_over_tells_nothing_either(asker: Asker) -> None:
    def body(rider: str) -> bytes:
        return json.dumps({"candidates": [{"rider_id": rider, "minutes": 25}] * AT_ONCE}).encode()

    foreign, absent = (asker.asks("/v1/eligibility", body(rider)) for rider in (OTHER, NEVER))
    same(foreign, absent, PAIRS // _REST_OF_ROUNDS)


def test_the_test_tells_apart_what_decodes_first(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it was: the alert is decoded before it is asked whose it is."""
    ask = AlertLog.alert

    def decoding(self: AlertLog, platform: str | None, identity: str) -> Any:
        found = ask(self, None, identity)
        if found is not None:
            found[0].document()
        return ask(self, platform, identity)

    monkeypatch.setattr(AlertLog, "alert", decoding)
    path = "/v1/alerts/{}/explanation"
    foreign, absent = asker.asks(path.format(asker.foreign)), asker.asks(path.format("0" * 32))
    # More pairs than above: a busy machine must not hide what the others look for.
    assert told_apart(paired_s(foreign, absent, 4 * PAIRS)) < SURE
