"""``python -m stream.cli.compile_kernels``: all kernels ahead of all, so that no later start has to wait.

Two processes, for numba compiles one function at a time: what the worker needs on one core, what the API
needs on another.
"""

from __future__ import annotations

import subprocess
import sys
import time

from stream.api.queries.query_service import QueryService
from stream.settings import Settings
from stream.worker.warm_up import warm_up


def _api() -> None:
    QueryService(Settings()).warm_up()


_PARTS = {"worker": warm_up, "API": _api}


def main(parts: list[str]) -> int:
    """Compile whatever a worker and an API need, or what one of them needs; 1 when one could not."""
    if parts:
        for part in parts:
            _PARTS[part]()
        return 0
    began_s = time.monotonic()
    command = [sys.executable, "-m", "stream.cli.compile_kernels"]
    started = {part: subprocess.Popen([*command, part]) for part in _PARTS}
    statuses = []
    for part, process in started.items():
        sys.stderr.write(f"kernels of the {part}: compiled once on a machine, a minute or two ... ")
        sys.stderr.flush()
        statuses.append(process.wait())
        said = "failed" if statuses[-1] else "there"
        sys.stderr.write(f"{said}, at {time.monotonic() - began_s:.0f} s\n")
    return int(any(statuses))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
