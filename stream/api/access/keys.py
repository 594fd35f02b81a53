"""API keys: hashed at rest, made, listed, revoked and rotated by command.

A key is ``id.secret``, the secret 256 random bits. The file holds its argon2 hash, which is slow on purpose
and is not asked on the way of a question: beside it stands a keyed check. What has been made before there
were checks is verified by argon2 once, and remembered in a form of this process's own as long as the file
stands.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import time
from pathlib import Path
from typing import get_args

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from schemas.faults.field import json_fault
from schemas.names import is_id
from stream.api.access.roles import Caller, IfUnknown, Role

ROLES: tuple[str, ...] = get_args(Role)
_CHECK_BYTES = 32


class KeysRefused(ValueError):
    """The file of keys cannot be used, or a command asks for what makes no sense."""


class Key(msgspec.Struct, frozen=True):
    """One key. ``platform`` belongs to the role ``platform``, ``rider`` to the role ``rider``.

    ``if_unknown`` is what its holder does then.
    """

    id: str
    role: Role
    hash: str
    made: str
    platform: str | None = None
    if_unknown: IfUnknown = "closed"
    per_second: float = 50.0
    #: `_check` of the secret under the file's own; empty in files of before there were checks.
    check: str = ""
    rider: str | None = None


class KeyDocument(msgspec.Struct):
    """The file."""

    keys: list[Key] = []
    #: Of the file; what is made from it means the same to all APIs that have the file.
    secret: str = ""


def open_to_others(mode: int, *, ours: bool) -> bool:
    """Whether more people may read or write a file than its keys are for.

    One that is not our own (an orchestrator's secret, mounted) we can only read through its group.
    """
    return bool(mode & (0o077 if ours else 0o037))


class KeyFile:
    """The file of keys, as the commands see it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[Key]:
        """All keys; none when there is no file.

        Raises
        ------
        KeysRefused
            When the file is readable by others, or no file of keys.
        """
        return self.whole().keys

    def whole(self) -> KeyDocument:
        """All that the file holds; empty when there is none.

        Raises
        ------
        KeysRefused
            When the file is readable by others, or no file of keys.
        """
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return KeyDocument()
        if open_to_others(found.st_mode, ours=found.st_uid == os.getuid()):
            message = f"{self._path} can be read by others: chmod 600 {self._path}"
            raise KeysRefused(message)
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=KeyDocument)
        except msgspec.DecodeError as error:
            raise KeysRefused(f"{self._path} is no file of keys: {json_fault(error)}") from error

    def add(
        self,
        role: str,
        platform: str | None,
        if_unknown: str = "closed",
        per_second: float = 50.0,
        rider: str | None = None,
    ) -> str:
        """Make a key; the whole of it, which is told this once.

        Raises
        ------
        KeysRefused
            When role, platform, rider and choice do not go together.
        """
        if role not in ROLES:
            raise KeysRefused(f"role {role!r}: one of {', '.join(ROLES)}")
        if (platform is not None) != (role == "platform"):
            raise KeysRefused(f"role {role} {'needs' if role == 'platform' else 'takes no'} --platform NAME")
        if (rider is not None) != (role == "rider"):
            raise KeysRefused(f"role {role} {'needs' if role == 'rider' else 'takes no'} --rider ID")
        if rider is not None and not is_id(rider):
            raise KeysRefused(f"rider {rider!r}: an id has 1 to 64 of A-Z a-z 0-9 _ . : -")
        if if_unknown not in get_args(IfUnknown):
            raise KeysRefused(f"if-unknown {if_unknown!r}: open or closed")
        if not 0 < per_second <= 100_000:
            raise KeysRefused(f"per-second {per_second}: above 0, at most 100000")
        identity, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        document = self._with_secret()
        made = Key(
            id=identity,
            role=msgspec.convert(role, Role),
            hash=PasswordHasher().hash(secret),
            made=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            platform=platform,
            if_unknown=msgspec.convert(if_unknown, IfUnknown),
            per_second=per_second,
            check=_check(document.secret, secret),
            rider=rider,
        )
        self._write([*document.keys, made], document.secret)
        return f"{identity}.{secret}"

    def revoke(self, identity: str) -> None:
        """Take a key away.

        Raises
        ------
        KeysRefused
            When there is none.
        """
        document = self._with_secret()
        left = [key for key in document.keys if key.id != identity]
        if len(left) == len(document.keys):
            raise KeysRefused(f"no key {identity}: `respite keys list` shows those that there are")
        self._write(left, document.secret)

    def rotate(self, identity: str) -> str:
        """A new secret under the same id; the old one is refused from here on.

        Raises
        ------
        KeysRefused
            When there is no such key.
        """
        document = self._with_secret()
        secret = secrets.token_urlsafe(32)
        hashed, check = PasswordHasher().hash(secret), _check(document.secret, secret)
        if identity not in {key.id for key in document.keys}:
            raise KeysRefused(f"no key {identity}: `respite keys list` shows those that there are")
        keys = [
            msgspec.structs.replace(key, hash=hashed, check=check) if key.id == identity else key
            for key in document.keys
        ]
        self._write(keys, document.secret)
        return f"{identity}.{secret}"

    def _with_secret(self) -> KeyDocument:
        found = self.whole()
        return KeyDocument(found.keys, found.secret or secrets.token_hex(_CHECK_BYTES))

    def _write(self, keys: list[Key], secret: str) -> None:
        waiting = self._path.with_name(self._path.name + ".new")
        descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(KeyDocument(keys, secret)), indent=2))
        waiting.replace(self._path)


def _check(of_file: str, secret: str) -> str:
    """What a secret is verified by; without both it cannot be made, and 256 random bits cannot be guessed."""
    keyed = hashlib.blake2b(secret.encode(), key=of_file.encode()[:64], digest_size=_CHECK_BYTES)
    return keyed.hexdigest()


class Slow:
    """That a key can be told by a slow hash only."""


SLOW = Slow()


class Keys:
    """The keys as the API sees them; the file is read again when it changes."""

    def __init__(self, path: Path) -> None:
        self._file = KeyFile(path)
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._keys: dict[str, Key] = {}
        self._secret = ""
        #: By id, the hash that a secret was verified by, and the secret's check under that of this process.
        self._verified: dict[str, tuple[str, str]] = {}
        self._of_process = secrets.token_hex(_CHECK_BYTES)
        self._hasher = PasswordHasher()

    def quick(self, presented: str) -> Caller | Slow | None:
        """Who presents a key, None when it is not one; `SLOW` when only `verify` can say that."""
        self._refresh()
        identity, _, secret = presented.partition(".")
        key = self._keys.get(identity)
        known = self._verified.get(identity)
        if key is not None and not key.check and (known is None or known[0] != key.hash):
            return SLOW
        # An id that is not known takes as long: it is checked against nothing.
        under, wanted = self._secret, "0" * 2 * _CHECK_BYTES
        if key is not None and key.check:
            wanted = key.check
        elif known is not None:
            under, wanted = self._of_process, known[1]
        right = hmac.compare_digest(_check(under, secret), wanted)
        return _caller(key) if key is not None and right else None

    def verify(self, presented: str) -> Caller | None:
        """Who presents a key that `quick` cannot tell; slow, to be called in a thread."""
        identity, _, secret = presented.partition(".")
        key = self._keys.get(identity)
        if key is None:
            return None
        try:
            self._hasher.verify(key.hash, secret)
        except (VerifyMismatchError, InvalidHashError):
            return None
        self._verified[identity] = key.hash, _check(self._of_process, secret)
        return _caller(key)

    def caller(self, presented: str) -> Caller | None:
        """Who presents a key; None when it is not one. May be slow."""
        found = self.quick(presented)
        return self.verify(presented) if isinstance(found, Slow) else found

    def event_secret(self) -> bytes:
        """What ids of the live stream are sealed with; the same wherever the same file is."""
        self._refresh()
        oldest = min(self._keys.values(), key=lambda key: (key.made, key.id), default=None)
        told = self._secret or (oldest.hash if oldest else "")
        return hashlib.blake2b(told.encode(), person=b"event ids").digest()

    def any(self) -> bool:
        """Whether there is a key.

        Raises
        ------
        KeysRefused
            When the file cannot be used.
        """
        self._refresh()
        return bool(self._keys)

    def _refresh(self) -> None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._keys, self._stamp, self._secret = {}, None, ""
            return
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp != self._stamp:
            document = self._file.whole()
            self._keys = {key.id: key for key in document.keys}
            self._secret, self._stamp = document.secret, stamp
            # Of a key that is gone, or has another secret now, nothing is remembered.
            hashes = {key.id: key.hash for key in document.keys}
            self._verified = {
                one: found for one, found in self._verified.items() if hashes.get(one) == found[0]
            }


def _caller(key: Key) -> Caller:
    return Caller(key.id, key.role, key.platform, key.if_unknown, key.per_second, key.rider)
