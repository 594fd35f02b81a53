"""Ids of the live stream: how far a client is in each partition of the topic of alerts, sealed.

An id means the same in every process that has the same secret, so a client resumes anywhere. Offsets count
everybody's alerts, so they are encrypted, all at one length: a platform learns nothing from them, nor from
how they change. The construction is synthetic-IV encryption (Rogaway and Shrimpton, 2006) with keyed BLAKE2b
as both the pseudo-random function and the key stream.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence

_OFFSET_BYTES = 6
_TAG_BYTES = 16
_BLOCK = 64
#: More than any topic has partitions; a longer id is none of ours.
_MOST_CHARACTERS = 16_384


class EventIds:
    """Writes and reads ids.

    Parameters
    ----------
    secret
        Known to the APIs of an installation and to nobody else; asked anew each time, for it may change.
    """

    def __init__(self, secret: Callable[[], bytes]) -> None:
        self._secret = secret

    def write(self, position: Sequence[int]) -> str:
        """The id of a position: by partition, the offset of the last alert that the client has, or -1."""
        plain = b"".join((offset + 1).to_bytes(_OFFSET_BYTES, "big") for offset in position)
        secret = self._secret()
        tag = _tag(secret, plain)
        return base64.urlsafe_b64encode(tag + _mixed(secret, tag, plain)).rstrip(b"=").decode("ascii")

    def read(self, text: str) -> list[int] | None:
        """The position of an id; None when it is none of ours."""
        if len(text) > _MOST_CHARACTERS:
            return None
        try:
            packed = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            return None
        tag, sealed = packed[:_TAG_BYTES], packed[_TAG_BYTES:]
        if len(tag) < _TAG_BYTES or len(sealed) % _OFFSET_BYTES:
            return None
        secret = self._secret()
        plain = _mixed(secret, tag, sealed)
        if not hmac.compare_digest(_tag(secret, plain), tag):
            return None
        each = range(0, len(plain), _OFFSET_BYTES)
        return [int.from_bytes(plain[at : at + _OFFSET_BYTES], "big") - 1 for at in each]


def _tag(secret: bytes, plain: bytes) -> bytes:
    return hashlib.blake2b(plain, key=secret, person=b"event-id tag", digest_size=_TAG_BYTES).digest()


def _mixed(secret: bytes, tag: bytes, text: bytes) -> bytes:
    blocks = (
        hashlib.blake2b(tag + count.to_bytes(4, "big"), key=secret, person=b"event-id stream").digest()
        for count in range(-(-len(text) // _BLOCK))
    )
    stream = b"".join(blocks)[: len(text)]
    return bytes(one ^ other for one, other in zip(text, stream, strict=True))
