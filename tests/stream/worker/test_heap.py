"""What a large buffer took is given back when it ends, whatever ended before it."""

from __future__ import annotations

import subprocess
import sys

import pytest

#: After a first large buffer has ended, many are held, and ended in an order that leaves holes in a heap.
_HOLES = """
import os, sys
from stream.worker.heap import give_back_large_buffers

if sys.argv[1] == "set" and not give_back_large_buffers():
    sys.exit("this C library has nothing to set")

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

first = bytearray(8 << 20)
del first
before = resident()
held = [bytearray(b"x") * (2 << 20) for _ in range(40)]
del held[:-1]
print(resident() - before)
"""


@pytest.mark.parametrize(("how", "given_back"), [("set", True), ("as it is", False)])
def test_a_large_buffer_between_others_is_given_back(how: str, given_back: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _HOLES, how], check=True, capture_output=True, text=True, timeout=60
    )
    assert (int(done.stdout) < 20 << 20) is given_back, f"{int(done.stdout) >> 20} MiB are kept"
