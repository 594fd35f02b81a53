"""One attempt: a request that goes where it may, waits as long as it may and reads as much as it may."""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp

from stream.webhooks.addresses import socket_factory
from stream.webhooks.config import Endpoint
from stream.webhooks.responses import Answer

#: More of an answer is not read, and less of it is kept.
MOST_READ_BYTES = 4096
_KEPT_CHARACTERS = 200
_HEADERS = {"content-type": "application/json", "user-agent": "respite-webhooks", "accept": "*/*"}


class Post:
    """Posts to one endpoint."""

    def __init__(
        self, endpoint: Endpoint, session: aiohttp.ClientSession, wall: Callable[[], float] = time.time
    ) -> None:
        self._url = endpoint.url
        self._signer = endpoint.signer
        self._session = session
        self._wall = wall

    async def __call__(self, webhook_id: str, body: bytes) -> Answer:
        """Send a body once; whatever comes of it is an answer."""
        headers = {**_HEADERS, **self._signer.headers(webhook_id, self._wall(), body.decode())}
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, allow_redirects=False
            ) as response:
                # The status is the answer; what comes after it may come badly.
                detail = f"{response.status} {response.reason}: {await _beginning(response)}"
                return Answer(response.status, detail, response.headers.get("retry-after"))
        except TimeoutError:
            return Answer(None, "no answer in time")
        except aiohttp.ClientConnectorError as error:
            # Its own text leaves out why an address was refused.
            return Answer(None, f"cannot connect: {error.os_error}"[:_KEPT_CHARACTERS])
        except (aiohttp.ClientError, OSError) as error:
            return Answer(None, f"{type(error).__name__}: {error}"[:_KEPT_CHARACTERS])


@asynccontextmanager
async def posting(endpoint: Endpoint) -> AsyncIterator[Post]:
    """A `Post` with connections of its own."""
    plain = urlsplit(endpoint.url).scheme == "http"
    connector = aiohttp.TCPConnector(
        limit=endpoint.concurrency,
        ssl=ssl.create_default_context(cafile=endpoint.ca_file),
        socket_factory=socket_factory(allow_private=endpoint.allow_private, loopback_only=plain),
    )
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=endpoint.timeout),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,  # what is small on the wire must not grow here
        read_bufsize=MOST_READ_BYTES,
    ) as session:
        yield Post(endpoint, session)


async def _beginning(response: aiohttp.ClientResponse) -> str:
    """The first of a body, as text for people; the connection is given up where there is more."""
    read = bytearray()
    try:
        while len(read) < MOST_READ_BYTES and not response.content.at_eof():
            read += await response.content.read(MOST_READ_BYTES - len(read))
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        read += f" ({type(error).__name__})".encode()
    if not response.content.at_eof():
        response.close()
    text = read.decode("utf-8", errors="replace")
    return "".join(one if one.isprintable() else " " for one in text[:_KEPT_CHARACTERS])
