"""The records of the compacted state topic: pages of riders, names, the marker, how far side outputs went.

Every value is sealed: ``RS``, the format's version, what it is, a CRC-32C over all that follows it, then
the contents. A record that is damaged, cut short or of another version is no record: `Damaged`.

Pages, names and marker say of which lineage they are. One begins whenever a state is built anew, because
numbers of platforms and zones begin anew then: what an owner wrote who did not get to its marker must not
be read together with an older one.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from schemas.checkpoint_seal import MARKER, NAMES, SIDE, Damaged, seal, unseal

MARKER_KEY, SIDE_KEY = b"marker", b"side"
LINEAGE_BYTES = 16
NAMES_PER_RECORD = 1024


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
    ``judged`` says of each version of a policy that ever judged here by which limits: digests of
    `schemas.policy_written`, none of versions before there were any. ``definition`` is a digest of all that
    the words of the pages depend on. ``outlets`` are the platforms
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
    judged: dict[str, str] = {}

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
