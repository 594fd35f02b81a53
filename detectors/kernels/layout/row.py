"""Where the states of a rider's row begin."""

from __future__ import annotations

from detectors.kernels.jit import inlined
from detectors.kernels.layout import CONTROL_WORDS, LIMIT_WORDS, S_LIMITS, Limits


@inlined
def state_words(limits: Limits) -> int:
    return S_LIMITS + LIMIT_WORDS * limits.kind.shape[0]


@inlined
def base_at(limits: Limits) -> int:
    """Word of a row at which the base state begins."""
    return CONTROL_WORDS + 2 * limits.kind.shape[0]
