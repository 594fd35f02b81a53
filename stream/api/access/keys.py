"""API keys: hashed at rest, made, listed, revoked and rotated by command.

A key is ``id.secret``. The file holds argon2 hashes; a secret that was verified once is remembered for some
minutes by its SHA-256, since argon2 is slow on purpose.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

Role = Literal["platform", "regulator", "operator", "dispatcher"]
IfUnknown = Literal["open", "closed"]
ROLES: tuple[str, ...] = get_args(Role)
_REMEMBERED_S = 300.0
_MOST_REMEMBERED = 10_000


class KeysRefused(ValueError):
    """The file of keys cannot be used, or a command asks for what makes no sense."""


class Key(msgspec.Struct, frozen=True):
    """One key. ``platform`` belongs to the role ``platform``; ``if_unknown`` is what its holder does then."""

    id: str
    role: Role
    hash: str
    made: str
    platform: str | None = None
    if_unknown: IfUnknown = "closed"
    per_second: float = 50.0


class _File(msgspec.Struct):
    keys: list[Key] = []


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    key: str
    role: Role
    platform: str | None
    if_unknown: IfUnknown
    per_second: float

    @property
    def sees_persons(self) -> bool:
        """Whether single riders are the caller's business."""
        return self.role in ("platform", "dispatcher")


#: Without keys, on loopback only: sees everything.
NOBODY = Caller("no-auth", "dispatcher", None, "closed", 1000.0)


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
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return []
        if open_to_others(found.st_mode, ours=found.st_uid == os.getuid()):
            message = f"{self._path} can be read by others: chmod 600 {self._path}"
            raise KeysRefused(message)
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_File).keys
        except msgspec.DecodeError as error:
            raise KeysRefused(f"{self._path} is no file of keys: {error}") from error

    def add(
        self, role: str, platform: str | None, if_unknown: str = "closed", per_second: float = 50.0
    ) -> str:
        """Make a key; the whole of it, which is told this once.

        Raises
        ------
        KeysRefused
            When role, platform and choice do not go together.
        """
        if role not in ROLES:
            raise KeysRefused(f"role {role!r}: one of {', '.join(ROLES)}")
        if (platform is not None) != (role == "platform"):
            raise KeysRefused(f"role {role} {'needs' if role == 'platform' else 'takes no'} --platform NAME")
        if if_unknown not in get_args(IfUnknown):
            raise KeysRefused(f"if-unknown {if_unknown!r}: open or closed")
        if not 0 < per_second <= 100_000:
            raise KeysRefused(f"per-second {per_second}: above 0, at most 100000")
        identity, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        made = Key(
            id=identity,
            role=msgspec.convert(role, Role),
            hash=PasswordHasher().hash(secret),
            made=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            platform=platform,
            if_unknown=msgspec.convert(if_unknown, IfUnknown),
            per_second=per_second,
        )
        self._write([*self.read(), made])
        return f"{identity}.{secret}"

    def revoke(self, identity: str) -> None:
        """Take a key away.

        Raises
        ------
        KeysRefused
            When there is none.
        """
        keys = self.read()
        left = [key for key in keys if key.id != identity]
        if len(left) == len(keys):
            raise KeysRefused(f"no key {identity}: `respite keys list` shows those that there are")
        self._write(left)

    def rotate(self, identity: str) -> str:
        """A new secret under the same id; the old one is refused from here on.

        Raises
        ------
        KeysRefused
            When there is no such key.
        """
        keys = self.read()
        secret = secrets.token_urlsafe(32)
        hashed = PasswordHasher().hash(secret)
        if identity not in {key.id for key in keys}:
            raise KeysRefused(f"no key {identity}: `respite keys list` shows those that there are")
        self._write(
            [msgspec.structs.replace(key, hash=hashed) if key.id == identity else key for key in keys]
        )
        return f"{identity}.{secret}"

    def _write(self, keys: list[Key]) -> None:
        waiting = self._path.with_name(self._path.name + ".new")
        descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(_File(keys)), indent=2))
        waiting.replace(self._path)


class Keys:
    """The keys as the API sees them; the file is read again when it changes."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._file = KeyFile(path)
        self._path = path
        self._clock = clock
        self._stamp: tuple[int, int] | None = None
        self._keys: dict[str, Key] = {}
        self._verified: dict[bytes, tuple[str, float]] = {}
        self._hasher = PasswordHasher()
        #: Verified in place of a key that does not exist, so that both take as long.
        self._decoy = self._hasher.hash(secrets.token_hex(16))

    def caller(self, presented: str) -> Caller | None:
        """Who presents a key; None when it is not one. Slow the first time: call it in a thread."""
        self._refresh()
        identity, _, secret = presented.partition(".")
        key = self._keys.get(identity)
        digest = hashlib.sha256(presented.encode()).digest()
        known = self._verified.get(digest)
        if key and known and known[1] > self._clock() and hmac.compare_digest(known[0], key.hash):
            return _caller(key)
        try:
            self._hasher.verify(key.hash if key else self._decoy, secret)
        except (VerifyMismatchError, InvalidHashError):
            return None
        if key is None:
            return None
        if len(self._verified) >= _MOST_REMEMBERED:
            self._verified.clear()
        self._verified[digest] = (key.hash, self._clock() + _REMEMBERED_S)
        return _caller(key)

    def any(self) -> bool:
        """Whether there is a key.

        Raises
        ------
        KeysRefused
            When the file cannot be used.
        """
        self._refresh()
        return bool(self._keys)

    def is_quick(self, presented: str) -> bool:
        """Whether `caller` would not have to hash."""
        known = self._verified.get(hashlib.sha256(presented.encode()).digest())
        return known is not None and known[1] > self._clock()

    def _refresh(self) -> None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._keys, self._stamp = {}, None
            return
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp != self._stamp:
            self._keys = {key.id: key for key in self._file.read()}
            self._stamp = stamp


def _caller(key: Key) -> Caller:
    return Caller(key.id, key.role, key.platform, key.if_unknown, key.per_second)
