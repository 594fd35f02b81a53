"""Riders whom another machine has: the API there is asked, once, and not for long."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import uvicorn

from stream.api.access.roles import Caller
from stream.api.app import new_app
from stream.api.event_stream import EventStream
from stream.api.queries.peers import Peers
from stream.api.queries.query_service import QueryService
from tests.stream.api.world import World

DEADLINE_S = 20.0


class Elsewhere(NamedTuple):
    """A machine that has the riders, where its API is, and what that API knows."""

    world: World
    base: str
    service: QueryService


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    """A machine with a worker's state and an API that listens."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    world = World(folder)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        service = world.service()
        config = uvicorn.Config(new_app(world.settings, service=service), log_level="error", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        deadline = time.monotonic() + DEADLINE_S
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        yield Elsewhere(world, f"http://127.0.0.1:{listening.getsockname()[1]}", service)
        server.should_exit = True
        thread.join()


def here(world: World, *peers: str, patient: bool = True) -> Any:
    """The API of a machine without workers, with the same keys; ``patient`` with a peer on a busy machine."""
    update = {"group": "nothing-here", "api_peers": ",".join(peers)}
    world.settings = world.settings.model_copy(update=update)
    service = world.service()
    if patient:
        service.peers = Peers(world.settings.peers, DEADLINE_S)
    # Every API follows all alerts.
    world.told(service)
    return world.client(service)


def test_the_api_that_has_a_rider_is_asked(elsewhere: Elsewhere) -> None:
    world, base, _ = elsewhere
    world.work("r1", 4.5)
    world.judge()
    headers = world.key("dispatcher", if_unknown="open")
    with here(world, base) as client:
        answer = client.get("/v1/riders/r1/eligibility", headers=headers).json()
        assert (answer["verdict"], answer["reason"], answer["if_unknown"]) == ("FAIL", "hold", "open")
        body = {"candidates": [{"rider_id": rider, "minutes": 25} for rider in ("r2", "r1")]}
        answers = client.post("/v1/eligibility", json=body, headers=headers).json()["answers"]
        assert [one["verdict"] for one in answers] == ["PASS", "FAIL"]
        assert client.get("/v1/riders/r1", headers=headers).json()["status"] == "hold"


def test_a_platform_sees_no_more_through_a_peer_than_there(elsewhere: Elsewhere) -> None:
    world, base, _ = elsewhere
    world.work("r1", 4.5, "B")
    world.judge()
    headers = world.key("platform", "A")
    with here(world, base) as client:
        assert client.get("/v1/riders/r1/eligibility", headers=headers).json()["known"] is False
        codes = {client.get(f"/v1/riders/{rider}", headers=headers).status_code for rider in ("r1", "nobody")}
        assert len(codes) == 1


def test_a_question_that_was_handed_on_is_not_handed_on_again(elsewhere: Elsewhere) -> None:
    world, base, _ = elsewhere
    headers = world.key("dispatcher")
    with here(world, base) as client:
        assert client.get("/v1/riders/r1/eligibility", headers=headers).json()["verdict"] == "PASS"
        headers |= {"X-Respite-Forwarded": "1"}
        assert client.get("/v1/riders/r1/eligibility", headers=headers).json()["verdict"] == "UNKNOWN"


def test_a_peer_that_is_silent_or_away_means_unknown_soon(world: World) -> None:
    headers = world.key("dispatcher")
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.create_server(("127.0.0.1", 0)) as closed:
        ports = silent.getsockname()[1], closed.getsockname()[1]
        closed.close()
        with here(world, *(f"http://127.0.0.1:{port}" for port in ports), patient=False) as client:
            began_s = time.monotonic()
            answer = client.get("/v1/riders/r1/eligibility", headers=headers).json()
            assert (answer["verdict"], answer["reason"]) == ("UNKNOWN", "unreachable")
            assert time.monotonic() - began_s < 5


def test_a_platform_gets_its_alerts_where_another_machine_has_its_riders(elsewhere: Elsewhere) -> None:
    world, base, there = elsewhere
    world.work("r-own", 4.5, "A")
    world.work("r-other", 4.5, "B")
    world.judge()
    world.told(there)
    first = {one["rider_id"]: one["alert_id"] for one in reversed(world.alerts)}
    own, other = first["r-own"], first["r-other"]
    headers = world.key("platform", "A")
    with here(world, base) as client:
        told = client.get("/v1/riders/r-own/alerts", headers=headers).json()["alerts"]
        assert own in {one["alert_id"] for one in told}
        assert client.get("/v1/riders/r-other/alerts", headers=headers).json() == {"alerts": []}
        answer = client.get(f"/v1/alerts/{own}/explanation?lang=en", headers=headers)
        assert (answer.status_code, answer.json()["counted"]) == (200, [])
        refused = [client.get(f"/v1/alerts/{one}/explanation", headers=headers) for one in (other, "0" * 32)]
        assert {(one.status_code, one.content) for one in refused} == {(404, refused[0].content)}


def test_a_platforms_live_stream_asks_the_machine_that_has_the_riders(elsewhere: Elsewhere) -> None:
    world, base, _ = elsewhere
    world.work("r-own", 4.5, "A")
    world.work("r-other", 4.5, "B")
    world.judge()
    headers = {name.lower(): value for name, value in world.key("platform", "A").items()}
    here(world, base)
    service = world.service()
    service.peers = Peers(world.settings.peers, DEADLINE_S)
    world.told(service)
    mine = [one["alert_id"] for one in world.alerts if one["rider_id"] == "r-own"]

    async def read() -> bytes:
        live = EventStream(service, Caller("k", "platform", "A", "closed", 1.0), headers)
        stream = live.events("0-0")
        found = [await anext(stream)]
        while b"".join(found).count(b"event: alert") < len(mine):
            found.append(await anext(stream))
        world.told(service)
        while b"".join(found).count(b"event: alert") < 2 * len(mine):
            found.append(await anext(stream))
        await stream.aclose()  # type: ignore[attr-defined]
        await service.peers.close()
        return b"".join(found)

    text = asyncio.run(read()).decode()
    assert [text.count(f'"alert_id":"{identity}"') for identity in mine] == [2] * len(mine)
    assert "r-other" not in text
