"""How the encoder's kernels are compiled; see `detectors.kernels.jit` for the reasons.

The packages do not know each other, so this is said there, too; a test holds them alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit, types


def sources_digest(folder: Path) -> str:
    """A digest of all sources in a folder and in the folders within."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        source = path.read_bytes()
        name = path.relative_to(folder).as_posix()
        digest.update(f"{name}\0{len(source)}\0".encode() + source)
    return digest.hexdigest()


_DIGEST = sources_digest(Path(__file__).parent)


def _once_per_type(dispatcher: Any) -> None:  # noqa: ANN401 - it has no type
    """Have the function compiled once for an integer, not anew for every constant that a caller writes there.

    What is inlined sees the constant all the same; the others are long, and compiling them took minutes.
    """
    given = dispatcher.get_call_template

    def get_call_template(args: tuple[Any, ...], kws: dict[str, Any]) -> Any:  # noqa: ANN401 - numba's types
        plain = {name: types.unliteral(kind) for name, kind in kws.items()}
        return given(tuple(types.unliteral(kind) for kind in args), plain)

    dispatcher.get_call_template = get_call_template


def _compiled(**options: bool) -> Callable[[Callable[..., Any]], Any]:
    """Compile with a cache that belongs to exactly these sources.

    Numba's own stamp is the time of the one file a function stands in: with a changed kernel beneath it, an
    old caller would be loaded from the cache with the old kernel inlined, and judge by it.
    """

    def decorate(function: Callable[..., Any]) -> Any:  # noqa: ANN401 - a dispatcher has no type
        dispatcher = njit(cache=True, nogil=True, _nrt=False, **options)(function)
        # With NUMBA_DISABLE_JIT=1 there is nothing compiled and no cache.
        if dispatcher is not function:
            dispatcher._cache._cache_file._source_stamp = _DIGEST  # noqa: SLF001 - held by test_jit.py
            _once_per_type(dispatcher)
        return dispatcher

    return decorate


kernel = _compiled()
inlined = _compiled(forceinline=True)
