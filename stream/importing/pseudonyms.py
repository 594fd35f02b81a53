"""Ids that tell nobody who it is: a keyed hash, whose key stays with who imports."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
import sys
from pathlib import Path

from stream.offline.compressed import InputFault

_KEY_BYTES = 32
#: Hexadecimal digits of an id: as many as a UUID has.
_DIGITS = 32
_KEPT = 1_000_000


class KeyRefused(InputFault):
    """A file of a key that is none."""


class Pseudonyms:
    """Ids by HMAC-SHA-256.

    Whoever has only the ids cannot find out whose they are, not even by trying all phone numbers.

    Parameters
    ----------
    key
        The same key gives the same ids, in every run.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._known: dict[tuple[str, str], str] = {}

    def of(self, kind: str, value: str) -> str:
        """The id of a value; ``kind`` is its first letter and keeps riders and orders apart."""
        found = self._known.get((kind, value))
        if found is None:
            digest = hmac.new(self._key, f"{kind}\0{value}".encode(), hashlib.sha256).hexdigest()
            found = f"{kind}_{digest[:_DIGITS]}"
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[kind, value] = found
        return found


def read_key(name: str) -> bytes:
    """The key in a file; made where there is none.

    Raises
    ------
    KeyRefused
        The file holds none, or cannot be read or made.
    """
    path = Path(name)
    try:
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        return _make(path)
    except (OSError, UnicodeDecodeError) as error:
        raise KeyRefused(
            f"--key {name}: cannot be read: {getattr(error, 'strerror', None) or 'no text'}"
        ) from error
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) < _KEY_BYTES:
        raise KeyRefused(
            f"--key {name}: holds no key of {2 * _KEY_BYTES} hexadecimal digits; name another file, and one "
            "is made there"
        )
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        sys.stderr.write(f"{name}: others can read the key of the pseudonyms; chmod 600 mends it\n")
    return key


def _make(path: Path) -> bytes:
    key = secrets.token_bytes(_KEY_BYTES)
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "w", encoding="ascii") as out:
            out.write(key.hex() + "\n")
    except OSError as error:
        raise KeyRefused(f"--key {path}: cannot be made: {(error.strerror or 'it').lower()}") from error
    sys.stderr.write(
        f"made {path}, the key of the pseudonyms: keep it, since another key gives other ids, and show it to "
        "nobody, since who has it can tell who is who\n"
    )
    return key
