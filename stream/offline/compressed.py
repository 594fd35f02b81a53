"""gzip and zstd, read to their proven end: a file that is cut short or damaged is never taken for whole."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple

import zstandard

#: What is decoded at once. A damaged piece is lost whole, so it is small.
_PIECE_BYTES = 4096
_READ_BYTES = 1 << 18
#: `zstd --long=31`: the longest window that the format's own tool reads when asked to.
_LONGEST_WINDOW = 1 << 31
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_SKIPPABLE = tuple(bytes((low, 0x2A, 0x4D, 0x18)) for low in range(0x50, 0x60))


class InputFault(ValueError):
    """An input that cannot be read as asked; the message names it, what is wrong and the remedy."""


class DamagedInput(InputFault):
    """An input that ends before its end or is not what was written.

    Attributes
    ----------
    events
        How many events were read from it before; None until the reader has said it.
    """

    def __init__(self, name: str, what: str) -> None:
        super().__init__(name, what)
        self.name = name
        self.what = what
        self.events: int | None = None

    def __str__(self) -> str:
        """What is wrong, and how much came before."""
        before = "" if self.events is None else f"; {self.events} events came before it"
        return f"{self.name}: {self.what}{before}; get the file again from where it came from"


class Form(NamedTuple):
    """A form of compression.

    Parameters
    ----------
    magics
        What a member (gzip) or frame (zstd) begins with.
    padded
        Whether zeros may stand after the end, as tapes leave them.
    """

    name: str
    magics: tuple[bytes, ...]
    decoder: Callable[[], Any]
    unpacked_by: str
    padded: bool


GZIP = Form("gzip", (_GZIP,), lambda: zlib.decompressobj(wbits=31), "gzip -dc", padded=True)
ZSTD = Form(
    "zstd",
    (_ZSTD, *_SKIPPABLE),
    lambda: zstandard.ZstdDecompressor(max_window_size=_LONGEST_WINDOW).decompressobj(),
    "zstd -dc",
    padded=False,
)
FORMS = (GZIP, ZSTD)
_SUFFIXES = {".gz": GZIP, ".gzip": GZIP, ".zst": ZSTD, ".zstd": ZSTD}


def form_of(head: bytes, name: str) -> Form | None:
    """The compression that the first bytes say; of a file cut inside them, the one that its name says."""
    for form in FORMS:
        if head.startswith(form.magics):
            return form
    named = next((form for suffix, form in _SUFFIXES.items() if name.lower().endswith(suffix)), None)
    if named is not None and any(magic.startswith(head) for magic in named.magics):
        return named
    return None


class Decompressed(io.RawIOBase):
    """What compressed bytes hold, member after member.

    Raises
    ------
    DamagedInput
        From reading, after everything before the damage has been handed out.
    """

    def __init__(self, name: str, raw: BinaryIO, form: Form) -> None:
        super().__init__()
        self._name = name
        self._raw = raw
        self._form = form
        self._decoder: Any = None
        self._waiting = b""
        self._out = memoryview(b"")
        #: Compressed bytes that have been decoded.
        self._at = 0
        self._fault: DamagedInput | None = None

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, target: Any) -> int:  # noqa: ANN401 - any buffer
        """Fill the target with what comes next; 0 at the proven end."""
        while not self._out:
            if self._fault is not None:
                raise self._fault
            if not self._decode():
                return 0
        count = min(len(target), len(self._out))
        target[:count] = self._out[:count]
        self._out = self._out[count:]
        return count

    def _decode(self) -> bool:
        """Decode the next piece; False at the end."""
        if not self._waiting:
            self._waiting = self._raw.read1(_READ_BYTES)  # type: ignore[attr-defined]
        if self._decoder is None and not self._begin_member():
            return False
        piece = self._waiting[:_PIECE_BYTES]
        if not piece:
            what = f"cut short: its {self._form.name} data break off at byte {self._at}, without their end"
            raise self._damaged(what)
        out, fault = _decoded(self._decoder, piece)
        self._out = memoryview(out)
        if fault is not None:
            self._fault = self._damaged(f"damaged within {len(piece)} bytes after byte {self._at}: {fault}")
            return True
        left = len(self._decoder.unused_data) if self._decoder.eof else 0
        used = len(piece) - left
        self._at += used
        self._waiting = self._waiting[used:]
        if self._decoder.eof:
            self._decoder = None
        return True

    def _begin_member(self) -> bool:
        """Begin what comes next; False when nothing does."""
        longest = max(map(len, self._form.magics))
        while len(self._waiting) < longest and (more := self._raw.read1(_READ_BYTES)):  # type: ignore[attr-defined]
            self._waiting += more
        if not self._waiting and self._at:
            return False
        if not self._at and any(magic.startswith(self._waiting) for magic in self._form.magics):
            raise self._damaged(
                f"cut short: of its {self._form.name} data only {len(self._waiting)} bytes are there"
            )
        if not self._waiting.startswith(self._form.magics):
            if self._form.padded and self._only_zeros():
                return False
            what = (
                f"its {self._form.name} data end at byte {self._at}, and what follows is none: "
                "two files of different kinds in one, or one that is damaged"
            )
            raise self._damaged(what)
        self._decoder = self._form.decoder()
        return True

    def _only_zeros(self) -> bool:
        while self._waiting:
            if self._waiting.strip(b"\0"):
                return False
            self._waiting = self._raw.read1(_READ_BYTES)  # type: ignore[attr-defined]
        return True

    def _damaged(self, what: str) -> DamagedInput:
        return DamagedInput(self._name, what)


def _decoded(decoder: Any, piece: bytes) -> tuple[bytes, str | None]:  # noqa: ANN401 - of either library
    """What a piece holds, and what is wrong with it; of gzip, all that came before the wrong byte."""
    again = decoder.copy() if hasattr(decoder, "copy") else None
    try:
        return decoder.decompress(piece), None
    except (zlib.error, zstandard.ZstdError) as error:
        fault = _words(str(error))
    out = bytearray()
    if again is not None:
        try:
            for at in range(len(piece)):
                out += again.decompress(piece[at : at + 1])
        except zlib.error:
            pass
    return bytes(out), fault


def _words(said: str) -> str:
    """What a library says of damage, for a person."""
    if "checksum" in said or "data check" in said or "length check" in said:
        return "its checksum does not match, so something in it is not what was written"
    if "memory" in said:
        return "it asks for a window of more than 2 GiB, which no tool writes by itself"
    return "the compressed data make no sense from there on"
