# ruff: noqa: E501 - a table of names
"""``python -m deploy.house_rules``: sizes that ruff does not count. Part of ``make check``.

Files have at most 300 lines, functions 40 (without their docstring) and 8 parameters, and tests wait with a
deadline. What is longer for a reason says it where it stands: a docstring with the words "longer because".
Kernels are held to lines of a file only: a function that numba does not inline has its price. Folders of
modules have some ten entries; the few with more are named here with how many, and may not grow.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parent.parent
MOST_LINES, MOST_FUNCTION_LINES, MOST_PARAMETERS, MOST_ENTRIES = 300, 40, 8, 16
MODULES = ("stream/", "detectors/", "schemas/")
KERNELS = ("detectors/kernels/", "schemas/decode/", "schemas/encode/")
REASON = "longer because"
NAMED_OUTSIDE = ("stream/cli/", "stream/api/list_routes.py", "stream/api/review_routes.py", "tests/")
#: Folders of modules with more entries than a reader takes in at a look. They may shrink, not grow.
LARGE = {
    "detectors": 20,
    "schemas": 41,
    "stream": 27,
    "stream/api/queries": 18,
    "stream/cli": 17,
    "stream/metrics": 17,
    "stream/offline": 21,
}
#: Files and functions that are still longer than they should be. They may shrink, not grow.
LONG = {
    "benchmarks/bench_throughput.py: main": 47,
    "benchmarks/peers/run.py: main": 41,
    "schemas/api.py": 305,
    "stream/api/access/keys.py": 305,
    "stream/cli/replay.py: _run": 47,
    "stream/ledger/verify.py": 362,
    "stream/offline/replay.py": 319,
    "stream/simulation/demo.py: _show": 42,
    "stream/state/restore_pages.py: restore_pages": 46,
    "stream/worker/process.py: run": 46,
    "stream/worker/steps/state.py: __init__": 51,
    "stream/worker/warm_up.py: warm_up": 42,
    "tests/detectors/models/naive.py: risk": 49,
    "tests/oracle/watch.py": 321,
    "tests/stream/simulation/test_demo.py: test_a_hold_is_on_the_console_while_the_city_moves_and_all_is_gone_afterwards": 46,
    "tests/stream/worker/test_shadow.py: test_metrics_say_what_would_be_held_and_named_for_real_it_is_told_from_then_on": 51,
}
#: `sleep(0)` only lets others go on.
_SLEEP = re.compile(r"\bsleep\((?!0\))")
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def tracked() -> list[str]:
    """All files of the repository, with slashes."""
    listed = subprocess.run(
        ["/usr/bin/env", "git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def faults_of(name: str, text: str) -> Iterator[str]:
    """What is wrong with a source file, each with place and number."""
    tree = ast.parse(text)
    lines = text.splitlines()
    most = LONG.get(name, MOST_LINES)
    if len(lines) > most and not _has_reason(ast.get_docstring(tree)):
        yield f"{name}: {len(lines)} lines, at most {most}: split it, or say why in its docstring"
    if name.startswith(KERNELS):
        return
    for node in ast.walk(tree):
        if isinstance(node, _Function):
            yield from _faults_of_function(name, node)
    if name.startswith("tests/"):
        yield from _sleeps(name, tree, lines)


def _has_reason(docstring: str | None) -> bool:
    return REASON in " ".join((docstring or "").lower().split())


def _faults_of_function(name: str, node: _Function) -> Iterator[str]:
    place = f"{name}:{node.lineno}: {node.name}"
    told = ast.get_docstring(node)
    body = node.body[1:] if told is not None else node.body
    length = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
    reason = _has_reason(told)
    most = LONG.get(f"{name}: {node.name}", MOST_FUNCTION_LINES)
    if length > most and not reason:
        yield f"{place} has {length} lines, at most {most}"
    taken = node.args
    count = len(taken.posonlyargs) + len(taken.args) + len(taken.kwonlyargs)
    # Of a command, parameters are options; of a route, what is asked; of a test, fixtures and values.
    if count > MOST_PARAMETERS and not reason and not name.startswith(NAMED_OUTSIDE):
        yield f"{place} has {count} parameters, at most {MOST_PARAMETERS}: make some of them one value"


def _sleeps(name: str, tree: ast.Module, lines: list[str]) -> Iterator[str]:
    """Sleeps that are not a step of a loop, which looks again until a deadline."""
    stepped = {
        number
        for node in ast.walk(tree)
        if isinstance(node, ast.While | ast.For | ast.AsyncFor)
        for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    for number, line in enumerate(lines, 1):
        if _SLEEP.search(line) and number not in stepped and "# waits" not in line:
            yield f"{name}:{number}: sleeps outside a loop: poll with a deadline, or add `# waits: why`"


def folders(names: list[str]) -> Iterator[str]:
    """Folders that hold more modules and folders of modules than a reader takes in at a look."""
    entries: dict[str, set[str]] = {}
    for name in names:
        if name.startswith(MODULES) and name.endswith(".py"):
            path = PurePosixPath(name)
            for parent in list(path.parents)[:-1]:
                entries.setdefault(str(parent), set()).add(path.relative_to(parent).parts[0])
    for place, found in sorted(entries.items()):
        most = LARGE.get(place, MOST_ENTRIES)
        if len(found) > most:
            yield f"{place}: {len(found)} entries, at most {most}: make a folder of some that belong together"


def main() -> int:
    """1 when a rule is broken, each fault on a line of its own."""
    names = tracked()
    faults = list(folders(names))
    for name in names:
        if name.endswith(".py"):
            faults += faults_of(name, (ROOT / name).read_text(encoding="utf-8"))
    for fault in faults:
        sys.stderr.write(f"{fault}\n")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
