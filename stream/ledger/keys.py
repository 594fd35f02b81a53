"""Keys that sign the record of holds: Ed25519, made by command, in one file that only its owner reads."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ID_DIGITS = 16
_KEY_BYTES = 32


class LedgerKeysRefused(Exception):
    """A file of keys that cannot be used; the message names it and the remedy."""


class StoredKey(msgspec.Struct, forbid_unknown_fields=True):
    """A key as it lies in the file: hexadecimal digits, and when it was made (UTC)."""

    id: str
    public: str
    private: str
    made: str


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    keys: list[StoredKey]


def key_id(public: str) -> str:
    """What lines name a key by: the first digits of the SHA-256 of the public key."""
    return hashlib.sha256(bytes.fromhex(public)).hexdigest()[:_ID_DIGITS]


def public_key(public: str) -> bool:
    """Whether a text is a public key of 64 hexadecimal digits."""
    try:
        return len(public) == 2 * _KEY_BYTES and len(bytes.fromhex(public)) == _KEY_BYTES
    except ValueError:
        return False


def signed_by(public: str, signature: str, message: bytes) -> bool:
    """Whether a signature (hexadecimal) of a message is that of a public key."""
    try:
        written = bytes.fromhex(signature)
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(written, message)
    except (InvalidSignature, ValueError):
        return False
    # Of the ways to write its digits one is right.
    return written.hex() == signature


class SigningKey:
    """A key that signs."""

    def __init__(self, stored: StoredKey) -> None:
        self.id = stored.id
        self.public = stored.public
        self._key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(stored.private))

    def sign(self, message: bytes) -> str:
        """A signature, hexadecimal."""
        return self._key.sign(message).hex()


class LedgerKeyFile:
    """The keys of a ledger, the newest last; older ones stay, to hand over to their successors."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[StoredKey]:
        """All keys.

        Raises
        ------
        LedgerKeysRefused
            The file is not there, cannot be read, or holds something else.
        """
        made_by = f"`respite ledger keys add --ledger-key {self._path}` makes one"
        try:
            found = msgspec.json.decode(self._path.read_bytes(), type=_Document).keys
        except FileNotFoundError as error:
            raise LedgerKeysRefused(f"{self._path}: no such file of keys; {made_by}") from error
        except (OSError, msgspec.MsgspecError) as error:
            raise LedgerKeysRefused(f"{self._path}: is no file of a ledger's keys: {error}") from error
        for one in found:
            if not public_key(one.public) or _public_of(one.private) != one.public:
                raise LedgerKeysRefused(
                    f"{self._path}: key {one.id} is damaged; restore the file from a copy"
                )
        if not found:
            raise LedgerKeysRefused(f"{self._path}: holds no key; {made_by}")
        if self._path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            sys.stderr.write(f"{self._path}: others can read the ledger's keys; chmod 600 mends it\n")
        return found

    def signing(self) -> list[SigningKey]:
        """All keys, ready to sign, the newest last."""
        return [SigningKey(one) for one in self.read()]

    def add(self, *, rotate: bool = False) -> StoredKey:
        """Make a key and return it; the file must not be there yet, unless the key is to follow another.

        Raises
        ------
        LedgerKeysRefused
            The file is there already, or not, or cannot be written.
        """
        before = self.read() if rotate else []
        if not rotate and self._path.exists():
            raise LedgerKeysRefused(
                f"{self._path} is there already; `respite ledger keys rotate` adds a key to follow its last"
            )
        private = Ed25519PrivateKey.generate()
        public = private.public_key().public_bytes_raw().hex()
        made = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        stored = StoredKey(key_id(public), public, private.private_bytes_raw().hex(), made)
        waiting = self._path.with_name(self._path.name + ".new")
        try:
            number = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(number, "wb") as out:
                out.write(msgspec.json.format(msgspec.json.encode(_Document([*before, stored])), indent=2))
            waiting.replace(self._path)
        except OSError as error:
            raise LedgerKeysRefused(
                f"{self._path}: cannot be written: {error.strerror}; name another with --ledger-key"
            ) from error
        return stored


def _public_of(private: str) -> str | None:
    try:
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(private))
    except ValueError:
        return None
    return key.public_key().public_bytes_raw().hex()
