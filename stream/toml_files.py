"""TOML files of the operator's, read with a message that names what is wrong with them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from schemas.faults.toml_text import toml_fault


class Unreadable(ValueError):
    """A file that cannot be read as TOML; the message names it, what is wrong and the remedy."""


def toml_file(path: Path) -> dict[str, Any]:
    """What a file says.

    Raises
    ------
    Unreadable
        When it cannot be read, or is not TOML in UTF-8.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Unreadable(f"{path}: cannot be read: {(error.strerror or 'it').lower()}") from error
    except UnicodeDecodeError as error:
        raise Unreadable(
            f"{path}: cannot be read: not UTF-8 at byte {error.start}: save it as UTF-8"
        ) from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Unreadable(f"{path}: {toml_fault(text, error)}") from error
