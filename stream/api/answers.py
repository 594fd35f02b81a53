"""Long answers that keep nobody else waiting: written beside the event loop, and sent in pieces."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec
from starlette.responses import Response, StreamingResponse

#: Sent at a time; between two pieces others have their turn.
_PIECE_BYTES = 1 << 18
#: A list of more entries is written entry by entry: one call that writes all would not be interrupted.
_FEW = 100
#: Lines of a file that are written at a time.
_TOGETHER = 500
#: What spreadsheets take for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_json = msgspec.json.Encoder()


class InPieces(Response):
    """JSON, sent in pieces."""

    media_type = "application/json"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401, ARG002 - ASGI
        """Send it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body = memoryview(self.body)
        for first in range(0, max(1, len(body)), _PIECE_BYTES):
            last = first + _PIECE_BYTES
            more = last < len(body)
            await send({"type": "http.response.body", "body": bytes(body[first:last]), "more_body": more})
            if more:
                await asyncio.sleep(0)


async def written(document: Mapping[str, Any]) -> InPieces:
    """The answer that a document is."""
    return InPieces(await asyncio.to_thread(_written, document))


def _written(document: Mapping[str, Any]) -> bytes:
    members = [_json.encode(name) + b":" + _member(value) for name, value in document.items()]
    return b"{" + b",".join(members) + b"}"


def _member(value: Any) -> bytes:  # noqa: ANN401 - what JSON can say
    if isinstance(value, list) and len(value) > _FEW:
        # Not `map`: between two steps of a loop of Python others have their turn.
        return b"[" + b",".join([_json.encode(one) for one in value]) + b"]"
    return _json.encode(value)


def csv_file(name: str, columns: Sequence[str], lines: Iterable[Mapping[str, Any]]) -> StreamingResponse:
    """Lines as a CSV file (RFC 4180)."""

    def pieces() -> Iterator[str]:
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, extrasaction="ignore")
        writer.writeheader()
        rest = iter(lines)
        while some := list(islice(rest, _TOGETHER)):
            writer.writerows(msgspec.to_builtins(some))
            yield text.getvalue()
            text.seek(0)
            text.truncate()
        yield text.getvalue()

    headers = {"Content-Disposition": f'attachment; filename="respite-{name}.csv"'}
    return StreamingResponse(pieces(), media_type="text/csv; charset=utf-8", headers=headers)


def no_formula(text: str | None) -> str | None:
    """A text of somebody's as a cell that no spreadsheet reckons with.

    >>> no_formula("=HYPERLINK(1)"), no_formula("a = b"), no_formula(None)
    ("'=HYPERLINK(1)", 'a = b', None)
    """
    return f"'{text}" if text and text.startswith(_FORMULA) else text
