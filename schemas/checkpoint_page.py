"""Pages of riders as records of the state topic, in parts that fit into a batch."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import zstandard

from schemas.checkpoint_seal import PAGE, Damaged, seal, unseal

_PAGE = struct.Struct(">16sIHHQqqI")
#: Below the largest batch that a broker takes by default (1 MiB), with room for the rest of the batch.
PART_BYTES = 900_000
_ZSTD_LEVEL = 1


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
