"""The one place that says how kernels are compiled.

No ``fastmath`` (arithmetic is on integers and must stay exact), no ``parallel`` (the partition is the
unit of parallelism); ``nogil`` so that a worker's event loop goes on while a batch is judged.
"""

from __future__ import annotations

from numba import njit

kernel = njit(cache=True, nogil=True)
