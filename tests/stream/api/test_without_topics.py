"""An API whose topics do not exist says so, once and with the remedy, and follows them once they do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from stream.api.queries import recent_alerts
from stream.api.queries.query_service import QueryService
from stream.api.queries.recent_alerts import RecentAlerts
from stream.kafka.log_reader import follow
from stream.kafka.topics import provisioning
from stream.settings import Settings
from tests.stream.api.world import World


async def until(holds: Callable[[], bool], what: str, within_s: float = 30.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline_s, what
        await asyncio.sleep(0.05)


@pytest.mark.kafka
def test_topics_that_do_not_exist_are_said_once_and_followed_when_they_do(
    broker: Any, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent_alerts, "_AGAIN_S", 0.1)
    settings = Settings(broker=broker.bootstrap, prefix=prefix)
    service = QueryService(settings)
    tried = 0

    def counted(*arguments: Any) -> Any:
        nonlocal tried
        tried += 1
        return follow(*arguments)

    monkeypatch.setattr(recent_alerts, "follow", counted)

    async def run() -> None:
        following = asyncio.ensure_future(service.recent.run())
        await until(lambda: tried >= 4, "it tries again")
        assert service.ready() is not None
        told = service.ready() or ""
        assert f"{prefix}courier.fatigue-alerts" in told
        assert f"`respite topics --broker {broker.bootstrap} --prefix {prefix}`" in told
        await asyncio.to_thread(provisioning.ensure_topics, settings, 2)
        await until(lambda: service.recent.connected, "they are followed")
        assert service.recent.trouble is None
        assert service.ready() == "no partition of this machine is fresh, and no peers are named"
        following.cancel()
        await asyncio.wait([following])

    with capture_logs() as logs:
        asyncio.run(run())
    said = [one for one in logs if one["event"] == "topics cannot be followed"]
    assert len(said) == 1, said
    assert "no such topics" in said[0]["error"]


def test_the_same_trouble_is_said_again_from_time_to_time_and_another_at_once(world: World) -> None:
    now_s = 1000.0
    recent = RecentAlerts(world.settings, lambda riders: [None] * len(riders), lambda: now_s)
    with capture_logs() as logs:
        for _ in range(3):
            recent._say(ConnectionError("away"))
        assert len(logs) == 1
        recent._say(ConnectionError("refused"))
        assert len(logs) == 2
        now_s += 601
        recent._say(ConnectionError("refused"))
        recent._say(ConnectionError("refused"))
    assert [one["error"] for one in logs] == ["away", "refused", "refused"]
