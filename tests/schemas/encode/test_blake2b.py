"""The kernel's hash beside hashlib's."""

from __future__ import annotations

import hashlib

import numpy as np
from hypothesis import example, given, settings, strategies as st

from schemas.encode.blake2b import digest


@settings(deadline=None)
@given(st.binary(max_size=400))
@example(b"")
@example(b"x" * 128)
@example(b"x" * 129)
@example(b"x" * 256)
def test_the_kernels_digest_is_hashlibs(text: bytes) -> None:
    h, m = np.zeros(8, np.uint64), np.zeros(16, np.uint64)
    digest(np.frombuffer(text + b"behind", np.uint8), len(text), h, m)
    assert h[:2].tobytes() == hashlib.blake2b(text, digest_size=16).digest()
