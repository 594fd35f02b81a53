"""The record of holds as bytes: one JSON object a line, each with the hash of the one before it.

A line is canonical JSON (RFC 8785: sorted names, no white space, UTF-8), so there is one way to write it and
nothing to be changed unseen. Its ``hash`` is the SHA-256 of the same object without ``hash``; ``prev`` is the
hash of the line before, over the ends of files. A ``seal`` signs all lines up to itself (Ed25519, RFC 8032).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from schemas.platform_view import HIDDEN_FIELDS

SCHEMA = "hold-ledger/1"
HEAD_SCHEMA = "hold-ledger-head/1"
#: The chain of everybody's holds; those of platforms are called `chain_of`.
WHOLE = "all"
_OF_PLATFORM = "platform-"
#: ``prev`` of the first line.
NOTHING = "0" * 64
#: Alerts that are recorded: what was told of holds and limits reached. Warnings and reminders bind nobody.
KINDS = frozenset({"limit_reached", "hold_released", "hold_breached", "retracted"})
#: What is kept of an alert. Evidence, window and zone are no part of what was asked of a platform.
FIELDS = (
    "alert_id", "kind", "rider_id", "policy", "limit", "clock", "event_time", "counted_s", "limit_s", "hold",
    "provisional", "estimated", "platform", "supersedes",
)  # fmt: skip
assert not HIDDEN_FIELDS & set(FIELDS)
Line = dict[str, Any]
SEGMENT = re.compile(r"([0-9]{8})\.ndjson")


class NotCanonical(ValueError):
    """A line that is no canonical JSON object, or whose hash is not its own."""


def chain_of(platform: str) -> str:
    """The name of a platform's chain, and of its folder."""
    return _OF_PLATFORM + platform


def platform_of(chain: str) -> str | None:
    """Whose chain it is; None for everybody's."""
    return chain.removeprefix(_OF_PLATFORM) if chain.startswith(_OF_PLATFORM) else None


def segment_name(number: int) -> str:
    """The name of a chain's n-th file."""
    return f"{number:08d}.ndjson"


def canonical(value: object) -> bytes:
    """A document by RFC 8785; precondition: no fractions, and names of objects in ASCII."""
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    ).encode()


def recorded(alert: Mapping[str, Any]) -> dict[str, Any] | None:
    """What is kept of an alert; None for kinds that are not recorded."""
    return {name: alert[name] for name in FIELDS} if alert["kind"] in KINDS else None


def hashed(line: Line) -> Line:
    """The line with its hash."""
    return {**line, "hash": hashlib.sha256(canonical(line)).hexdigest()}


def written(line: Line) -> bytes:
    """The bytes of a line in a file."""
    return canonical(line) + b"\n"


def read_line(raw: bytes) -> Line:
    """A line, as it was written (without its end).

    Raises
    ------
    NotCanonical
        Its bytes are not those that were written.
    """
    try:
        line = json.loads(raw)
    except ValueError as error:
        raise NotCanonical("is no JSON") from error
    if not isinstance(line, dict) or not isinstance(line.get("hash"), str):
        raise NotCanonical("is no line of a ledger: an object with a hash")
    body = {name: value for name, value in line.items() if name != "hash"}
    try:
        own = hashed(body)
        unchanged = canonical(own) == raw
    except ValueError as error:
        raise NotCanonical("holds what cannot be written as canonical JSON") from error
    if line["hash"] != own["hash"]:
        raise NotCanonical(
            f"its content does not give its hash: {line['hash'][:16]}… written, {own['hash'][:16]}… counted"
        )
    if not unchanged:
        raise NotCanonical("is not written as canonical JSON")
    return line


def to_sign(document: Mapping[str, Any]) -> bytes:
    """What is signed of a seal or a head: all but hash and signature; what it is said first."""
    body = {name: value for name, value in document.items() if name not in ("hash", "signature")}
    return SCHEMA.encode() + b"\n" + canonical(body)


def utc_ms(epoch_ms: int) -> str:
    """Epoch milliseconds as ``2026-11-23T08:00:00.000Z``."""
    moment = datetime.fromtimestamp(epoch_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{moment}.{epoch_ms % 1000:03d}Z"
