"""The TOML file of ``respite secure``: users of Kafka, their roles and where their passwords are."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.faults.field import written
from stream.kafka.topics.acls import OF_A_PLATFORM, ROLES, User, overlapping
from stream.toml_files import Unreadable, toml_file

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PASSWORD = re.compile(r"[!-~]{12,256}")
_KEYS = {"name", "role", "platform", "password_env"}


class InvalidUsers(ValueError):
    """A file that is refused; the message has every fault, and no password."""


@dataclass(frozen=True, slots=True)
class Users:
    """Users, and by name the passwords of those whose password this file knows of."""

    users: tuple[User, ...]
    passwords: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Users({self.users!r})"


def load_users(path: Path, environment: Mapping[str, str] = os.environ) -> Users:
    """Read a file.

    Raises
    ------
    InvalidUsers
        It cannot be read, or with every fault.
    """
    try:
        document = toml_file(path)
    except Unreadable as error:
        raise InvalidUsers(str(error)) from error
    entries = document.get("user")
    faults = [f"unknown: {name}" for name in document if name != "user"]
    if not isinstance(entries, list) or not entries:
        raise InvalidUsers(f"{path}: needs [[user]] with name and role")
    users, passwords = [], {}
    for number, entry in enumerate(entries, 1):
        found = _faults(entry, environment)
        faults += [f"user {number}: {fault}" for fault in found]
        if not found:
            users.append(User(entry["name"], entry["role"], entry.get("platform")))
            if "password_env" in entry:
                passwords[entry["name"]] = environment[entry["password_env"]]
    names = [user.name for user in users]
    faults += [f"two users of one name: {name}" for name in sorted({n for n in names if names.count(n) > 1})]
    faults += overlapping(users)
    if faults:
        raise InvalidUsers(f"{path}:\n  " + "\n  ".join(faults))
    return Users(tuple(users), passwords)


def _faults(entry: Any, environment: Mapping[str, str]) -> list[str]:  # noqa: ANN401 - as TOML has it
    if not isinstance(entry, dict):
        return ["must be a table with name and role"]
    faults = [f"unknown: {name}" for name in entry if name not in _KEYS]
    name, role, platform = entry.get("name"), entry.get("role"), entry.get("platform")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        faults.append(f"name {_shown(name)}: must be 1 to 64 characters of A-Z a-z 0-9 . _ -")
    if role not in ROLES:
        faults.append(f"role {_shown(role)}: must be one of {', '.join(ROLES)}")
    elif role in OF_A_PLATFORM and not (isinstance(platform, str) and _NAME.fullmatch(platform)):
        faults.append(f"platform {_shown(platform)}: a {role} needs one, of A-Z a-z 0-9 . _ -")
    elif role not in OF_A_PLATFORM and platform is not None:
        faults.append(f"platform {_shown(platform)}: a {role} has none")
    if "password_env" in entry:
        variable = entry["password_env"]
        if not isinstance(variable, str) or not environment.get(variable):
            faults.append(f"password_env: no environment variable {_shown(variable)} with a value")
        elif not _PASSWORD.fullmatch(environment[variable]):
            faults.append(
                f"password_env: {variable} must hold 12 to 256 printable ASCII characters, no spaces"
            )
    return faults


def _shown(value: object) -> str:
    return "is missing" if value is None else written(value)
