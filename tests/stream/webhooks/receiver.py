"""Receivers on this machine that behave as told; all verify signatures with the standardwebhooks library."""

from __future__ import annotations

import base64
import json
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from standardwebhooks import Webhook

SECRET = "whsec_" + base64.b64encode(b"a receiver's secret of 32 bytes.").decode()
#: A slow receiver's thread is let go after so long, whatever it was told.
_LONGEST_S = 20.0


@dataclass(frozen=True, slots=True)
class Got:
    """A request whose signature was good."""

    webhook_id: str
    body: dict[str, Any]
    path: str
    at_s: float
    status: int
    cookie: str | None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a receiver does with a request."""

    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    #: Before the status; and between the pieces of the body, which never ends if there is one.
    delay_s: float = 0.0
    drip_s: float | None = None
    reset: bool = False


Behaviour = Callable[[str, dict[str, Any], int], Reply]


def good(webhook_id: str, body: dict[str, Any], number: int) -> Reply:
    """204 to everything."""
    del webhook_id, body, number
    return Reply()


class Receiver:
    """A server on a free port; ``behaviour`` is told id, body and the how manieth request this is."""

    def __init__(self, behaviour: Behaviour = good, tls: ssl.SSLContext | None = None) -> None:
        self.behaviour = behaviour
        self.got: list[Got] = []
        self.forged: list[str] = []
        self.most_at_once = 0
        self.written_bytes = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._webhook = Webhook(SECRET)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._scheme = "https" if tls else "http"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Its address."""
        return f"{self._scheme}://127.0.0.1:{self.port}/hook"

    @property
    def accepted(self) -> list[Got]:
        """Requests that were answered with 2xx."""
        return [one for one in list(self.got) if 200 <= one.status < 300]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        body = request.rfile.read(int(request.headers["content-length"]))
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            self._answer(request, self._reply(request, body))
        except OSError:
            request.close_connection = True  # the sender has given up
        finally:
            with self._lock:
                self._at_once -= 1

    def _reply(self, request: BaseHTTPRequestHandler, body: bytes) -> Reply:
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            said = self._webhook.verify(body, headers)
        except Exception as error:  # noqa: BLE001 - the test looks at what it was
            self.forged.append(repr(error))
            return Reply(401)
        with self._lock:
            reply = self.behaviour(headers["webhook-id"], said, len(self.got))
            self.got.append(
                Got(
                    headers["webhook-id"],
                    said,
                    request.path,
                    time.time(),
                    reply.status,
                    headers.get("cookie"),
                )
            )
        return reply

    def _answer(self, request: BaseHTTPRequestHandler, reply: Reply) -> None:
        self._closing.wait(min(reply.delay_s, _LONGEST_S))
        if reply.reset:
            request.close_connection = True
            request.connection.close()
            return
        request.send_response(reply.status)
        for name, value in reply.headers.items():
            request.send_header(name, value)
        if "content-length" not in reply.headers:
            request.send_header("content-length", str(len(reply.body)))
        request.end_headers()
        if reply.drip_s is None:
            for start in range(0, len(reply.body), 65_536):
                self.written_bytes += request.wfile.write(reply.body[start : start + 65_536])
            return
        for one in reply.body:
            request.wfile.write(bytes([one]))
            if self._closing.wait(reply.drip_s):
                return

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                receiver.handle(self)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        return Handler


def alert(number: int, rider: str, kind: str = "limit_reached") -> bytes:
    """An alert as a platform gets it."""
    return json.dumps(
        {
            "schema": "fatigue-alert/1", "alert_id": f"{number:032x}", "kind": kind, "rider_id": rider,
            "number": number, "message": {"zh": "您已连续接单4小时", "en": "4 hours"},
        }
    ).encode()  # fmt: skip


def status(number: int, rider: str, state: str = "hold") -> bytes:
    """A status as a platform gets it."""
    return json.dumps(
        {"schema": "dispatch-status/1", "rider_id": rider, "status": state, "number": number}
    ).encode()
