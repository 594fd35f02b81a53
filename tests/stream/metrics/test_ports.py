"""Several workers on one machine: a taken port gives way to the next."""

from __future__ import annotations

import socket

import pytest

from stream.metrics.ports import NotServed, on_free_port


def listening(port: int) -> socket.socket:
    server = socket.socket()
    try:
        server.bind(("127.0.0.1", port))
        server.listen()
    except OSError:
        server.close()
        raise
    return server


def test_a_taken_port_gives_way_to_the_next_that_is_free() -> None:
    with listening(0) as first:
        port = first.getsockname()[1]
        with on_free_port("127.0.0.1", port, listening) as second:
            assert port < second.getsockname()[1] < port + 20


def test_a_free_port_is_taken_as_asked() -> None:
    assert on_free_port("127.0.0.1", 9464, lambda port: port) == 9464
    assert on_free_port("127.0.0.1", 0, lambda port: port) == 0


def test_the_api_says_its_own_options() -> None:
    def taken(_: int) -> None:
        with listening(0) as held:
            listening(held.getsockname()[1])

    with pytest.raises(
        NotServed, match=r"API cannot be served: ports 8080 to 8099 .*--api-port \(RESPITE_API_PORT"
    ):
        on_free_port("127.0.0.1", 8080, taken, "api")


def test_what_cannot_be_served_names_the_place_and_the_options() -> None:
    def taken(_: int) -> None:
        with listening(0) as held:
            listening(held.getsockname()[1])

    with pytest.raises(NotServed, match=r"ports 9464 to 9483 of 127.0.0.1 are taken.*--metrics-port"):
        on_free_port("127.0.0.1", 9464, taken)

    def nowhere(port: int) -> None:
        socket.socket().bind(("192.0.2.1", port))

    with pytest.raises(NotServed, match=r"metrics cannot be served at 192.0.2.1:9464: .*--metrics-host"):
        on_free_port("192.0.2.1", 9464, nowhere)
