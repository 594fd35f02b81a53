"""A partition's rider store in mapped files: the worker writes, API processes on the machine read.

A folder per partition holds one folder per owner, and ``current``, which names the owner's. Each array is a
file; one that grows becomes a new file under the next generation, and readers map it anew. The header, an
array of int64 words, says which generations belong together, *now*, and when the worker last said so.
"""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from detectors import kernels
from detectors.kernels.layout.arrays import Memory
from detectors.limits import LimitTable
from detectors.reading import ARRAYS
from detectors.settings import StoreSettings
from schemas.jit import sources_digest

FORMAT = 2
#: Words of the header.
H_FORMAT, H_TURN, H_NOW, H_WALL_MS, H_LIVE, H_RIDERS, H_LAG_RECORDS, H_READ, H_CLOSED, H_HEARD_MS = range(10)
H_GENERATION = 16
HEADER_WORDS = 64
#: A worker that has said nothing for so long is not believed, nor one that the broker has told nothing: four
#: times a second the one says how far it is, and the other answers.
SILENT_MS = 10_000
#: A *now* older than this says nothing of the present (wall clock).
STALE_S = 15
NAMES = ("platforms", "platform_lengths", "zones", "zone_lengths")
FIELDS = (*ARRAYS, *NAMES)
#: The file of orders that two riders have had at once, which few partitions ever have.
TWO_RIDERS = "two-riders"
#: The file of when and where limits are on, where there are such.
GATES = "gates"
_LEFT_BEHIND_S = 3600.0
_WHERE = Path("/dev/shm")  # noqa: S108 - memory, and the folder below is 0700


class NoRoom(RuntimeError):
    """The shared folder cannot take the riders' state."""


class About(msgspec.Struct, frozen=True):
    """What ``current`` says of the owner."""

    folder: str
    layout: str
    digest: str
    policies: tuple[str, ...]
    partitions: int
    worker: str
    clock: Literal["wall", "event"]
    #: Under which name the policies are written down (`stream.policies.plan`); empty where they are not.
    plan: str = ""


class Progress(NamedTuple):
    """How far a partition is.

    Parameters
    ----------
    now_s
        *now* of the partition, epoch seconds.
    wall_ms
        When this is said, epoch milliseconds.
    heard_ms
        When the broker last answered for the partition, epoch milliseconds; 0 before it has.
    live
        The state is built, and answers may be made from it.
    riders, lag_records, read
        Riders in the store, records of the source not judged yet, and those judged.
    """

    now_s: int
    wall_ms: int
    heard_ms: int
    live: bool
    riders: int
    lag_records: int
    read: int


def layout_digest() -> str:
    """What must be the same for worker and reader to mean the same by the words."""
    return sources_digest(Path(kernels.__path__[0]))[:16]


def digest_of(limits: LimitTable, settings: StoreSettings) -> str:
    """A digest of all that verdicts depend on."""
    told = repr((limits.limits, settings.rules()._replace(seal_events=0)))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def shared_folder(setting: str, group: str, prefix: str) -> Path | None:
    """The folder of a group of workers; None when state is not shared.

    Raises
    ------
    NoRoom
        When it belongs to somebody else, who could have his own state believed.
    """
    if setting == "none" or (setting == "auto" and not _WHERE.is_dir()):
        return None
    root = _WHERE / f"respite-{os.getuid()}" if setting == "auto" else Path(setting)
    if root.is_dir() and root.stat().st_uid not in (os.getuid(), 0):
        message = (
            f"{root} belongs to somebody else: set RESPITE_SHARED_DIR to a folder of your own, or to none"
        )
        raise NoRoom(message)
    return root / (f"{prefix}@{group}" if prefix else group)


def map_file(path: Path, *, write: bool) -> mmap.mmap:
    """A whole file, mapped."""
    with path.open("r+b" if write else "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_WRITE if write else mmap.ACCESS_READ)


class SharedArrays:
    """The writer's side of one partition.

    Parameters
    ----------
    folder
        Of the partition; what former owners left there is removed.
    about
        What readers must know before they read; its folder is chosen here.
    """

    def __init__(self, folder: Path, about: About) -> None:
        self._partition = folder
        name = secrets.token_hex(8)
        self._folder = folder / name
        try:
            # One by one: what mkdir makes on the way to a folder is open to others.
            folder.parent.parent.mkdir(mode=0o700, exist_ok=True)
            folder.parent.mkdir(mode=0o700, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
            self._folder.mkdir(mode=0o700)
        except OSError as error:
            message = (
                f"{folder}: cannot be made: {error}; set RESPITE_SHARED_DIR to a folder of your own, or none"
            )
            raise NoRoom(message) from error
        self._arrays: dict[str, npt.NDArray[Any]] = {}
        self._generations = dict.fromkeys(FIELDS, 0)
        self._header = self._new("header", np.zeros(HEADER_WORDS, dtype=np.int64))
        self._header[H_FORMAT] = FORMAT
        self._about = msgspec.structs.replace(about, folder=name)
        waiting = folder / f"{name}.new"
        waiting.touch(mode=0o600)
        waiting.write_bytes(msgspec.json.encode(self._about))
        waiting.replace(folder / "current")
        for other in folder.iterdir():
            if other.is_dir() and other.name != name:
                shutil.rmtree(other, ignore_errors=True)

    def _new(self, file: str, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        path = self._folder / file
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                # Taken now: a write into a mapped file that finds no room would end the process.
                os.posix_fallocate(descriptor, 0, max(1, array.nbytes))
            finally:
                os.close(descriptor)
        except OSError as error:
            message = (
                f"{path}: no room for {array.nbytes:,} bytes of riders' state: {error}; enlarge it, or set "
                "RESPITE_SHARED_DIR to a folder with room, or to none to go without reads beside the stream"
            )
            raise NoRoom(message) from error
        mapped = np.frombuffer(map_file(path, write=True), dtype=array.dtype).reshape(array.shape)
        mapped[...] = array
        return mapped

    def place(self, mem: Memory) -> Memory:
        """Move those arrays that are new or have grown into files; `RiderStore` calls it."""
        moved = {}
        for name in FIELDS:
            array = getattr(mem, name)
            if array is not self._arrays.get(name):
                self._generations[name] += 1
                moved[name] = self._new(f"{name}.{self._generations[name]}", array)
        if not moved:
            return mem
        self._arrays |= moved
        self._header[H_TURN] += 1
        for index, name in enumerate(FIELDS):
            self._header[H_GENERATION + index] = self._generations[name]
        self._header[H_TURN] += 1
        for name in moved:
            (self._folder / f"{name}.{self._generations[name] - 1}").unlink(missing_ok=True)
        return mem._replace(**moved)

    def put_two_riders(self, lines: npt.NDArray[np.int64]) -> None:
        """Let readers have the orders that two riders have had at once (`detectors.shared_orders`)."""
        waiting = self._folder / f"{TWO_RIDERS}.new"
        waiting.touch(mode=0o600)
        waiting.write_bytes(lines.tobytes())
        waiting.replace(self._folder / TWO_RIDERS)

    def put_gates(self, arrays: Mapping[str, npt.NDArray[np.int64]]) -> None:
        """Let readers have when and where limits are on (`detectors.conditions`)."""
        waiting = self._folder / f"{GATES}.new"
        waiting.touch(mode=0o600)
        with waiting.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        waiting.replace(self._folder / GATES)

    def say(self, said: Progress) -> None:
        """Say how far the partition is; several times a second, or readers take the worker for dead."""
        header = self._header
        header[H_HEARD_MS] = said.heard_ms
        header[H_NOW] = said.now_s
        header[H_RIDERS] = said.riders
        header[H_LAG_RECORDS] = said.lag_records
        header[H_READ] = said.read
        header[H_LIVE] = int(said.live)
        header[H_WALL_MS] = said.wall_ms

    def close(self) -> None:
        """The partition is no longer ours: readers learn it at once."""
        self._header[H_LIVE] = 0
        self._header[H_CLOSED] = 1
        with contextlib.suppress(FileNotFoundError):
            if read_about(self._partition) == self._about:
                (self._partition / "current").unlink()
        shutil.rmtree(self._folder, ignore_errors=True)


def sweep(folder: Path, wall_s: float) -> None:
    """Remove the partitions' folders that killed workers have left and nobody took over."""
    if not folder.is_dir():
        return
    for partition in folder.glob("p[0-9]*"):
        about = read_about(partition)
        header = partition / about.folder / "header" if about else partition
        with contextlib.suppress(FileNotFoundError):
            said_s = header.stat().st_mtime
            if about and header.is_file():
                said_s = int(np.fromfile(header, dtype=np.int64)[H_WALL_MS]) / 1000 or said_s
            if wall_s - said_s > _LEFT_BEHIND_S:
                shutil.rmtree(partition, ignore_errors=True)


def read_about(partition: Path) -> About | None:
    """What ``current`` of a partition's folder says; None when nobody has it here."""
    try:
        return msgspec.json.decode((partition / "current").read_bytes(), type=About)
    except (FileNotFoundError, NotADirectoryError):
        return None


_digest: list[str] = []


def layout_digest_once() -> str:
    """`layout_digest`, read from the sources once per process."""
    if not _digest:
        _digest.append(layout_digest())
    return _digest[0]
