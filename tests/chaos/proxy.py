"""A TCP proxy before the broker that delays, cuts and swallows what passes; in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator

_PIECE = 1 << 16


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Proxy:
    """Hands on both ways, until told otherwise."""

    def __init__(self) -> None:
        self.port = free_port()
        self.delay_s = 0.0
        #: Of what clients send alone: a broker that takes slowly what it gives fast.
        self.upload_delay_s = 0.0
        self._target = ""
        self._swallowing = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @contextlib.contextmanager
    def running(self, target: str) -> Iterator[Proxy]:
        """Listen, and hand on to HOST:PORT."""
        self._target = target
        self._thread.start()
        server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, "127.0.0.1", self.port), self._loop
        ).result(10)
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(server.close)
            self.reset()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
            self._loop.close()

    def reset(self) -> None:
        """Cut every connection with a reset."""
        self._loop.call_soon_threadsafe(self._reset)

    def _reset(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    @contextlib.contextmanager
    def partitioned(self) -> Iterator[None]:
        """Swallow everything, both ways: connections stay open and nothing comes."""
        self._swallowing = True
        try:
            yield
        finally:
            # What was swallowed is missing in the middle of the streams, so they cannot go on.
            self.reset()
            self._swallowing = False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self._target.split(":")
        try:
            there_reader, there_writer = await asyncio.open_connection(host, int(port))
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, there_writer}
        try:
            await asyncio.gather(
                self._hand_on(reader, there_writer, upload=True),
                self._hand_on(there_reader, writer, upload=False),
            )
        finally:
            for one in (writer, there_writer):
                one.transport.abort()
                self._writers.discard(one)

    async def _hand_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, upload: bool
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(_PIECE):
                if delay_s := self.delay_s + upload * self.upload_delay_s:
                    await asyncio.sleep(delay_s)
                if not self._swallowing:
                    writer.write(piece)
                    await writer.drain()
        writer.transport.abort()
