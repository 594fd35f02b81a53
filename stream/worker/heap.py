"""The C library's heap, set for a process that fetches and sends buffers of mebibytes."""

from __future__ import annotations

import ctypes

#: ``M_MMAP_THRESHOLD`` of glibc's malloc.h.
_MMAP_THRESHOLD = -3
_LARGE_BYTES = 1 << 20


def give_back_large_buffers() -> bool:
    """Have each buffer of a mebibyte and more mapped for itself, so that its end gives the memory back.

    glibc does so only until the first of them has ended; from then on those up to its size come from heaps,
    one per thread, that break into pieces and stay. True when it was set; other C libraries have nothing to
    set.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    return set_option is not None and set_option(_MMAP_THRESHOLD, _LARGE_BYTES) == 1
