"""The processes beside a live benchmark, and how far its worker is."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import harness
from stream.state.shm_writer import H_LIVE, H_READ, read_about, shared_folder

DEADLINE_S = 240.0
_HERE = Path(__file__).resolve().parent


class Helper:
    """A process that is told what to do by lines of JSON, and answers."""

    def __init__(self, process: subprocess.Popen[str], name: str) -> None:
        self._process = process
        self._name = name
        self._answers: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            # Faust's worker logs to standard output, too.
            if line.startswith("{"):
                self._answers.put(line)

    def say(self, **order: object) -> None:
        """Tell it something."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def answer(self, to: str, deadline_s: float = DEADLINE_S) -> dict[str, Any]:
        """What it answers; ends the benchmark when it does not."""

        def line() -> str | None:
            with contextlib.suppress(queue.Empty):
                return self._answers.get(timeout=0.1)
            if self._process.poll() is not None and self._answers.empty():
                raise SystemExit(f"the {self._name} has ended; see {harness.RESULTS / 'logs'}")
            return None

        found: dict[str, Any] = json.loads(harness.wait_until(f"{self._name}, {to}", line, deadline_s))
        return found


@contextlib.contextmanager
def helper(name: str, told: Mapping[str, object], environment: Mapping[str, str]) -> Iterator[Helper]:
    """One of the two helpers, ready."""
    arguments = [sys.executable, str(_HERE / f"{name}.py"), json.dumps(told)]
    with harness.running(f"live_{name}", arguments, environment) as process:
        found = Helper(process, name)
        found.answer("getting ready")
        yield found


class Progress:
    """How far a worker says it is, read beside it from shared memory: asking costs it nothing."""

    def __init__(self, environment: Mapping[str, str], partitions: int) -> None:
        folder = shared_folder("auto", environment["RESPITE_GROUP"], environment["RESPITE_PREFIX"])
        assert folder is not None, "this benchmark needs /dev/shm"
        self._folders = [folder / f"p{number}" for number in range(partitions)]
        self._headers: dict[int, np.ndarray] = {}

    def _word(self, number: int, word: int) -> int:
        if number not in self._headers:
            about = read_about(self._folders[number])
            if about is None:
                return 0
            path = self._folders[number] / about.folder / "header"
            self._headers[number] = np.memmap(path, dtype=np.int64, mode="r")
        return int(self._headers[number][word])

    @property
    def read(self) -> int:
        """Events judged."""
        return sum(self._word(number, H_READ) for number in range(len(self._folders)))

    @property
    def live(self) -> bool:
        """Whether every partition is."""
        return all(self._word(number, H_LIVE) for number in range(len(self._folders)))
