"""A sequence number per rider: readers beside the stream see a row whole, or see that they did not.

A writer makes the number odd before it changes a rider and even afterwards; a reader copies and looks
whether the number was even and has stayed. The fences keep the compiler (and, off x86, the processor)
from moving the rider's words across the number.
"""

from __future__ import annotations

from typing import Any

from numba import config, types
from numba.extending import intrinsic

from detectors.kernels.jit import inlined
from detectors.kernels.layout.arrays import Memory

if config.DISABLE_JIT:

    def fence() -> None:
        """Nothing is reordered where nothing is compiled."""

else:

    @intrinsic
    def fence(typing: Any) -> Any:  # noqa: ANN401, ARG001 - numba's interface has no types
        """An acquire-release fence."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401, ARG001
            builder.fence("acq_rel")
            return context.get_dummy_value()

        return types.void(), generate


@inlined
def begin_change(mem: Memory, row: int) -> None:
    """From here on the rider's row and blocks are being changed."""
    mem.seq[row] += 1
    fence()


@inlined
def end_change(mem: Memory, row: int) -> None:
    """The rider's row and blocks stand again."""
    fence()
    mem.seq[row] += 1
