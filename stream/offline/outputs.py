"""Outputs: written beside their place and put there when all is done; never onto an input."""

from __future__ import annotations

import contextlib
import gzip
import os
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

from stream.offline.compressed import InputFault
from stream.offline.inputs import STANDARD_INPUT, reason_of

STANDARD_OUTPUT = "-"


class OutputRefused(InputFault):
    """A place that nothing can or may be written to; the message has every fault."""


def check_outputs(outputs: dict[str, str | None], inputs: Sequence[str]) -> None:
    """Refuse outputs that are inputs or each other, and places where nothing can be written.

    Parameters
    ----------
    outputs
        By option, the place; None where none is asked for.
    inputs
        Whatever is read: events, policies.

    Raises
    ------
    OutputRefused
        With every fault.
    """
    named = {option: name for option, name in outputs.items() if name is not None}
    read = {identity: name for name in inputs if (identity := _identity(name, sys.stdin)) is not None}
    faults: list[str] = []
    written: dict[object, str] = {}
    for option, name in named.items():
        identity = _identity(name, sys.stdout)
        if identity in read:
            faults.append(
                f"{option} {name}: is the input {read[identity]}, which would be lost: name another file"
            )
        elif identity is not None and identity in written and name != STANDARD_OUTPUT:
            faults.append(f"{option} {name}: is the output of {written[identity]} too: name another file")
        if identity is not None:
            written[identity] = option
        fault = None if name == STANDARD_OUTPUT else _unwritable(name)
        if fault:
            faults.append(f"{option} {name}: {fault}")
    if faults:
        raise OutputRefused("\n".join(faults))


def _identity(name: str, standard: object) -> object:
    """What makes two names one file, through links too; None for pipes, terminals and devices."""
    try:
        about = (
            os.fstat(standard.fileno())  # type: ignore[attr-defined]
            if name in (STANDARD_INPUT, STANDARD_OUTPUT)
            else os.stat(name)  # noqa: PTH116
        )
    except FileNotFoundError:
        return os.path.realpath(name)
    except (OSError, ValueError):
        return None
    return (about.st_dev, about.st_ino) if stat.S_ISREG(about.st_mode) else None


def _unwritable(name: str) -> str | None:
    place = _place(name)
    if place.is_dir():
        return "is a folder: name a file in it"
    if not place.parent.is_dir():
        return f"there is no folder {place.parent}: make it with mkdir -p"
    checked = place.parent if _is_replaced(place) else place
    return None if os.access(checked, os.W_OK) else "may not be written by this user: name another place"


def _place(name: str) -> Path:
    """Where a name leads; what is no file, as /dev/stdout, keeps its name: its target has none."""
    real = Path(os.path.realpath(name))
    return real if real.exists() or not os.path.lexists(name) or not os.path.exists(name) else Path(name)  # noqa: PTH110


def _is_replaced(place: Path) -> bool:
    """Whether a place is a file or nothing yet; pipes and devices are written to as they are."""
    return place.is_file() or not place.exists()


@contextlib.contextmanager
def written(name: str) -> Iterator[BinaryIO]:
    """What is written here stands under the name once all is done, and not at all when it fails.

    Raises
    ------
    OutputRefused
        It cannot be written.
    """
    if name == STANDARD_OUTPUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    place = _place(name)
    try:
        if not _is_replaced(place):
            with place.open("wb") as out:
                yield out
            return
        with _beside(place) as (out, beside):
            yield out
            out.flush()
            os.fsync(out.fileno())
            beside.replace(place)
    except OSError as error:
        message = f"{name}: could not be written: {reason_of(error)}; what stood there stands"
        raise OutputRefused(message) from error


@contextlib.contextmanager
def written_packed(name: str) -> Iterator[BinaryIO]:
    """As `written`; what is written to ``.gz`` and ``.zst`` is compressed."""
    with written(name) as raw:
        if name.lower().endswith(".gz"):
            # Without a name and a time in it, the same contents make the same file.
            with gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=6, mtime=0) as packed:
                yield cast("BinaryIO", packed)
        elif name.lower().endswith(".zst"):
            packer = zstandard.ZstdCompressor(level=3, write_checksum=True)
            with packer.stream_writer(raw, closefd=False) as packing:
                yield cast("BinaryIO", packing)
        else:
            yield raw


@contextlib.contextmanager
def _beside(place: Path) -> Iterator[tuple[BinaryIO, Path]]:
    number, path = tempfile.mkstemp(prefix=f".{place.name[:100]}.", suffix=".part", dir=place.parent)
    beside = Path(path)
    try:
        with os.fdopen(number, "wb") as out:
            beside.chmod(_mode_of(place))
            yield out, beside
    finally:
        beside.unlink(missing_ok=True)


def _mode_of(place: Path) -> int:
    if place.exists():
        return stat.S_IMODE(place.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
