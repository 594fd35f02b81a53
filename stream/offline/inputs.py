"""Inputs as people have them: files, folders, pipes, standard input; compressed or not, by their contents."""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from stream.offline.compressed import DamagedInput, Decompressed, Form, InputFault, form_of
from stream.offline.recognition import BYTE_ORDER_MARK, HEAD_BYTES, foreign, has_object_line

STANDARD_INPUT = "-"
_READ_BYTES = 1 << 18
#: No event is longer than 16 KiB, and Kafka takes no value longer than this: what is, is refused unread.
LONGEST_LINE_BYTES = 1 << 20
_MAGIC_BYTES = 6
_JSON_SPACE = b" \t\r\n\x0b\x0c"


class NoInput(InputFault):
    """There is no such input, or it may not be read; all faults in one message."""


def named_inputs(names: Sequence[str]) -> list[str]:
    """The files to read: of a folder all in it and below, by name, without hidden ones.

    Raises
    ------
    NoInput
        With every name that cannot be read, and why.
    """
    found: list[str] = []
    faults: list[str] = []
    for name in names:
        if name == STANDARD_INPUT:
            found.append(name)
        elif os.path.isdir(name):  # noqa: PTH112 - a Path would drop the name's own form
            inside = _files_below(name)
            found += inside
            if not inside:
                faults.append(f"{name}: a folder without files")
        else:
            fault = _unreadable(name)
            if fault:
                faults.append(fault)
            found.append(name)
    if names.count(STANDARD_INPUT) > 1:
        faults.append("-: standard input can be read only once")
    if faults:
        raise NoInput("\n".join(faults))
    return found


def _files_below(folder: str) -> list[str]:
    found = []
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        found += [os.path.join(where, one) for one in sorted(files) if not one.startswith(".")]  # noqa: PTH118
    return found


def _unreadable(name: str) -> str | None:
    path = Path(name)
    try:
        path.stat()
    except FileNotFoundError:
        return f"no such file: {name}"
    except (OSError, ValueError) as error:
        return f"{name}: {reason_of(error)}"
    return None if os.access(path, os.R_OK) else f"{name}: may not be read by this user; chmod +r mends it"


def reason_of(error: BaseException) -> str:
    """What the system says of a failure, without its number."""
    return str(getattr(error, "strerror", None) or "cannot be opened").lower()


def size_of(name: str) -> int | None:
    """Bytes of lines to come; None where that is not known beforehand."""
    if name == STANDARD_INPUT:
        return None
    about = os.stat(name)  # noqa: PTH116
    if not stat.S_ISREG(about.st_mode):
        return None
    with open(name, "rb") as raw:  # noqa: PTH123
        return None if form_of(raw.read(_MAGIC_BYTES), name) else about.st_size


class _Rejoined(io.RawIOBase):
    """Bytes that have been looked at, and what comes after them."""

    def __init__(self, name: str, head: bytes, rest: BinaryIO) -> None:
        super().__init__()
        self._name = name
        self._head = memoryview(head)
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]
        if not self._head:
            try:
                self._head = memoryview(self._rest.read1(len(target)))  # type: ignore[attr-defined]
            except OSError as error:
                raise DamagedInput(self._name, f"cannot be read to its end: {reason_of(error)}") from error
        count = min(len(target), len(self._head))
        target[:count] = self._head[:count]
        self._head = self._head[count:]
        return count


class _Bounded(io.RawIOBase):
    """Lines of which none is longer than may be held: the rest of one that is, is left out and said."""

    def __init__(self, name: str, rest: BinaryIO) -> None:
        super().__init__()
        self._name = name
        self._rest = rest
        #: The number of the line under way from 1, how much of it has come, and whether it was said too long.
        self._number, self._line_bytes, self._said = 1, 0, False

    def readable(self) -> bool:
        return True

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]
        while chunk := self._rest.read1(len(target)):  # type: ignore[attr-defined]
            kept = self._kept(chunk)
            if kept:
                target[: len(kept)] = kept
                return len(kept)
        return 0

    def _kept(self, chunk: bytes) -> bytes:
        """What of a chunk is handed on: shorter than a line may be, it can cut none but its first."""
        end = chunk.find(b"\n")
        own = len(chunk) if end < 0 else end
        room = max(0, LONGEST_LINE_BYTES - self._line_bytes)
        if own > room and not self._said:
            self._said = True
            sys.stderr.write(
                f"{self._name}:{self._number}: a line of more than {LONGEST_LINE_BYTES >> 20} MiB, which no "
                "event has; what follows of it is left out. Is a newline missing?\n"
            )
        kept = chunk if own <= room else chunk[:room] + chunk[own:]
        if end < 0:
            self._line_bytes += own
        else:
            self._said = False
            self._number += chunk.count(b"\n")
            self._line_bytes = len(chunk) - chunk.rindex(b"\n") - 1
        return kept


@contextmanager
def open_raw(name: str) -> Iterator[BinaryIO]:
    """An input as it lies there; ``-`` is standard input.

    Raises
    ------
    DamagedInput
        It cannot be opened.
    """
    if name == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    try:
        raw = open(name, "rb")  # noqa: PTH123, SIM115 - closed below
    except OSError as error:
        raise DamagedInput(name, f"cannot be opened: {reason_of(error)}") from error
    with raw:
        yield raw


@contextmanager
def open_lines(name: str) -> Iterator[io.BufferedReader]:
    """The lines of an input, decompressed; ``-`` is standard input.

    Raises
    ------
    ForeignInput
        It is something else than lines of JSON.
    DamagedInput
        It cannot be read to its end, or, while it is read, its compression is cut short or broken.
    """
    with open_raw(name) as raw:
        yield _lines_of(name, raw)


class Unpacked(NamedTuple):
    """An input without its compression.

    Parameters
    ----------
    head
        Its first bytes, which have been taken off the rest.
    form
        How it was compressed; None where it was not.
    """

    head: bytes
    rest: BinaryIO
    form: Form | None


def unpacked(name: str, raw: BinaryIO) -> Unpacked:
    """Look at an input's first bytes and take its compression off."""
    lines: BinaryIO = io.BufferedReader(_Rejoined(name, b"", raw), _READ_BYTES)
    head = at_least(lines, b"", _MAGIC_BYTES)
    form = form_of(head, name)
    if form is not None:
        packed = io.BufferedReader(_Rejoined(name, head, lines), _READ_BYTES)
        lines, head = io.BufferedReader(Decompressed(name, packed, form), _READ_BYTES), b""
    return Unpacked(head, lines, form)


def rejoined(name: str, head: bytes, rest: BinaryIO) -> io.BufferedReader:
    """Bytes that have been looked at, and what comes after them."""
    return io.BufferedReader(_Rejoined(name, head, rest), _READ_BYTES)


def _lines_of(name: str, raw: BinaryIO) -> io.BufferedReader:
    head, lines, form = unpacked(name, raw)
    head, whole = _head(lines, head)
    fault = foreign(name, head, whole=whole)
    if fault is not None:
        fault.unpacked_by = form.unpacked_by if form is not None else None
        raise fault
    if head.startswith(BYTE_ORDER_MARK):
        sys.stderr.write(f"{name}: begins with a byte order mark, which is left out\n")
        head = head[len(BYTE_ORDER_MARK) :]
    return io.BufferedReader(_Bounded(name, rejoined(name, head, lines)), _READ_BYTES)


def at_least(raw: BinaryIO, head: bytes, count: int) -> bytes:
    """So many first bytes, or all where there are fewer."""
    while len(head) < count and (more := raw.read1(_READ_BYTES)):  # type: ignore[attr-defined]
        head += more
    return head


def _head(lines: BinaryIO, head: bytes) -> tuple[bytes, bool]:
    """Enough to know what it is: mostly the first line, so that a slow pipe is not waited for."""
    while len(head) < HEAD_BYTES:
        opens_array = head.removeprefix(BYTE_ORDER_MARK).lstrip().startswith(b"[")
        if b"\n" in head and not opens_array and has_object_line(head[: head.rindex(b"\n")]):
            return head, False
        more = lines.read1(_READ_BYTES)  # type: ignore[attr-defined]
        if not more:
            return head, True
        head += more
    return head, False


def numbered_values(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers from 1, without their ends (LF or CRLF); those of white space are skipped."""
    for number, line in enumerate(lines, start=1):
        value = line
        if value.endswith(b"\n"):
            value = value[:-1]
            if value.endswith(b"\r"):
                value = value[:-1]
        if value.strip(_JSON_SPACE):
            yield number, value
