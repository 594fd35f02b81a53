"""The one place that says how kernels are compiled.

No ``fastmath`` (arithmetic is on integers and must stay exact), no ``parallel`` (the partition is the
unit of parallelism); ``nogil`` so that a worker's event loop goes on while a batch is judged.

``_nrt=False``: kernels allocate nothing and own nothing, so counting references to the arrays they are
handed would only cost time; measured here, with it a batch took four times as long.
``inlined`` is for what runs for every event: a call that hands on the tuples of arrays copies some
hundred and fifty words.

Only what Python calls becomes machine code, each such entry once, with all that it calls in one module. By
itself numba optimises and translates every function apart, wraps it for Python, and does all that again in
each of its callers: that took three times as long.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from llvmlite.binding import Linkage
from numba import njit, types
from numba.core.caching import IndexDataCacheFile
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler


def sources_digest(folder: Path) -> str:
    """A digest of all sources in a folder and in the folders within, and of how they are compiled."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path in sorted(folder.rglob("*.py")):
        source = path.read_bytes()
        name = path.relative_to(folder).as_posix()
        digest.update(f"{name}\0{len(source)}\0".encode() + source)
    return digest.hexdigest()


class _Library(JITCodeLibrary):  # type: ignore[misc]  # numba has no types
    """One function as numba has lowered it, simplified by itself."""

    def _optimize_functions(self, ll_module: Any) -> None:  # noqa: ANN401 - LLVM's types
        ll_module.data_layout = self._codegen._data_layout  # noqa: SLF001 - as numba does here
        passes, builder = self._codegen._function_pass_manager()  # noqa: SLF001
        for function in ll_module.functions:
            if not function.is_declaration:
                passes.run(function, builder)


class _CalleeLibrary(_Library):
    """A function that kernels call: its code goes into each entry, by itself it is never machine code."""

    def finalize(self) -> None:
        self._raise_if_finalized()
        for function in self._final_module.functions:
            if not function.is_declaration and function.linkage == Linkage.external:
                function.linkage = Linkage.linkonce_odr
        self._finalized = True

    def _get_module_for_linking(self) -> Any:  # noqa: ANN401
        self._ensure_finalized()
        return self._final_module


class _EntryLibrary(_Library):
    """A function that Python calls, with all that it calls: what is inside sees no other caller."""

    def finalize(self) -> None:
        found: dict[Any, None] = {}
        todo: list[Any] = list(self._linking_libraries)
        while todo:
            library = todo.pop(0)
            if library not in found:
                found[library] = None
                if isinstance(library, _CalleeLibrary):
                    todo.extend(library._linking_libraries)  # noqa: SLF001
        self._linking_libraries: list[Any] = list(found)
        super().finalize()

    def _optimize_final_module(self) -> None:
        for function in self._final_module.functions:
            if not function.is_declaration and function.linkage == Linkage.linkonce_odr:
                function.linkage = Linkage.internal
        passes, builder = self._codegen._module_pass_manager()  # noqa: SLF001
        passes.run(self._final_module, builder)


class _CalleeCompiler(Compiler):  # type: ignore[misc]
    def compile_extra(self, func: Callable[..., Any]) -> Any:  # noqa: ANN401
        context = self.state.targetctx
        self.state.library = _CalleeLibrary(context.codegen(), func.__qualname__)
        self.state.flags.no_compile = True
        result = super().compile_extra(func)
        # What numba finds the function by; otherwise the object that Python would call.
        key = object()
        context.insert_user_function(key, result.fndesc, [result.library])
        return result._replace(entry_point=key)


class _EntryCompiler(Compiler):  # type: ignore[misc]
    def compile_extra(self, func: Callable[..., Any]) -> Any:  # noqa: ANN401
        self.state.library = _EntryLibrary(self.state.targetctx.codegen(), func.__qualname__)
        self.state.library.enable_object_caching()
        return super().compile_extra(func)


def _once_per_type(dispatcher: Any) -> None:  # noqa: ANN401 - it has no type
    """Have the function compiled once for an integer, not anew for every constant that a caller writes there.

    What is inlined sees the constant all the same; the others are long, and compiling them took minutes.
    """
    given = dispatcher.get_call_template

    def get_call_template(args: tuple[Any, ...], kws: dict[str, Any]) -> Any:  # noqa: ANN401 - numba's types
        plain = {name: types.unliteral(kind) for name, kind in kws.items()}
        return given(tuple(types.unliteral(kind) for kind in args), plain)

    dispatcher.get_call_template = get_call_template


def _callee(function: Callable[..., Any], *, forceinline: bool) -> Any:  # noqa: ANN401
    """What kernels call. ``forceinline`` is said either way: unsaid, numba takes it from the first caller."""
    dispatcher = njit(
        nogil=True,
        _nrt=False,
        no_cpython_wrapper=True,
        no_cfunc_wrapper=True,
        forceinline=forceinline,
        pipeline_class=_CalleeCompiler,
    )(function)
    _once_per_type(dispatcher)

    def add_overload(result: Any) -> None:  # noqa: ANN401 - numba's type
        dispatcher.overloads[tuple(result.signature.args)] = result

    dispatcher.add_overload = add_overload
    return dispatcher


def _cached_by_all_sources(cache: Any, sources: str) -> None:  # noqa: ANN401 - numba's type
    """Let a cache belong to exactly these sources, and processes that compile at once write it in turn.

    Numba's own stamp is the time of the one file a function stands in: with a changed kernel beneath it, an
    old caller would be loaded from the cache with the old kernel inlined, and judge by it. Its index is
    read, changed and written back without a lock: of two signatures written at once, one would run the
    other's code.
    """
    folder = Path(cache.cache_path)
    base = cache._impl.filename_base  # noqa: SLF001 - held by test_jit.py
    marked = f"{base}.{sources[:16]}"
    # A name of its own, for an index of other sources cannot even be opened when a class has been renamed.
    cache._cache_file = IndexDataCacheFile(cache.cache_path, marked, sources)  # noqa: SLF001
    given = cache.save_overload

    def save_overload(signature: Any, result: Any) -> None:  # noqa: ANN401 - numba's types
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "kernels.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for path in folder.glob(f"{base}*.nb[ic]"):
                if not path.name.startswith(f"{marked}."):
                    path.unlink()
            given(signature, result)

    cache.save_overload = save_overload


def _compiled(sources: str, *, forceinline: bool) -> Callable[[Callable[..., Any]], Any]:
    """Two of each: an entry, compiled when Python first calls it, and a callee for other kernels."""

    def decorate(function: Callable[..., Any]) -> Any:  # noqa: ANN401 - a dispatcher has no type
        entry = njit(
            cache=True,
            nogil=True,
            _nrt=False,
            no_cfunc_wrapper=True,
            forceinline=False,
            pipeline_class=_EntryCompiler,
        )(function)
        # With NUMBA_DISABLE_JIT=1 there is nothing compiled and no cache.
        if entry is not function:
            _cached_by_all_sources(entry._cache, sources)  # noqa: SLF001
            callee = _callee(function, forceinline=forceinline)
            entry.get_call_template = callee.get_call_template
            entry.get_overload = callee.get_overload
        return entry

    return decorate


def compilers(folder: Path) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The decorators ``kernel`` and ``inlined`` of a folder whose kernels call none outside it."""
    sources = sources_digest(folder)
    return _compiled(sources, forceinline=False), _compiled(sources, forceinline=True)
