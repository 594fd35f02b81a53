"""Writing that survives: what has returned is on the disk; a crash leaves the old or a part of the new."""

from __future__ import annotations

import os
from pathlib import Path


class Disk:
    """The steps by which a chain's files change; a test stands between any two of them."""

    def append(self, path: Path, data: bytes) -> None:
        """Put bytes at a file's end; it is made where there is none."""
        new = not path.exists()
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        try:
            self._write(number, data)
            self._sync(number)
        finally:
            os.close(number)
        if new:
            self._sync_folder(path.parent)

    def replace(self, path: Path, data: bytes) -> None:
        """Put a whole file in the place of another, all at once."""
        waiting = path.with_name(path.name + ".new")
        number = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
        try:
            self._write(number, data)
            self._sync(number)
        finally:
            os.close(number)
        self._rename(waiting, path)
        self._sync_folder(path.parent)

    def cut(self, path: Path, size: int) -> None:
        """Take away what lies behind ``size`` bytes; with none left, the file."""
        if size == 0:
            path.unlink()
            self._sync_folder(path.parent)
            return
        number = os.open(path, os.O_WRONLY)
        try:
            os.ftruncate(number, size)
            self._sync(number)
        finally:
            os.close(number)

    def folder(self, path: Path) -> None:
        """Make a folder, and those above it."""
        path.mkdir(parents=True, exist_ok=True)
        self._sync_folder(path.parent)

    def _write(self, number: int, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(number, left) :]

    def _sync(self, number: int) -> None:
        os.fsync(number)

    def _rename(self, waiting: Path, path: Path) -> None:
        waiting.replace(path)

    def _sync_folder(self, path: Path) -> None:
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
