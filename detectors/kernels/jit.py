"""The one place that says how kernels are compiled.

No ``fastmath`` (arithmetic is on integers and must stay exact), no ``parallel`` (the partition is the
unit of parallelism); ``nogil`` so that a worker's event loop goes on while a batch is judged.

``_nrt=False``: kernels allocate nothing and own nothing, so counting references to the arrays they are
handed would only cost time; measured here, with it a batch took four times as long.
``inlined`` is for what runs for every event: a call that hands on the tuples of arrays copies some
hundred and fifty words.
"""

from __future__ import annotations

from numba import njit

kernel = njit(cache=True, nogil=True, _nrt=False)
inlined = njit(cache=True, nogil=True, _nrt=False, forceinline=True)
