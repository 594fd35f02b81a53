"""HEAD is answered as GET, without a body."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.stream.api.guarded_server import Served, served
from tests.stream.api.world import World

ROUTES = (
    "/v1/riders/r-own/eligibility?minutes=25",
    "/v1/riders/r-own",
    "/v1/riders/r-own/alerts",
    "/v1/policies",
    "/v1/overview",
    "/openapi.json",
    "/healthz",
    "/readyz",
    "/metrics",
    "/",
    "/v1/alerts/00000000000000000000000000000000/explanation",
    "/v1/nothing",
)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("who", ["dispatcher", "nobody"])
def test_head_is_answered_as_get_without_a_body(world: World, route: str, who: str) -> None:
    world.work("r-own", 4.5)
    world.judge()
    client = world.client()
    headers = world.key("dispatcher") if who == "dispatcher" else {}
    got, head = client.get(route, headers=headers), client.head(route, headers=headers)
    assert head.status_code == got.status_code
    assert head.content == b""
    same = ("content-type", "www-authenticate", "x-content-type-options", "cache-control")
    assert {name: head.headers.get(name) for name in same} == {name: got.headers.get(name) for name in same}
    if route not in ("/metrics", "/v1/overview"):
        assert head.headers["content-length"] == got.headers["content-length"]


def answers(api: Served, sent: bytes, until: bytes) -> bytes:
    """What comes over a connection until something is seen."""
    with socket.create_connection(("127.0.0.1", api.port), timeout=10) as one:
        one.sendall(sent)
        found = b""
        while until not in found:
            more = one.recv(65536)
            assert more, found
            found += more
        return found


def test_over_a_socket_nothing_follows_the_head_and_an_endless_stream_ends(tmp_path: Path) -> None:
    with served(tmp_path) as api:
        key = api.keys["dispatcher"]["Authorization"]
        ask = "HEAD {} HTTP/1.1\r\nHost: x\r\nAuthorization: " + key + "\r\n\r\n"
        # The next answer on the connection comes right behind the empty line.
        told = answers(
            api,
            (ask.format("/v1/policies") + ask.format("/v1/alerts/stream") + ask.format("/healthz")).encode(),
            b"content-length: 15\r\n",
        )
        heads = told.split(b"\r\n\r\n")
        assert [one.split(b"\r\n")[0] for one in heads if one.startswith(b"HTTP/1.1")] == [
            b"HTTP/1.1 200 OK"
        ] * 3
        assert all(one.startswith(b"HTTP/1.1 200") for one in heads if one)
        assert b"text/event-stream" in heads[1]
