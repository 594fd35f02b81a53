"""Hashes of ids: FNV-1a with a finaliser for looking up, murmur2 for placing as Kafka does."""

from __future__ import annotations

import numpy as np

from schemas.decode.columns import I64, U8, U64
from schemas.decode.jit import inlined, kernel

FNV_START = np.uint64(14695981039346656037)
FNV_PRIME = np.uint64(1099511628211)
_MIX_1 = np.uint64(0xFF51AFD7ED558CCD)
_MIX_2 = np.uint64(0xC4CEB9FE1A85EC53)
_SHIFT = np.uint64(33)


@inlined
def finish(mixed: np.uint64) -> np.uint64:
    """Spread a hash over all its bits (the finaliser of MurmurHash3); never 0."""
    mixed ^= mixed >> _SHIFT
    mixed *= _MIX_1
    mixed ^= mixed >> _SHIFT
    mixed *= _MIX_2
    mixed ^= mixed >> _SHIFT
    return mixed if mixed != np.uint64(0) else np.uint64(1)


@inlined
def hash_bytes(buf: U8, at: int, length: int) -> np.uint64:
    """64-bit hash of some bytes."""
    mixed = FNV_START
    for i in range(length):
        mixed = (mixed ^ np.uint64(buf[at + i])) * FNV_PRIME
    return finish(mixed)


@inlined
def murmur2(buf: U8, at: int, length: int) -> int:
    """Kafka's partitioner: murmur2 of a key with the sign bit cleared (Utils.murmur2, Utils.toPositive)."""
    mask = 0xFFFFFFFF
    m = 0x5BD1E995
    h = (0x9747B28C ^ length) & mask
    words = length // 4
    for word in range(words):
        i = at + 4 * word
        k = (
            np.int64(buf[i])
            | np.int64(buf[i + 1]) << 8
            | np.int64(buf[i + 2]) << 16
            | np.int64(buf[i + 3]) << 24
        )
        k = (k * m) & mask
        k ^= k >> 24
        k = (k * m) & mask
        h = (h * m) & mask
        h ^= k
    rest = length - 4 * words
    i = at + 4 * words
    if rest == 3:
        h ^= np.int64(buf[i + 2]) << 16
    if rest >= 2:
        h ^= np.int64(buf[i + 1]) << 8
    if rest >= 1:
        h ^= np.int64(buf[i])
        h = (h * m) & mask
    h ^= h >> 13
    h = (h * m) & mask
    h ^= h >> 15
    return h & 0x7FFFFFFF


@kernel
def murmur2_of(buf: U8) -> int:
    """`murmur2` of a whole array."""
    return murmur2(buf, 0, buf.shape[0])


@kernel
def hash_of(buf: U8) -> np.uint64:
    """`hash_bytes` of a whole array."""
    return hash_bytes(buf, 0, buf.shape[0])


@kernel
def hash_ids(buf: U8, off: I64, length: I64, hashes: U64, murmurs: I64) -> None:
    """`hash_bytes` and `murmur2` of many ids over one buffer."""
    for i in range(off.shape[0]):
        hashes[i] = hash_bytes(buf, off[i], length[i])
        murmurs[i] = murmur2(buf, off[i], length[i])


@inlined
def order_hash(order: np.uint64, platform: np.uint64) -> np.uint64:
    """Hash of an order on its platform."""
    return finish(order ^ (platform * FNV_PRIME + np.uint64(0x9E3779B97F4A7C15)))


@kernel
def order_hash_of(order: np.uint64, platform: np.uint64) -> np.uint64:
    """`order_hash` for callers outside kernels."""
    return order_hash(order, platform)
