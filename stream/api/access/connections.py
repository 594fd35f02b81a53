"""The server's protocol, guarded: who has shown no key may hold little, and not for long.

The one module that reaches into uvicorn: it goes by the callbacks of `HttpToolsProtocol`, and contract tests
say when these have changed. A connection is a *stranger* until a request on it has shown a valid key.
Strangers give way, the oldest first: to new ones from their own address, and to anybody when there are too
many in all. So whoever comes with a key, or asks whether the API is alive, always finds room.
"""

from __future__ import annotations

import asyncio
import ipaddress
import resource
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Under which a request's scope has what its access check calls with the key that was valid.
TRUST = "respite.trust"
_SWEEP_S = 0.5
#: Left for Kafka, mapped files and the console's.
_OTHER_FILES = 256


class Limits(NamedTuple):
    """What connections may take; seconds and bytes."""

    head_bytes: int = 16_384
    head_s: float = 10.0
    body_s: float = 20.0
    #: Of one message of a stranger's beside its head: answers to it do not wait for more.
    stranger_bytes: int = 262_144
    #: Of one message beside its head: the largest body, sent in small chunks.
    message_bytes: int = 40 * 1024 * 1024
    most: int = 4096
    strangers: int = 1024
    per_address: int = 128
    per_key: int = 1024


class Connections:
    """All connections of one server.

    Parameters
    ----------
    proxies
        Addresses or networks behind which many share an address; only the limits on all hold for these.
    """

    def __init__(self, limits: Limits | None = None, proxies: Sequence[str] = ()) -> None:
        self.limits = limits or Limits()
        self._proxies = [ipaddress.ip_network(one, strict=False) for one in proxies]
        self._most = min(self.limits.most, _files() - _OTHER_FILES)
        self.all: set[GuardedProtocol] = set()
        self._strangers: OrderedDict[GuardedProtocol, None] = OrderedDict()
        self._of_address: defaultdict[str, OrderedDict[GuardedProtocol, None]] = defaultdict(OrderedDict)
        self._of_key: defaultdict[str, OrderedDict[GuardedProtocol, None]] = defaultdict(OrderedDict)
        self._sweeping: asyncio.TimerHandle | None = None

    def come(self, one: GuardedProtocol) -> None:
        """Take a new connection in, and let strangers go that it finds no room beside."""
        self.all.add(one)
        self._strangers[one] = None
        mine = self._of_address[one.address]
        mine[one] = None
        if len(mine) > self.limits.per_address and not self._is_proxy(one.address):
            _first(mine).drop()
        if len(self._strangers) > self.limits.strangers or len(self.all) > self._most:
            _first(self._strangers).drop()
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(_SWEEP_S, self._sweep)

    def gone(self, one: GuardedProtocol) -> None:
        """Forget a connection."""
        self.all.discard(one)
        self._strangers.pop(one, None)
        _leave(self._of_address, one.address, one)
        if one.key is not None:
            _leave(self._of_key, one.key, one)

    def trust(self, one: GuardedProtocol, key: str) -> None:
        """A request on the connection has shown a valid key."""
        if one.key == key or one not in self.all:
            return
        if one.key is not None:
            _leave(self._of_key, one.key, one)
        self._strangers.pop(one, None)
        _leave(self._of_address, one.address, one)
        one.key = key
        self._of_key[key][one] = None
        if len(self._of_key[key]) > self.limits.per_key:
            _first(self._of_key[key]).drop()

    def _is_proxy(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._proxies)

    def _sweep(self) -> None:
        """Let go of connections whose time is over."""
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        for one in [one for one in self.all if one.deadline_s is not None and one.deadline_s < now_s]:
            one.drop()
        self._sweeping = loop.call_later(_SWEEP_S, self._sweep) if self.all else None


def _first(ordered: OrderedDict[GuardedProtocol, None]) -> GuardedProtocol:
    return next(iter(ordered))


def _leave(
    groups: defaultdict[str, OrderedDict[GuardedProtocol, None]], name: str, one: GuardedProtocol
) -> None:
    group = groups.get(name)
    if group is not None:
        group.pop(one, None)
        if not group:
            del groups[name]


def _files() -> int:
    """How many files the process may have open; as many as it may ask for, up to what is needed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return 65_536 if soft == resource.RLIM_INFINITY else soft


class GuardedProtocol(HttpToolsProtocol):
    """One connection."""

    connections_of_server: Connections

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*args, **kwargs)
        self.address = ""
        self.key: str | None = None
        #: When the message under way must have come, by the loop's clock; None when none is awaited.
        self.deadline_s: float | None = None
        self._in_head = True
        self._head_bytes = 0
        self._message_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head."""
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        self.deadline_s = self.loop.time() + self._limits.head_s
        self.connections_of_server.come(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self.connections_of_server.gone(self)
        super().connection_lost(exc)

    @property
    def _limits(self) -> Limits:
        return self.connections_of_server.limits

    def drop(self) -> None:
        """Close at once, without a word."""
        self.connections_of_server.gone(self)
        self.transport.abort()

    # -- a message comes -----------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Take some bytes, unless a head or a message grows beyond measure."""
        if self.transport.is_closing():
            return
        if self.deadline_s is None and self._in_head:
            # Between two messages: bytes that begin none must not keep the connection for ever.
            self.deadline_s = self.loop.time() + self._limits.head_s
        if self._in_head:
            self._head_bytes += len(data)
        else:
            self._message_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > self._limits.head_bytes:
            self._refuse(431, "Request Header Fields Too Large")
        most = self._limits.stranger_bytes if self.key is None else self._limits.message_bytes
        if self._message_bytes > most:
            self._refuse(413, "Content Too Large")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head, or after a body; of either only so much."""
        if len(self.headers) < self._limits.head_bytes // 64:
            super().on_header(name, value)
        else:
            self._head_bytes = self._limits.head_bytes + 1
            self._in_head = True

    def on_message_begin(self) -> None:
        """A message begins: its head must come in time."""
        super().on_message_begin()
        self._in_head = True
        self.deadline_s = self.loop.time() + self._limits.head_s
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]
        scope[TRUST] = self._trust

    def on_headers_complete(self) -> None:
        """The head is there: its body must come in time."""
        self._in_head, self._head_bytes, self._message_bytes = False, 0, 0
        self.deadline_s = self.loop.time() + self._limits.body_s
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The message is there: what is awaited now is the answer."""
        super().on_message_complete()
        self._in_head, self._head_bytes, self._message_bytes = True, 0, 0
        self.deadline_s = None

    def _trust(self, key: str) -> None:
        self.connections_of_server.trust(self, key)

    def _refuse(self, status: int, reason: str) -> None:
        if not self.transport.is_closing():
            text = f"HTTP/1.1 {status} {reason}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            self.transport.write(text.encode("ascii"))
            self.transport.close()


def guarded(connections: Connections) -> type[GuardedProtocol]:
    """The protocol of a server with these connections."""
    return type("Guarded", (GuardedProtocol,), {"connections_of_server": connections})
