"""The seal of a record of the state: what it is, in which version, and that it is whole."""

from __future__ import annotations

import struct
from typing import Literal

import crc32c

#: Of the records; `detectors.pages.FORMAT` is that of the words inside.
VERSION = 1
_SEAL = struct.Struct(">2sBcI")
_MAGIC = b"RS"
Kind = Literal[b"p", b"n", b"m", b"s"]
PAGE, NAMES, MARKER, SIDE = b"p", b"n", b"m", b"s"


class Damaged(ValueError):
    """A record of the state that cannot be trusted; the message says what is wrong with it."""


def seal(kind: bytes, contents: bytes) -> bytes:
    """A value whose damage will be seen."""
    return _SEAL.pack(_MAGIC, VERSION, kind, crc32c.crc32c(kind + contents)) + contents


def unseal(kind: bytes, value: bytes) -> bytes:
    """The contents of a sealed value.

    Raises
    ------
    Damaged
        It is cut short, of another version or kind, or its checksum does not fit.
    """
    if len(value) < _SEAL.size:
        raise Damaged(f"{len(value)} bytes, shorter than a seal")
    magic, version, found, checksum = _SEAL.unpack_from(value)
    if magic != _MAGIC or found != kind:
        raise Damaged(f"begins with {value[:4]!r}: not a record of the kind {kind!r}")
    if version != VERSION:
        raise Damaged(f"written in version {version} of the format, this is version {VERSION}")
    contents = value[_SEAL.size :]
    if crc32c.crc32c(kind + contents) != checksum:
        raise Damaged("its checksum does not fit")
    return contents
