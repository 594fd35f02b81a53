"""How the kernels of models, one cache for all of them, are compiled: see `schemas.jit`."""

from __future__ import annotations

from pathlib import Path

from schemas.jit import compilers

kernel, inlined = compilers(Path(__file__).parent)
