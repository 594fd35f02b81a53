"""BLAKE2b with a digest of 128 bits and no key (RFC 7693), of short inputs."""

from __future__ import annotations

import numpy as np

from schemas.encode.columns import I64, U8, U64
from schemas.encode.jit import inlined, kernel

BLOCK_BYTES = 128
DIGEST_BYTES = 16
_ROUNDS = 12
_IV = np.array(
    [
        0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
        0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
    ],
    dtype=np.uint64,
)  # fmt: skip
_SIGMA: I64 = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    ],
    dtype=np.int64,
)
#: Digest length 16, no key, fan-out and depth 1 (RFC 7693, 2.5).
_PARAMETERS = np.uint64(0x01010010)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_R1, _L1 = np.uint64(32), np.uint64(32)
_R2, _L2 = np.uint64(24), np.uint64(40)
_R3, _L3 = np.uint64(16), np.uint64(48)
_R4, _L4 = np.uint64(63), np.uint64(1)


@inlined
def _mix(
    a: np.uint64, b: np.uint64, c: np.uint64, d: np.uint64, x: np.uint64, y: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    a = a + b + x
    d ^= a
    d = (d >> _R1) | (d << _L1)
    c = c + d
    b ^= c
    b = (b >> _R2) | (b << _L2)
    a = a + b + y
    d ^= a
    d = (d >> _R3) | (d << _L3)
    c = c + d
    b ^= c
    b = (b >> _R4) | (b << _L4)
    return a, b, c, d


@kernel
def _compress(h: U64, m: U64, counted: np.uint64, last: np.uint64) -> None:
    v0, v1, v2, v3, v4, v5, v6, v7 = h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7]
    v8, v9, v10, v11 = _IV[0], _IV[1], _IV[2], _IV[3]
    v12, v13, v14, v15 = _IV[4] ^ counted, _IV[5], _IV[6] ^ last, _IV[7]
    for turn in range(_ROUNDS):
        s = _SIGMA[turn]
        v0, v4, v8, v12 = _mix(v0, v4, v8, v12, m[s[0]], m[s[1]])
        v1, v5, v9, v13 = _mix(v1, v5, v9, v13, m[s[2]], m[s[3]])
        v2, v6, v10, v14 = _mix(v2, v6, v10, v14, m[s[4]], m[s[5]])
        v3, v7, v11, v15 = _mix(v3, v7, v11, v15, m[s[6]], m[s[7]])
        v0, v5, v10, v15 = _mix(v0, v5, v10, v15, m[s[8]], m[s[9]])
        v1, v6, v11, v12 = _mix(v1, v6, v11, v12, m[s[10]], m[s[11]])
        v2, v7, v8, v13 = _mix(v2, v7, v8, v13, m[s[12]], m[s[13]])
        v3, v4, v9, v14 = _mix(v3, v4, v9, v14, m[s[14]], m[s[15]])
    h[0] ^= v0 ^ v8
    h[1] ^= v1 ^ v9
    h[2] ^= v2 ^ v10
    h[3] ^= v3 ^ v11
    h[4] ^= v4 ^ v12
    h[5] ^= v5 ^ v13
    h[6] ^= v6 ^ v14
    h[7] ^= v7 ^ v15


@kernel
def digest(text: U8, length: int, h: U64, m: U64) -> None:
    """The digest of the first ``length`` bytes, little-endian in ``h[0]`` and ``h[1]``.

    ``h`` takes 8 words, ``m`` 16: scratch.
    """
    for word in range(8):
        h[word] = _IV[word]
    h[0] ^= _PARAMETERS
    at = 0
    while True:
        here = min(length - at, BLOCK_BYTES)
        for word in range(16):
            found = np.uint64(0)
            for byte in range(8):
                index = 8 * word + byte
                if index < here:
                    found |= np.uint64(text[at + index]) << np.uint64(8 * byte)
            m[word] = found
        at += here
        if at >= length:
            _compress(h, m, np.uint64(at), _ALL)
            return
        _compress(h, m, np.uint64(at), np.uint64(0))
