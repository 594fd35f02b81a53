"""The records of the compacted state topic: pages of riders, names, the marker, how far side outputs went.

Every value is sealed: ``RS``, the format's version, what it is, a CRC-32C over all that follows it, then
the contents. A record that is damaged, cut short or of another version is no record: `Damaged`.

Pages, names and marker say of which lineage they are. One begins whenever a state is built anew, because
numbers of platforms and zones begin anew then: what an owner wrote who did not get to its marker must not
be read together with an older one.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import crc32c
import msgspec
import numpy as np
import numpy.typing as npt
import zstandard

#: Of the records; `detectors.pages.FORMAT` is that of the words inside.
VERSION = 1
_SEAL = struct.Struct(">2sBcI")
_PAGE = struct.Struct(">16sIHHQqqI")
_MAGIC = b"RS"
Kind = Literal[b"p", b"n", b"m", b"s"]
PAGE, NAMES, MARKER, SIDE = b"p", b"n", b"m", b"s"
MARKER_KEY, SIDE_KEY = b"marker", b"side"
#: Below the largest batch that a broker takes by default (1 MiB), with room for the rest of the batch.
PART_BYTES = 900_000
LINEAGE_BYTES = 16
NAMES_PER_RECORD = 1024
_ZSTD_LEVEL = 1


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


# -- pages -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Page:
    """The riders of one page, complete up to before ``source_offset``, judged at ``now_s``."""

    lineage: bytes
    number: int
    sequence: int
    source_offset: int
    now_s: int
    words: npt.NDArray[np.int64]


def page_key(number: int, part: int) -> bytes:
    """The key of one part of a page."""
    return b"page/%d/%d" % (number, part)


def encode_page(page: Page) -> list[bytes]:
    """The values of a page's parts, in order; each fits into a record batch."""
    raw = page.words.astype("<i8").tobytes()
    body = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(raw)
    pieces = [body[at : at + PART_BYTES] for at in range(0, len(body), PART_BYTES)]
    return [
        seal(
            PAGE,
            _PAGE.pack(
                page.lineage,
                page.number,
                part,
                len(pieces),
                page.sequence,
                page.source_offset,
                page.now_s,
                len(raw),
            )
            + piece,
        )
        for part, piece in enumerate(pieces)
    ]


def decode_page(lineage: bytes, number: int, parts: Mapping[int, bytes]) -> Page:
    """The page of a number from the newest values of its parts.

    Raises
    ------
    Damaged
        A part is missing, damaged, or of another writing than the first, or the page of another lineage.
    """
    if 0 not in parts:
        raise Damaged("its first part is missing")
    head, first = _part(parts[0])
    pieces = [first]
    for part in range(1, head.parts):
        if part not in parts:
            raise Damaged(f"part {part} of {head.parts} is missing")
        other, piece = _part(parts[part])
        if other != head._replace(part=part):
            raise Damaged(f"part {part} is of another writing than the first")
        pieces.append(piece)
    if head.number != number or head.part != 0:
        raise Damaged(f"holds page {head.number}, part {head.part}")
    if head.lineage != lineage:
        raise Damaged("written for another state than the marker's")
    try:
        raw = zstandard.ZstdDecompressor().decompress(b"".join(pieces), max_output_size=head.size)
    except zstandard.ZstdError as error:
        raise Damaged(f"cannot be decompressed: {error}") from error
    if len(raw) != head.size:
        raise Damaged(f"{len(raw)} bytes, {head.size} were packed")
    words = np.frombuffer(raw, dtype="<i8").astype(np.int64)
    return Page(lineage, number, head.sequence, head.source_offset, head.now_s, words)


class _PartHead(NamedTuple):
    lineage: bytes
    number: int
    part: int
    parts: int
    sequence: int
    source_offset: int
    now_s: int
    size: int


def _part(value: bytes) -> tuple[_PartHead, bytes]:
    contents = unseal(PAGE, value)
    if len(contents) < _PAGE.size:
        raise Damaged("shorter than the head of a page")
    return _PartHead(*_PAGE.unpack_from(contents)), contents[_PAGE.size :]


# -- names -----------------------------------------------------------------------------------------


def names_key(what: str, number: int) -> bytes:
    """The key of a record of names; ``what`` is platforms or zones."""
    return f"names/{what}/{number}".encode()


def encode_names(lineage: bytes, what: str, names: Sequence[str], known: int) -> list[tuple[bytes, bytes]]:
    """Keys and values of the records that hold the names from number ``known`` on, and their neighbours."""
    first = known // NAMES_PER_RECORD
    return [
        (
            names_key(what, number),
            seal(
                NAMES,
                lineage
                + msgspec.json.encode(names[number * NAMES_PER_RECORD : (number + 1) * NAMES_PER_RECORD]),
            ),
        )
        for number in range(first, -(-len(names) // NAMES_PER_RECORD))
    ]


def decode_names(lineage: bytes, what: str, records: Mapping[bytes, bytes], count: int) -> list[str]:
    """All names of the lineage, ``count`` at least: pages newer than the marker may speak of more.

    Raises
    ------
    Damaged
        One of the first ``count`` is in a record that is missing, damaged or of another lineage.
    """
    names: list[str] = []
    number = 0
    while len(names) == number * NAMES_PER_RECORD:
        value = records.get(names_key(what, number))
        contents = b"" if value is None else unseal(NAMES, value)
        if contents[:LINEAGE_BYTES] != lineage:
            break
        try:
            names += msgspec.json.decode(contents[LINEAGE_BYTES:], type=list[str])
        except msgspec.MsgspecError as error:
            raise Damaged(f"no names: {error}") from error
        number += 1
    if len(names) < count:
        raise Damaged(f"{what} from number {len(names)} on are missing, {count} were numbered")
    return names


# -- marker and side -------------------------------------------------------------------------------


class Marker(msgspec.Struct, frozen=True):
    """What the pages are complete up to. The marker is the truth; the group's offset follows it.

    Offsets are the next ones to be read. ``page_from`` holds by page the source offset it was packed at,
    -1 for a page that never was. ``since_s`` says by policy from which instant on its verdicts are told.
    ``definition`` is a digest of all that the words of the pages depend on. ``outlets`` are the platforms
    that have been told the statuses of their riders. ``source_id`` is the id that Kafka gave the source's
    topic when it was made (KIP-516); empty where that is not known.
    """

    definition: str
    lineage: bytes
    partitions: int
    since_s: dict[str, int]
    worker: str
    source_offset: int = 0
    alerts_offset: int = 0
    status_offset: int = 0
    now_s: int = 0
    read_s: int = 0
    arrival_s: int = 0
    sequence: int = 0
    platforms: int = 0
    zones: int = 0
    page_from: bytes = b""
    outlets: tuple[str, ...] = ()
    source_id: str = ""

    def page_offsets(self, pages: int) -> npt.NDArray[np.int64]:
        """``page_from`` as numbers, shape (pages,).

        Raises
        ------
        Damaged
            It holds another number of pages, or none that can be read.
        """
        try:
            raw = zlib.decompress(self.page_from)
        except zlib.error as error:
            raise Damaged(f"its pages' offsets cannot be decompressed: {error}") from error
        if len(raw) != 8 * pages:
            raise Damaged(f"a marker of {len(raw) // 8} pages, this version has {pages}")
        return np.frombuffer(raw, dtype="<i8").astype(np.int64)


def pack_offsets(offsets: npt.NDArray[np.int64]) -> bytes:
    """`Marker.page_from` of these numbers."""
    return zlib.compress(offsets.astype("<i8").tobytes(), 1)


def encode_marker(marker: Marker) -> bytes:
    """The value of the marker's record."""
    return seal(MARKER, msgspec.msgpack.encode(marker))


def decode_marker(value: bytes) -> Marker:
    """The marker of a record's value.

    Raises
    ------
    Damaged
        It is no marker of this version.
    """
    try:
        return msgspec.msgpack.decode(unseal(MARKER, value), type=Marker)
    except msgspec.MsgspecError as error:
        raise Damaged(f"no marker: {error}") from error


def encode_side(source_offset: int) -> bytes:
    """The value that says up to where dead letters and forwards have been written."""
    return seal(SIDE, b"%d" % source_offset)


def decode_side(value: bytes) -> int:
    """The source offset up to where dead letters and forwards have been written.

    Raises
    ------
    Damaged
        It cannot be trusted.
    """
    contents = unseal(SIDE, value)
    if not contents.isdigit():
        raise Damaged(f"{contents[:20]!r} is no offset")
    return int(contents)
