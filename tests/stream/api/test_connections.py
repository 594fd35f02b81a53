"""Without a key: endless headers, idle sockets, half bodies. Whoever has one is answered all the while."""

from __future__ import annotations

import contextlib
import multiprocessing
import select
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stream.api.access.connections import Connections, Limits
from tests.stream.api.guarded_server import QUICK, Dispatcher, Served, many_files, served

QUESTIONS = 600
#: A machine that also runs the attacker: at most this many times as long, and some ms of the machine's own.
_TIMES, _OWN_S = 2.0, 0.015
IDLE = 2050
MEMORY_MIB = 64
ENDS_WITHIN_S = 8.0


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    many_files()
    with served(tmp_path_factory.mktemp("api")) as found:
        yield found


def attack(port: int, head: bytes, more: bytes, attackers: int, stopping: Any) -> None:
    """Send a head and then more of it without end, again and again, at a bounded pace, some at once."""

    def one() -> None:
        while not stopping.is_set():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as connection:
                connection.settimeout(1)
                connection.sendall(head)
                for _ in range(200):
                    if stopping.wait(0.005):
                        break
                    connection.sendall(more)

    threads = [threading.Thread(target=one) for _ in range(attackers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def while_attacked(api: Served, head: bytes, more: bytes, attackers: int = 4) -> None:
    """Ask as a dispatcher before and while some attack; health answers, memory is there again."""
    context = multiprocessing.get_context("spawn")
    dispatcher, stopping = Dispatcher(api), context.Event()
    # The attackers are a process of their own: threads beside the asker would keep it waiting themselves.
    attacker = context.Process(target=attack, args=(api.port, head, more, attackers, stopping))
    dispatcher.p99_s(QUESTIONS // 2)
    before_s, before_mib = dispatcher.p99_s(QUESTIONS), api.rss_mib()
    attacker.start()
    try:
        attacked_s = dispatcher.p99_s(QUESTIONS)
        assert api.get("/healthz")[0] == 200
        assert api.get("/v1/policies", api.keys["A"])[0] == 200
        during_mib = api.rss_mib()
    finally:
        stopping.set()
        attacker.join(20)
        dispatcher.close()
    assert attacked_s <= _TIMES * before_s + _OWN_S, (before_s, attacked_s)
    assert during_mib - before_mib < MEMORY_MIB, (before_mib, during_mib)


def until_closed(one: socket.socket, within_s: float = ENDS_WITHIN_S) -> bytes:
    """What comes until the other side closes."""
    deadline_s, got = time.monotonic() + within_s, b""
    # Not `select`: a process that has run many tests may number its sockets above 1,023.
    ready = select.poll()
    ready.register(one, select.POLLIN)
    while time.monotonic() < deadline_s:
        if ready.poll(200):
            try:
                found = one.recv(65536)
            except ConnectionError:
                return got
            if not found:
                return got
            got += found
    pytest.fail(f"still open after {within_s} s")


@pytest.mark.parametrize(
    ("head", "more"),
    [
        (b"GET /healthz HTTP/1.1\r\n", b"x: " + b"y" * 4000 + b"\r\n"),
        (b"GET /healthz HTTP/1.1\r\nx: ", b"y" * 4000),
        (b"GET /healthz", b"y" * 4000),
        (
            b"POST /v1/eligibility HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n",
            b"x: " + b"y" * 4000 + b"\r\n",
        ),
        (b"", b"\r\n" * 500),
    ],
    ids=["headers", "one header", "path", "trailers", "nothing"],
)
def test_what_never_ends_is_ended_and_keeps_nobody_waiting(api: Served, head: bytes, more: bytes) -> None:
    with api.connect() as one:
        one.sendall(head)
        with contextlib.suppress(OSError):
            for _ in range(400):
                one.sendall(more)
        until_closed(one)
    while_attacked(api, head, more)


def test_a_head_that_is_too_large_is_told_so(api: Served) -> None:
    with api.connect() as one:
        one.sendall(b"GET /healthz HTTP/1.1\r\nx: " + b"y" * (QUICK.head_bytes + 1))
        assert until_closed(one).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "sent", [b"", b"GET /healthz HTTP/1.1\r\n", b"\r\n"], ids=["nothing", "half a head", "a line"]
)
def test_who_says_nothing_is_let_go(api: Served, sent: bytes) -> None:
    with api.connect() as one:
        one.sendall(sent)
        until_closed(one)


def test_half_a_body_is_let_go_whoever_sends_it(api: Served) -> None:
    for headers in ({}, api.keys["dispatcher"]):
        with api.connect() as one:
            said = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            one.sendall(
                f"POST /v1/eligibility HTTP/1.1\r\nhost: x\r\n{said}content-length: 100\r\n\r\n{{".encode()
            )
            until_closed(one)


def test_thousands_of_idle_sockets_keep_nobody_out(api: Served) -> None:
    dispatcher = Dispatcher(api)
    dispatcher.p99_s(50)
    before = api.files()
    idle: list[socket.socket] = []
    try:
        for number in range(IDLE):
            idle.append(api.connect())
            if number % 200 == 0:
                assert api.get("/healthz")[0] == 200
                dispatcher.p99_s(2)
        assert api.files() - before <= QUICK.per_address + 50
        assert api.get("/healthz")[0] == 200
        assert api.get("/v1/policies", api.keys["A"])[0] == 200
        # Who has shown a key stays, however many come.
        dispatcher.p99_s(50)
    finally:
        for one in idle:
            one.close()
        dispatcher.close()
    deadline_s = time.monotonic() + ENDS_WITHIN_S
    while api.files() > before + 10:
        assert time.monotonic() < deadline_s, "connections are not given back"
        time.sleep(0.1)


def test_many_behind_one_proxy_are_not_one_address(tmp_path: Path) -> None:
    del tmp_path
    connections = Connections(Limits(per_address=2), ["10.0.0.0/8"])
    assert connections._is_proxy("10.1.2.3")
    assert not connections._is_proxy("127.0.0.1")
    assert not connections._is_proxy("")
