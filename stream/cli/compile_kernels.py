"""``python -m stream.cli.compile_kernels``: all kernels ahead of all, so that no later start has to wait."""

from __future__ import annotations

import sys
import time

from stream.api.queries.query_service import QueryService
from stream.settings import Settings
from stream.worker.warm_up import warm_up


def main() -> None:
    """Compile whatever a worker and an API need, and say how far it is."""
    began_s = time.monotonic()
    for name, load in (("worker", warm_up), ("API", QueryService(Settings()).warm_up)):
        sys.stderr.write(f"kernels of the {name}: compiled once on a machine, which takes minutes ... ")
        sys.stderr.flush()
        load()
        sys.stderr.write(f"there, at {time.monotonic() - began_s:.0f} s\n")


if __name__ == "__main__":
    main()
