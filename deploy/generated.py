"""Files of this folder that are made from Python: written, or compared with what they should be."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


def write(files: Mapping[Path, str], module: str, arguments: Sequence[str]) -> int:
    """Write the files, or with ``--check`` say which ``module`` would write otherwise; the exit status."""
    old = [
        path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    if "--check" in arguments:
        for path in old:
            sys.stderr.write(f"{path.name} is old: python -m {module}\n")
        return 1 if old else 0
    for path in old:
        path.write_text(files[path], encoding="utf-8")
    return 0
