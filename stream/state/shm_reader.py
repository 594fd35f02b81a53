"""The reader's side of a partition whose riders lie in mapped files (`stream.state.shm_writer`)."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from detectors.kernels.doubts.shared_orders import PAIR_WORDS
from detectors.kernels.layout import misc as Misc
from detectors.kernels.layout.values import I64, ID_BYTES
from detectors.kernels.reading.columns import Shared
from detectors.reading import ARRAYS
from stream.state.shm_writer import (
    FIELDS,
    FORMAT,
    GATES,
    H_CLOSED,
    H_FORMAT,
    H_GENERATION,
    H_HEARD_MS,
    H_LAG_RECORDS,
    H_LIVE,
    H_NOW,
    H_READ,
    H_RIDERS,
    H_TURN,
    H_WALL_MS,
    NAMES,
    SILENT_MS,
    STALE_S,
    TWO_RIDERS,
    About,
    layout_digest_once,
    map_file,
    read_about,
)


@dataclass(frozen=True, slots=True)
class Health:
    """How far a partition is and whether it may be believed; ``why_not`` is None when it may.

    ``now_s`` is None before the first event.
    """

    partition: int
    worker: str
    now_s: int | None
    said_ms: int
    riders: int
    lag_records: int
    read: int
    why_not: str | None
    clock: Literal["wall", "event"] | None


class SharedPartition:
    """The reader's side of one partition."""

    def __init__(self, folder: Path, number: int, digest: str) -> None:
        self.number = number
        self._folder = folder
        self._digest = digest
        self._seen: tuple[int, int] | None = None
        self._about: About | None = None
        self._header: I64 | None = None
        self._turn = -1
        self._shared: Shared | None = None
        self._names: dict[str, npt.NDArray[np.uint8]] = {}
        self._gates: dict[str, I64] = {}
        self._gates_seen: tuple[int, int] | None = None

    def health(self, wall_ms: int) -> Health:
        """How far the partition is, and why it may not be believed."""
        about = self._look()
        if about is None or self._header is None:
            return Health(self.number, "", None, 0, 0, 0, 0, "elsewhere", None)
        header = self._header
        now_s = int(header[H_NOW])
        return Health(
            partition=self.number,
            worker=about.worker,
            now_s=now_s if now_s > 0 else None,
            said_ms=int(header[H_WALL_MS]),
            riders=int(header[H_RIDERS]),
            lag_records=int(header[H_LAG_RECORDS]),
            read=int(header[H_READ]),
            why_not=self._why_not(about, header, now_s, wall_ms),
            clock=about.clock,
        )

    def _why_not(self, about: About, header: I64, now_s: int, wall_ms: int) -> str | None:
        if about.layout != layout_digest_once() or header[H_FORMAT] != FORMAT:
            return "version"
        if about.digest != self._digest:
            return "policies"
        if header[H_CLOSED]:
            return "elsewhere"
        if not header[H_LIVE]:
            return "restoring"
        # The worker's end, and the broker's: without it what is known is no longer what has happened.
        if any(abs(wall_ms - int(header[word])) > SILENT_MS for word in (H_WALL_MS, H_HEARD_MS)):
            return "stale"
        if about.clock == "wall" and wall_ms // 1000 - now_s > STALE_S:
            return "stale"
        return None

    def _look(self) -> About | None:
        try:
            found = (self._folder / "current").stat()
        except (FileNotFoundError, NotADirectoryError):
            self._seen = self._about = self._header = None
            return None
        seen = (found.st_ino, found.st_mtime_ns)
        if seen != self._seen:
            self._about = read_about(self._folder)
            self._header, self._turn = None, -1
            if self._about is not None:
                with contextlib.suppress(FileNotFoundError):
                    mapped = map_file(self._folder / self._about.folder / "header", write=False)
                    self._header = np.frombuffer(mapped, dtype=np.int64)
                    self._seen = seen
        return self._about

    def arrays(self) -> Shared | None:
        """The arrays as they are now; None while they are being replaced. After reading ask `is_current`."""
        if self._header is None or self._about is None:
            return None
        turn = int(self._header[H_TURN])
        if turn == self._turn:
            return self._shared
        if turn & 1:
            return None
        generations = self._header[H_GENERATION : H_GENERATION + len(FIELDS)].tolist()
        folder = self._folder / self._about.folder
        try:
            mapped = {
                name: np.frombuffer(
                    map_file(folder / f"{name}.{generation}", write=False), dtype=_TYPES[name]
                )
                for name, generation in zip(FIELDS, generations, strict=True)
            }
        except FileNotFoundError:
            return None
        if int(self._header[H_TURN]) != turn:
            return None
        rows = len(mapped["seq"])
        shaped = {
            name: mapped[name].reshape(rows, -1) if name in ("rows", "ids", "briefs") else mapped[name]
            for name in ARRAYS
        }
        self._shared = Shared(**shaped, turn=self._header[H_TURN : H_TURN + 1], at_turn=turn)
        self._turn = turn
        self._names = {name: mapped[name] for name in NAMES}
        return self._shared

    def is_current(self) -> bool:
        """Whether what was read since `arrays` was read from the arrays in use."""
        return self._header is not None and int(self._header[H_TURN]) == self._turn

    def two_riders(self) -> I64:
        """Orders that two riders have had at once, as far as the worker has found them; one a line."""
        blank = np.zeros((0, PAIR_WORDS), dtype=np.int64)
        if self._look() is None or self._about is None:
            return blank
        try:
            raw = (self._folder / self._about.folder / TWO_RIDERS).read_bytes()
        except FileNotFoundError:
            return blank
        return np.frombuffer(raw, dtype=np.int64).reshape(-1, PAIR_WORDS)

    def gates(self) -> dict[str, I64] | None:
        """When and where limits are on, by zones' numbers; None where the worker has not said it."""
        if self._look() is None or self._about is None:
            return None
        path = self._folder / self._about.folder / GATES
        try:
            found = path.stat()
            if (found.st_ino, found.st_mtime_ns) != self._gates_seen:
                with np.load(path) as arrays:
                    self._gates = dict(arrays)
                self._gates_seen = (found.st_ino, found.st_mtime_ns)
        except FileNotFoundError:
            return None
        return self._gates

    def zone_names(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
        """Copies of the names behind zones' numbers, as they lie, and of their lengths."""
        names = self._names["zones"].reshape(-1, ID_BYTES)
        return names.copy(), self._names["zone_lengths"].copy()

    def platforms(self) -> list[str]:
        """The names behind platforms' numbers."""
        return self._names_of("platforms", "platform_lengths", Misc.PLATFORMS)

    def zones(self) -> list[str]:
        """The names behind zones' numbers."""
        return self._names_of("zones", "zone_lengths", Misc.ZONES)

    def _names_of(self, names: str, lengths: str, counter: int) -> list[str]:
        if self._shared is None:
            return []
        texts, sizes = self._names[names].reshape(-1, 64), self._names[lengths]
        count = min(int(self._shared.misc[counter]), len(sizes))
        return [bytes(texts[index, : sizes[index]]).decode("ascii") for index in range(count)]


_TYPES: dict[str, npt.DTypeLike] = {
    **dict.fromkeys(FIELDS, np.int64),
    **dict.fromkeys(("ids", "id_lengths", *NAMES), np.uint8),
    "table_hash": np.uint64,
    "own_hash": np.uint64,
}
